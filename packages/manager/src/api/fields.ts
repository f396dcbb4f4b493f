import { Type } from '@fastify/type-provider-typebox';
import type { Static, TSchema } from '@fastify/type-provider-typebox';
import { parseDateTime } from '@evander/ocpp';
import { Problem } from './problem.ts';

/** The schema's values and null. No union: with one, the query's conversion of text would take 0 and '' for null. */
export function nullable<S extends TSchema>(schema: S) {
  const { type, enum: words, ...rest } = schema as { type?: string; enum?: unknown[] };
  return Type.Unsafe<Static<S> | null>({
    ...rest,
    type: [type, 'null'],
    ...(words && { enum: [...words, null] }),
  });
}

/** A choice of words. */
export function oneOf<const W extends readonly string[]>(words: W, description?: string) {
  return Type.Unsafe<W[number]>({ type: 'string', enum: [...words], ...(description && { description }) });
}

// The answers hold Dates, which JSON writes as RFC 3339 in UTC.
export const Time = Type.Unsafe<Date>({ type: 'string', format: 'date-time' });
export const TimeText = Type.String({ description: 'RFC 3339', examples: ['2026-11-20T10:00:00Z'] });

/** The instant in a query or a body; names the field when it is none. */
export function readTime(text: string | undefined, field: string): Date | null {
  if (text === undefined) return null;
  const time = parseDateTime(text);
  if (!time) throw new Problem(400, `${field} must be a time of RFC 3339, such as 2026-11-20T10:00:00Z`);
  return time;
}

export const StationParams = Type.Object({ stationId: Type.String({ minLength: 1, maxLength: 255 }) });
