import { hasType } from './rules.ts';
import type { Schema } from './schema.ts';

const NUMERIC = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** What a station meant by a value of the wrong JSON type, or undefined when that cannot be told. */
export function coerce(value: unknown, { type, items }: Schema, name: string): unknown {
  switch (type) {
    case 'string':
      return asString(value);
    case 'integer':
      return asInteger(value, name);
    case 'number':
      return asNumber(value);
    case 'boolean':
      return asBoolean(value);
    case 'array':
      // Where there is but one, some stations leave out the list around it.
      return items && hasType(value, items.type) ? [value] : undefined;
    default:
      return undefined;
  }
}

// A reading of a meter may have decimals. What has decimals is no id, and rounded it would be that of something else.
function asInteger(value: unknown, name: string): number | undefined {
  const number = asNumber(value);
  if (number === undefined || Number.isInteger(number)) return number;
  return name.endsWith('Id') ? undefined : Math.round(number);
}

/**
 * What stands for a required integer of a message that must not be refused, where its value is a number that no column holds: the
 * bound on its side. Nothing has such an id, and no meter such a reading. Undefined where the value is no number.
 */
export function nearestBound(value: unknown, { minimum, maximum }: Schema): number | undefined {
  const number = asNumber(value);
  if (number === undefined) return undefined;
  return number < 0 ? minimum : maximum;
}

/** An object becomes its JSON, as stations send DataTransfer's data (S12). */
function asString(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    return JSON.stringify(value);
  } catch {
    return undefined; // nested too deeply
  }
}

function asNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && NUMERIC.test(value.trim()) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function asBoolean(value: unknown): boolean | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value).trim().toLowerCase();
  if (text === 'true' || text === '1') return true;
  return text === 'false' || text === '0' ? false : undefined;
}
