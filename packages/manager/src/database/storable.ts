import type { Envelope } from '@evander/broker';

/** U+0000 and lone surrogates: PostgreSQL accepts neither in `text` or `jsonb`, and cannot read a `json` that contains one. */
const UNSTORABLE = /[\0\p{Cs}]/gu;
/** The same plus complete pairs: a check that is five times as fast and rarely matches. */
const UNUSUAL = /[\0\ud800-\udfff]/;
const REPLACEMENT = '\ufffd';
/** The nesting limit of gateways. PostgreSQL, and code that walks payloads, have their limits beyond it. */
const MAX_LEVELS = 64;
/** OCPP-J allows 36. Very long ids could not be part of an index key. */
const MAX_ID_LENGTH = 255;

/**
 * Makes a JSON value storable in PostgreSQL: unsupported characters become U+FFFD, and values nested more than 64 levels deep become
 * null. Returns the same object if nothing changes. Long texts are truncated elsewhere (`readPayload`).
 */
export function storable<V>(value: V): V {
  return storableAt(value, 0) as V;
}

/** Makes an envelope storable, including its id; replies must use the original id. */
export function storableEnvelope<E extends Envelope>(envelope: E): E {
  const stored = storable(envelope);
  return stored.id.length > MAX_ID_LENGTH ? { ...stored, id: stored.id.slice(0, MAX_ID_LENGTH) } : stored;
}

function storableAt(value: unknown, level: number): unknown {
  if (typeof value === 'string') return storableText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (level === MAX_LEVELS) return null;
  if (Array.isArray(value)) {
    const items = value.map((item) => storableAt(item, level + 1));
    return items.every((item, i) => item === value[i]) ? value : items;
  }
  const object = value as Record<string, unknown>;
  const names = Object.keys(object);
  const inner = names.map((name) => storableAt(object[name], level + 1));
  if (names.every((name, i) => storableText(name) === name && inner[i] === object[name])) return value;
  return Object.fromEntries(names.map((name, i) => [storableText(name), inner[i]]));
}

function storableText(text: string): string {
  return UNUSUAL.test(text) ? text.replace(UNSTORABLE, REPLACEMENT) : text;
}
