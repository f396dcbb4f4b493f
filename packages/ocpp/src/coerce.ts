import type { Schema } from './schema.ts';

const NUMERIC = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** What a station meant by a value of the wrong JSON type, or undefined when that cannot be told. */
export function coerce(value: unknown, type: Schema['type']): unknown {
  switch (type) {
    case 'string':
      return asString(value);
    case 'integer': {
      const number = asNumber(value);
      return number === undefined ? undefined : Math.round(number);
    }
    case 'number':
      return asNumber(value);
    case 'boolean':
      return asBoolean(value);
    default:
      return undefined;
  }
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
  const text = typeof value === 'string' ? value.trim().toLowerCase() : undefined;
  if (text !== 'true' && text !== 'false') return undefined;
  return text === 'true';
}
