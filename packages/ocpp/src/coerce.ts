import { hasType } from './rules.ts';
import type { Schema } from './schema.ts';

const NUMERIC = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** The intended value behind a value of the wrong JSON type; undefined if it is unclear. */
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
      // Some stations omit the list around a single item.
      return items && hasType(value, items.type) ? [value] : undefined;
    default:
      return undefined;
  }
}

// Meter readings may have decimals. A number with decimals is not an id, and rounding could turn it into another one.
function asInteger(value: unknown, name: string): number | undefined {
  const number = asNumber(value);
  if (number === undefined || Number.isInteger(number)) return number;
  return name.endsWith('Id') ? undefined : Math.round(number);
}

/**
 * Substitute for a required integer that no database column can store, in a message that must not be rejected: the bound on its side. No id
 * and no meter reading has that value. Undefined if the value is not a number.
 */
export function nearestBound(value: unknown, { minimum, maximum }: Schema): number | undefined {
  const number = asNumber(value);
  if (number === undefined) return undefined;
  return number < 0 ? minimum : maximum;
}

/** An object becomes JSON text: some stations send DataTransfer's data as an object (S12). */
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
