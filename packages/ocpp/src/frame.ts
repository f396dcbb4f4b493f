import type { ErrorCode } from './error-code.ts';
import { isJsonObject } from './json-object.ts';

/** A string; a number only where a station sent one, which is answered with the same value (FRM.3). */
export type MessageId = string | number;

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

/** Text that is no frame. `answer`, where there is one, must be sent back. */
export interface MalformedFrame {
  type: 'malformed';
  reason: string;
  answer?: CallError;
}

/** Empty text, which some stations send to keep the connection alive (FRM.12). */
export interface BlankFrame {
  type: 'blank';
}

const MAX_ID_LENGTH = 36;
const MAX_DESCRIPTION_LENGTH = 255; // ERR.11
// OCPP needs fewer than ten; some thousands would overflow the stack of whoever writes the payload again.
const MAX_LEVELS = 64;

/** Reads the text of one WebSocket message. Never throws. */
export function parseFrame(text: string): Frame | MalformedFrame | BlankFrame {
  const json = text.trim();
  if (json === '') return { type: 'blank' };
  let elements: unknown;
  try {
    elements = JSON.parse(json);
  } catch {
    return malformed('not JSON');
  }
  if (!Array.isArray(elements)) return malformed('not a JSON array');
  return readElements(elements);
}

function readElements(elements: unknown[]): Frame | MalformedFrame {
  const [type, id] = elements;
  if (type !== 2 && type !== 3 && type !== 4) return malformed('unknown message type'); // FRM.6
  if (!isReadableId(id)) return malformed('no readable message id'); // ERR.5
  const reason = idFault(id) ?? (makeHarmless(elements) ? undefined : 'nested too deeply');
  if (reason !== undefined) return type === 2 ? refused(id, reason) : malformed(reason);
  if (type === 2) return readCall(id, elements);
  return type === 3 ? readResult(id, elements) : readError(id, elements);
}

function readCall(id: MessageId, elements: unknown[]): Call | MalformedFrame {
  const [, , action, payload] = elements;
  if (typeof action !== 'string' || action === '') return refused(id, 'a call needs the name of an action');
  if (elements.length > 4) return refused(id, `a call has 4 elements, this has ${elements.length}`);
  // A Heartbeat says all it has to say by its name (FRM.5).
  if (elements.length < 4 && action !== 'Heartbeat') return refused(id, 'a call needs a payload');
  const object = asPayload(payload);
  return object ? { type: 2, id, action, payload: object } : refused(id, 'the payload must be an object');
}

function readResult(id: MessageId, elements: unknown[]): CallResult | MalformedFrame {
  if (elements.length !== 3) return malformed(`a call result has 3 elements, this has ${elements.length}`);
  const payload = asPayload(elements[2]);
  return payload ? { type: 3, id, payload } : malformed('the payload of a call result must be an object');
}

/** Stations leave description and details away, though all five elements are required (FRM.7). */
function readError(id: MessageId, elements: unknown[]): CallError | MalformedFrame {
  const [, , code, description, details] = elements;
  if (elements.length > 5) return malformed(`a call error has 5 elements, this has ${elements.length}`);
  if (typeof code !== 'string') return malformed('a call error needs a code');
  return {
    type: 4,
    id,
    code,
    description: typeof description === 'string' ? description : '',
    details: isJsonObject(details) ? details : {},
  };
}

/** The text of a frame. A call error's description is cut where 2.0.1 has its limit (ERR.11). */
export function formatFrame(frame: Frame): string {
  switch (frame.type) {
    case 2:
      return JSON.stringify([2, frame.id, frame.action, frame.payload]);
    case 3:
      return JSON.stringify([3, frame.id, frame.payload]);
    case 4:
      return JSON.stringify([4, frame.id, frame.code, cut(frame.description), frame.details]);
  }
}

function cut(description: string): string {
  if (description.length <= MAX_DESCRIPTION_LENGTH) return description;
  // Half a surrogate pair at the end would not be Unicode any more.
  return description.slice(0, MAX_DESCRIPTION_LENGTH).replace(/[\uD800-\uDBFF]$/, '');
}

function malformed(reason: string): MalformedFrame {
  return { type: 'malformed', reason };
}

function refused(id: MessageId, reason: string): MalformedFrame {
  const code: ErrorCode = 'FormationViolation';
  return { type: 'malformed', reason, answer: { type: 4, id, code, description: reason, details: {} } };
}

function isReadableId(id: unknown): id is MessageId {
  return typeof id === 'string' || (typeof id === 'number' && Number.isFinite(id));
}

function idFault(id: MessageId): string | undefined {
  if (id === '') return 'the message id is empty';
  if (String(id).length > MAX_ID_LENGTH) return `the message id is longer than ${MAX_ID_LENGTH}`;
  return undefined;
}

/** `null` stands for an empty payload; so does the missing one of a Heartbeat (FRM.5). */
function asPayload(payload: unknown): Record<string, unknown> | undefined {
  if (payload === null || payload === undefined) return {};
  return isJsonObject(payload) ? payload : undefined;
}

/**
 * Removes every `__proto__` key, which a careless copy downstream would take for a prototype.
 * Answers false where the value is nested too deeply to be walked or written again.
 */
function makeHarmless(value: unknown, levels = MAX_LEVELS): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0) return false;
  if (Object.hasOwn(value, '__proto__')) Reflect.deleteProperty(value, '__proto__');
  return Object.values(value).every((inner) => makeHarmless(inner, levels - 1));
}
