import type { ErrorCode } from './error-code.ts';
import { isJsonObject } from './json-object.ts';

/** A string; a number only if the station sent one, and then the answer has the same number (FRM.3). */
export type MessageId = string | number | NumericId;

/** A number with the station's exact text, if JavaScript would write it differently: 20 digits, or 1.0. */
export class NumericId {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

export interface Call {
  type: 2;
  id: MessageId;
  action: string;
  payload: Record<string, unknown>;
}

export interface CallResult {
  type: 3;
  id: MessageId;
  payload: Record<string, unknown>;
}

export interface CallError {
  type: 4;
  id: MessageId;
  code: string;
  description: string;
  details: Record<string, unknown>;
}

export type Frame = Call | CallResult | CallError;

/** Text that is not a valid frame. */
export interface MalformedFrame {
  type: 'malformed';
  reason: string;
  /** The answer to send if the frame was meant as a call. */
  answer?: CallError;
  /** The call that it was meant to answer, if it was a result or an error. */
  answeredId?: MessageId;
}

/** Empty text, which some stations send to keep the connection alive (FRM.12). */
export interface BlankFrame {
  type: 'blank';
}

const MAX_ID_LENGTH = 36;
const CONTROL = /\p{Cc}/u;
const MAX_DESCRIPTION_LENGTH = 255; // ERR.11
// OCPP needs fewer than ten; several thousand would overflow the stack when the payload is serialised.
const MAX_LEVELS = 64;

/** Parses the text of one WebSocket message. Never throws. */
export function parseFrame(text: string): Frame | MalformedFrame | BlankFrame {
  const json = text.trim();
  if (json === '') return { type: 'blank' };
  let elements: unknown;
  try {
    elements = JSON.parse(json);
  } catch {
    return unreadable(json);
  }
  if (!Array.isArray(elements)) return malformed('not a JSON array');
  return readElements(elements, json);
}

function readElements(elements: unknown[], json: string): Frame | MalformedFrame {
  const [type, readId] = elements;
  if (type !== 2 && type !== 3 && type !== 4) return malformed('unknown message type'); // FRM.6
  if (!isReadableId(readId)) return malformed('no readable message id'); // ERR.5
  const id = typeof readId === 'number' ? numericId(numberText(json) ?? String(readId)) : readId;
  const reason = idFault(id) ?? (sanitise(elements) ? undefined : 'nested too deeply');
  if (reason !== undefined) return type === 2 ? rejected(id, reason) : unanswerable(id, reason);
  if (type === 2) return readCall(id, elements);
  return type === 3 ? readResult(id, elements) : readError(id, elements);
}

// The longest id, fully escaped, and the text before it.
const MAX_HEAD_LENGTH = 6 * MAX_ID_LENGTH + 32;
const HEAD = /^\[\s*([234])\s*,\s*("(?:[^"\\]|\\.)*"|-?(?:0|[1-9]\d*))\s*(?:,|\])/;

/** Reports invalid JSON; its type and id may still be readable. */
function unreadable(json: string): MalformedFrame {
  const reason = 'not JSON';
  const [, type, idText = ''] = HEAD.exec(json.slice(0, MAX_HEAD_LENGTH)) ?? [];
  if (type === undefined) return malformed(reason);
  let id: MessageId;
  try {
    id = idText.startsWith('"') ? String(JSON.parse(idText)) : numericId(idText);
  } catch {
    return malformed(reason);
  }
  return type === '2' ? rejected(id, idFault(id) ?? reason) : unanswerable(id, reason);
}

/** The text of a numeric second element of a frame. */
function numberText(json: string): string | undefined {
  return /^\[\s*[\d.eE+-]+\s*,\s*([\d.eE+-]+)/.exec(json.slice(0, MAX_HEAD_LENGTH))?.[1];
}

function numericId(text: string): MessageId {
  const number = Number(text);
  return String(number) === text ? number : new NumericId(text);
}

function readCall(id: MessageId, elements: unknown[]): Call | MalformedFrame {
  const [, , action, payload] = elements;
  if (typeof action !== 'string' || action === '') return rejected(id, 'a call needs the name of an action');
  if (CONTROL.test(action)) return rejected(id, 'the action has control characters');
  if (elements.length > 4) return rejected(id, `a call has 4 elements, this has ${elements.length}`);
  // A Heartbeat needs no payload (FRM.5).
  if (elements.length < 4 && action !== 'Heartbeat') return rejected(id, 'a call needs a payload');
  const object = asPayload(payload);
  return object ? { type: 2, id, action, payload: object } : rejected(id, 'the payload must be an object');
}

function readResult(id: MessageId, elements: unknown[]): CallResult | MalformedFrame {
  if (elements.length !== 3)
    return unanswerable(id, `a call result has 3 elements, this has ${elements.length}`);
  const payload = asPayload(elements[2]);
  return payload
    ? { type: 3, id, payload }
    : unanswerable(id, 'the payload of a call result must be an object');
}

/** Stations omit description and details, although all five elements are required (FRM.7). */
function readError(id: MessageId, elements: unknown[]): CallError | MalformedFrame {
  const [, , code, description, details] = elements;
  if (elements.length > 5)
    return unanswerable(id, `a call error has 5 elements, this has ${elements.length}`);
  if (typeof code !== 'string') return unanswerable(id, 'a call error needs a code');
  return {
    type: 4,
    id,
    code,
    description: typeof description === 'string' ? description : '',
    details: isJsonObject(details) ? details : {},
  };
}

/** Serialises a frame. A call error's description is truncated to the limit of 2.0.1 (ERR.11). */
export function formatFrame(frame: Frame): string {
  switch (frame.type) {
    case 2:
      return frameText(2, frame.id, frame.action, frame.payload);
    case 3:
      return frameText(3, frame.id, frame.payload);
    case 4:
      return frameText(4, frame.id, frame.code, truncate(frame.description), frame.details);
  }
}

function frameText(type: Frame['type'], id: MessageId, ...rest: unknown[]): string {
  if (!(id instanceof NumericId)) return JSON.stringify([type, id, ...rest]);
  return `[${[type, id, ...rest.map((element) => JSON.stringify(element))].join()}]`;
}

function truncate(description: string): string {
  if (description.length <= MAX_DESCRIPTION_LENGTH) return description;
  // Half a surrogate pair at the end would be invalid Unicode.
  return description.slice(0, MAX_DESCRIPTION_LENGTH).replace(/[\uD800-\uDBFF]$/, '');
}

function malformed(reason: string): MalformedFrame {
  return { type: 'malformed', reason };
}

function rejected(id: MessageId, reason: string): MalformedFrame {
  const code: ErrorCode = 'FormationViolation';
  return { type: 'malformed', reason, answer: { type: 4, id, code, description: reason, details: {} } };
}

/** No answer is possible, but the call that this frame was meant to answer need not wait any longer. */
function unanswerable(answeredId: MessageId, reason: string): MalformedFrame {
  return { type: 'malformed', reason, answeredId };
}

function isReadableId(id: unknown): id is string | number {
  return typeof id === 'string' || (typeof id === 'number' && Number.isFinite(id));
}

function idFault(id: MessageId): string | undefined {
  const text = String(id);
  if (text === '') return 'the message id is empty';
  // Logs and PostgreSQL do not accept all control characters.
  if (CONTROL.test(text)) return 'the message id has control characters';
  if (text.length > MAX_ID_LENGTH) return `the message id is longer than ${MAX_ID_LENGTH}`;
  return undefined;
}

/** `null` means an empty payload; so does a missing one in a Heartbeat (FRM.5). */
function asPayload(payload: unknown): Record<string, unknown> | undefined {
  if (payload === null || payload === undefined) return {};
  return isJsonObject(payload) ? payload : undefined;
}

/**
 * Removes every `__proto__` key, which careless copying could turn into a prototype, and replaces 1e999 with a number that JSON can
 * represent. Returns false if the value is nested too deeply to traverse or serialise.
 */
function sanitise(value: unknown, levels = MAX_LEVELS): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0) return false;
  if (Object.hasOwn(value, '__proto__')) Reflect.deleteProperty(value, '__proto__');
  for (const [key, inner] of Object.entries(value)) {
    if (inner === Infinity || inner === -Infinity)
      Reflect.set(value, key, inner < 0 ? -Number.MAX_VALUE : Number.MAX_VALUE);
    else if (!sanitise(inner, levels - 1)) return false;
  }
  return true;
}
