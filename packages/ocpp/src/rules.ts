import { isDateTime } from './date-time.ts';
import type { Fault } from './fault.ts';
import { isJsonObject } from './json-object.ts';
import type { Schema } from './schema.ts';

/** Checks for the schemas' formats, used by ajv and by tolerant reading. */
export const FORMATS: Record<NonNullable<Schema['format']>, (text: string) => boolean> = {
  'date-time': isDateTime,
  uri: (text) => URI.test(text),
};

// RFC 3986: a scheme, then only characters that a URI allows.
const URI = /^[a-z][a-z\d+.-]*:(?:[\w.~:/?#[\]@!$&'()*+,;=-]|%[\da-f]{2})+$/i;

/** Decimal places that count for multipleOf: 8.1 / 0.1 is not exactly 81 (G.6). */
export const MULTIPLE_OF_PRECISION = 6;

export function hasType(value: unknown, type: Schema['type']): boolean {
  switch (type) {
    case 'object':
      return isJsonObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return Number.isFinite(value);
    default:
      return typeof value === type;
  }
}

/** Rules that a value of the right type violates, not counting its contents. */
export function violatedRules(value: unknown, schema: Schema, path: string): Fault[] {
  const faults: Fault[] = [];
  for (const keyword of OWN_RULES) {
    const expected = schema[keyword];
    if (expected !== undefined && !HOLDS[keyword](value as never, expected as never))
      faults.push({ path, keyword, expected, found: value });
  }
  return faults;
}

const HOLDS = {
  enum: (value: string, allowed: readonly string[]) => allowed.includes(value),
  // Counted in characters, as in JSON Schema, not in UTF-16 units.
  maxLength: (value: string, limit: number) => value.length <= limit || [...value].length <= limit,
  format: (value: string, format: NonNullable<Schema['format']>) => FORMATS[format](value),
  // Not `<=`: if the quotient is not finite there is no difference to compare, and ajv accepts the value.
  multipleOf: (value: number, step: number) =>
    !(Math.abs(Math.round(value / step) - value / step) > 10 ** -MULTIPLE_OF_PRECISION),
  minimum: (value: number, limit: number) => value >= limit,
  maximum: (value: number, limit: number) => value <= limit,
  minItems: (value: unknown[], limit: number) => value.length >= limit,
  maxItems: (value: unknown[], limit: number) => value.length <= limit,
};

const OWN_RULES = Object.keys(HOLDS) as (keyof typeof HOLDS)[];
