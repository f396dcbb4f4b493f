import { INT32_MAX, parseDateTime } from '@evander/ocpp';
import { Type } from '@fastify/type-provider-typebox';
import type { Static, TSchema } from '@fastify/type-provider-typebox';
import { Problem } from './problem.ts';

/** The schema's values, or null. One schema with two types is written far faster than a choice of two schemas. */
export function nullable<S extends TSchema>(schema: S) {
  const { type, enum: words, ...rest } = schema as { type?: string; enum?: unknown[] };
  const choice = words === undefined ? {} : { enum: [...words, null] };
  return Type.Unsafe<Static<S> | null>({ ...rest, ...choice, type: [type, 'null'] });
}

/** A choice of words. */
export function oneOf<const W extends readonly string[]>(words: W, description?: string) {
  return Type.Unsafe<W[number]>({ type: 'string', enum: [...words], ...(description && { description }) });
}

export const Text = nullable(Type.String());

/** A time in an answer: a Date, which is written as RFC 3339 in UTC. */
export const Time = Type.Unsafe<Date>({ type: 'string', format: 'date-time' });

/** A time in a request. Without an example: the page to try the API would fill it in, and filter by it. */
export const TimeText = Type.String({ format: 'date-time' });

/** The id in a path that names a thing of ours. */
export function idOf(thing: string) {
  return Type.String({ format: 'uuid', description: `The id of the ${thing}` });
}

/** The body of a request that has nothing to say. */
export const EmptyRequest = Type.Object(
  {},
  { additionalProperties: false, title: 'EmptyRequest', description: 'Nothing, or an empty object' },
);

export const Int32 = Type.Integer({ minimum: 0, maximum: INT32_MAX });

/** The filters of lists that have a time. */
export const Period = {
  from: Type.Optional(Type.String({ format: 'date-time', description: 'Not before this time' })),
  to: Type.Optional(Type.String({ format: 'date-time', description: 'Before this time' })),
};

/** The instants of a period; names the field that holds none. */
export function readPeriod(period: { from?: string; to?: string }): { from: Date | null; to: Date | null } {
  return { from: readTime(period.from, 'from'), to: readTime(period.to, 'to') };
}

/** The instant in a request, null for none; names the field that holds no such time. */
export function readTime(text: string | null | undefined, field: string): Date | null {
  if (text === undefined || text === null) return null;
  const time = parseDateTime(text);
  if (time) return time;
  throw new Problem(400, `${field} must be a time of RFC 3339, such as 2026-11-20T10:00:00Z`, { field });
}

/** An identity without control characters, which no list or log should show. */
const IDENTITY = '^[^\\u0000-\\u001f\\u007f-\\u009f]{1,255}$';

/** Can a station have this identity? */
export function isStationId(text: string): boolean {
  return new RegExp(IDENTITY, 'u').test(text);
}

export const StationId = Type.String({
  pattern: IDENTITY,
  description:
    '1 to 255 characters without control characters: the last part of the URL that the station connects to',
});
/** The filter of lists that are not under a station. */
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

/** Why an operator does something. */
export const Reason = Type.String({
  pattern: '\\S',
  maxLength: 500,
  description: 'a text that says why, for the record',
});
