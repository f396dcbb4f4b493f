import { INT32_MAX, parseDateTime } from '@evander/ocpp';
import { Type } from '@fastify/type-provider-typebox';
import type { Static, TSchema } from '@fastify/type-provider-typebox';
import { Problem } from './problem.ts';

/** The schema's values, or null. One schema with two types is serialized far faster than an anyOf of two schemas. */
export function nullable<S extends TSchema>(schema: S) {
  const { type, enum: values, ...rest } = schema as { type?: string; enum?: unknown[] };
  const choice = values === undefined ? {} : { enum: [...values, null] };
  return Type.Unsafe<Static<S> | null>({ ...rest, ...choice, type: [type, 'null'] });
}

/** An enumeration of strings. */
export function oneOf<const V extends readonly string[]>(values: V, description?: string) {
  return Type.Unsafe<V[number]>({ type: 'string', enum: [...values], ...(description && { description }) });
}

export const Text = nullable(Type.String());

/** A time in a response: a Date, serialized as RFC 3339 in UTC. */
export const Time = Type.Unsafe<Date>({ type: 'string', format: 'date-time' });

/** A time in a request. It has no example, because the page to try the API would fill it in and filter by it. */
export const TimeText = Type.String({ format: 'date-time' });

/** The UUID of a resource in a path. */
export function idOf(thing: string) {
  return Type.String({ format: 'uuid', description: `The id of the ${thing}` });
}

/** The body of a request without parameters. */
export const EmptyRequest = Type.Object(
  {},
  { additionalProperties: false, title: 'EmptyRequest', description: 'Nothing, or an empty object' },
);

export const Int32 = Type.Integer({ minimum: 0, maximum: INT32_MAX });

/** Filters of lists whose items have a time. */
export const Period = {
  from: Type.Optional(Type.String({ format: 'date-time', description: 'Not before this time' })),
  to: Type.Optional(Type.String({ format: 'date-time', description: 'Before this time' })),
};

/** Parses a period. Throws Problem with the field that is not a time. */
export function readPeriod(period: { from?: string; to?: string }): { from: Date | null; to: Date | null } {
  return { from: readTime(period.from, 'from'), to: readTime(period.to, 'to') };
}

/** Parses a time in a request; null for none. Throws Problem with the field if it is not a time. */
export function readTime(text: string | null | undefined, field: string): Date | null {
  if (text === undefined || text === null) return null;
  const time = parseDateTime(text);
  if (time) return time;
  throw new Problem(400, `${field} must be an RFC 3339 time, such as 2026-11-20T10:00:00Z`, { field });
}

/** A station id without control characters, which lists and logs should not show. */
const IDENTITY = '^[^\\u0000-\\u001f\\u007f-\\u009f]{1,255}$';

/** Whether a text is a valid station id. */
export function isStationId(text: string): boolean {
  return new RegExp(IDENTITY, 'u').test(text);
}

export const StationId = Type.String({
  pattern: IDENTITY,
  description:
    '1 to 255 characters without control characters: the last part of the URL that the station connects to',
});
/** Filter of lists of several stations. */
export const OfStation = Type.Optional(Type.String({ description: 'Only for this station' }));
export const StationParams = Type.Object({ stationId: StationId });
export const ConnectorId = Type.Integer({
  minimum: 0,
  maximum: INT32_MAX,
  description: 'The connector, from 1 on; 0 is the station as a whole',
});
export const TransactionId = Type.Integer({
  minimum: 0,
  maximum: INT32_MAX,
  description: 'The id assigned at the start of the transaction',
});
export const JobId = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'The id of the job',
});
export const TransactionParams = Type.Object({ transactionId: TransactionId });

/** The reason for an operator's action. */
export const Reason = Type.String({
  pattern: '\\S',
  maxLength: 500,
  description: 'the reason, for the record',
});
