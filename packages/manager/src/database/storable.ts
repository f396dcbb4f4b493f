import type { Envelope } from '@evander/broker';

/** U+0000 and half a surrogate pair: PostgreSQL takes neither in `text` or `jsonb`, nor reads a `json` that holds one. */
const UNSTORABLE = /[\0\p{Cs}]/gu;
/** The same and whole pairs: five times as fast, and true of hardly any text. */
const UNUSUAL = /[\0\ud800-\udfff]/;
const REPLACEMENT = '\ufffd';
/** As deep as a gateway lets frames be. PostgreSQL, and whatever walks a payload, has a limit somewhere beyond. */
const MAX_LEVELS = 64;
/** OCPP-J has 36. What is longer could not be part of a key. */
const MAX_ID_LENGTH = 255;

/**
 * A value from JSON as PostgreSQL can keep it: each character that it cannot keep is replaced by U+FFFD, and null stands for what is nested more
 * than 64 levels deep. The very same value when nothing has to change. Long texts are cut where they are read (`readPayload`).
 */
export function storable<V>(value: V): V {
  return storableAt(value, 0) as V;
}

/** An envelope as it can be kept. The id changes too: answers go to the id that came. */
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
