import type { Requests, Responses } from '@evander/ocpp';
import { recordViolation, type ViolationsContext } from '../connection/violations.ts';
import type { Caller } from '../context/station-context.ts';
import { VENDOR_IDS, type Dialect } from '../options/dialect.ts';
import type { PncMessage } from './message.ts';
import { commands } from './messages/index.ts';
import type { PncStation } from './pnc-station.ts';

/** The inner answer, or the status of the outer one if it is not Accepted (PNC §2.2). */
export type Tunnelled<A> = A | Exclude<Responses['DataTransfer']['status'], 'Accepted'>;

/** Sends a message inside DataTransfer. Rejects like `station.call`, or when the answer is not a JSON object. */
export async function callThrough<R, A>(
  station: Caller & ViolationsContext,
  dialect: Dialect,
  message: PncMessage<R, A>,
  request: R,
): Promise<Tunnelled<A>> {
  const { messageId } = message;
  const { write, answer } = message[dialect];
  const text = JSON.stringify(write(request));
  const vendorId = VENDOR_IDS[dialect];
  const { status, data = '' } = await station.call('DataTransfer', { vendorId, messageId, data: text });
  if (status !== 'Accepted') return status;
  const value = parse(data);
  const fault = answer.fault(value, 'data');
  if (fault !== undefined)
    recordViolation(station, { kind: 'response', action: `DataTransfer/${messageId}`, fault, text: data });
  if (typeof value !== 'object' || value === null)
    throw new Error(`the manager's answer to ${messageId} in DataTransfer is no JSON object`);
  return value as A;
}

/** Answers a message inside DataTransfer; an unreadable one is Rejected (ocpp16-messages PnC.2). */
export function answerThrough(
  station: PncStation,
  dialect: Dialect,
  { messageId = '', data = '' }: Requests['DataTransfer'],
): Responses['DataTransfer'] {
  const command = commands[dialect].get(messageId.toLowerCase());
  if (!command) return { status: 'UnknownMessageId' };
  const result = command(station, parse(data));
  if (result.fault === undefined) return { status: 'Accepted', data: JSON.stringify(result.answer) };
  const { fault } = result;
  recordViolation(station, { kind: 'request', action: `DataTransfer/${messageId}`, fault, text: data });
  return { status: 'Rejected' };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
