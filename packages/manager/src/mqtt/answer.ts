import { checkPayload, isAction, mayBeSentBy, OcppError, readPayload } from '@evander/ocpp';
import type { Action, StationAction } from '@evander/ocpp';
import * as triggers from '../commands/triggers.store.ts';
import { faultOf } from '../database/storage-error.ts';
import type { Context, Message } from '../messages/message.ts';
import type { Messages } from '../messages/v16/index.ts';

/** Triggered messages are accepted for this long. */
const TRIGGERED_MS = 120_000;

export interface StationCall {
  action: string;
  request: Record<string, unknown>;
}

export interface AnswerOptions {
  messages: Messages;
  isAccepted(stationId: string): Promise<boolean>;
}

/** The call could not be stored, so it must not be answered: the gateway redelivers it. */
export class NotStoredError extends Error {
  override name = 'NotStoredError';
}

/**
 * Handles a station's call; returns the payload of its CALLRESULT. Throws OcppError for a CALLERROR, and NotStoredError while the
 * database is unavailable.
 */
export async function answer(call: StationCall, context: Context, options: AnswerOptions): Promise<object> {
  const { action } = call;
  if (!isAction(action))
    throw new OcppError('NotImplemented', `the action ${action.slice(0, 50)} is not known in OCPP 1.6`);
  if (!mayBeSentBy('station', action)) {
    throw new OcppError('NotSupported', `only the central system sends ${action}`);
  }
  // An entry of the registry, its request and its response belong to one action; the compiler cannot infer that from a lookup.
  const message = options.messages[action] as Message<Action>;
  try {
    if (!message.beforeAcceptance) await requireAcceptance(action, context, options);
    const { payload, defects } = readPayload(action, 'request', call.request);
    if (defects.length > 0) context.log.warn({ action, defects }, 'defects ignored');
    const response = await message.handle(payload, context);
    checkResponse(action, response, context);
    return response;
  } catch (error) {
    throw ocppErrorOf(error, context);
  }
}

// A pending station may send messages that were triggered (1.6 §4.2).
async function requireAcceptance(
  action: StationAction,
  { database, stationId, now }: Context,
  { isAccepted }: AnswerOptions,
): Promise<void> {
  if (await isAccepted(stationId)) return;
  const since = new Date(now().getTime() - TRIGGERED_MS);
  if (await triggers.hasAsked(database, { stationId, action, since })) return;
  throw new OcppError('SecurityError', 'the station is not accepted; it must send a BootNotification first');
}

function checkResponse(action: Action, response: unknown, context: Context): void {
  try {
    checkPayload(action, 'response', response);
  } catch (error) {
    // A fault of Evander, and the effect of the call is stored: the error must not blame the station's message.
    context.log.error({ action, response, err: error }, 'a response of Evander does not match its schema');
    throw new OcppError('InternalError', 'the response could not be created', {}, { cause: error });
  }
}

function ocppErrorOf(error: unknown, context: Context): Error {
  if (error instanceof OcppError) return error;
  const fault = faultOf(error);
  if (fault === 'transient') return new NotStoredError('the database is unavailable', { cause: error });
  if (fault === 'theirs')
    return new OcppError('PropertyConstraintViolation', 'a value is out of range', {}, { cause: error });
  context.log.error({ err: error }, 'handling failed');
  return new OcppError('InternalError', 'the message could not be handled', {}, { cause: error });
}
