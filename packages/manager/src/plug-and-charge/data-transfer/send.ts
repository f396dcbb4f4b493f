import { dialectOf, OcppError } from '@evander/ocpp';
import type { DataTransferRequest, DataTransferResponse } from '@evander/ocpp';
import { RuleViolation } from '../../commands/command.ts';
import type { CheckContext, Command, CommandContext, Failure } from '../../commands/command.ts';
import { checkRequest, envelopeOf, openRequest, openResponse } from './codec.ts';
import type { Envelope } from './codec.ts';
import { PNC_COMMANDS } from './index.ts';
import type { PncCheckContext, PncCommandAction } from './tunnel.ts';

/** A tunnelled command whose action is known only at run time. */
interface AnyPncCommand {
  check?(request: object, context: PncCheckContext): Promise<void> | void;
  onRequest?(request: object, context: CommandContext): Promise<void>;
  onAnswer?(
    response: object,
    sent: { request: object; sentAt: Date },
    context: CommandContext,
  ): Promise<void>;
  onFailure?(failure: Failure, request: object, context: CommandContext): Promise<void>;
}

interface Inner {
  envelope: Envelope;
  file: AnyPncCommand;
  request: object;
}

/** The DataTransfer command: its hooks handle the tunnelled Plug & Charge message; other vendors' messages only pass through. */
export const sendDataTransfer: Command<'DataTransfer'> = {
  async check(request, context) {
    const inner = innerOf(request) ?? rejectUnknownAction(request, context);
    if (!inner) return;
    checkRequest(inner.envelope, request.data);
    await inner.file.check?.(inner.request, { ...context, dialect: inner.envelope.dialect });
  },
  async onRequest(request, context) {
    const inner = readableInner(request);
    await inner?.file.onRequest?.(inner.request, context);
  },
  async onAnswer(response, { request, sentAt }, context) {
    const inner = readableInner(request);
    if (!inner) return;
    const answer = readAnswer(inner, response);
    if ('reason' in answer) return inner.file.onFailure?.(answer, inner.request, context);
    await inner.file.onAnswer?.(answer.response, { request: inner.request, sentAt }, context);
  },
  async onFailure(failure, request, context) {
    const inner = readableInner(request);
    await inner?.file.onFailure?.(failure, inner.request, context);
  },
};

/** The station's response to the tunnelled request, or why it cannot be read. */
function readAnswer(
  { envelope, request }: Inner,
  { status, data }: DataTransferResponse,
): { response: object } | Failure {
  if (status !== 'Accepted')
    return { status: 'failed', reason: `the station answered DataTransfer with ${status}` };
  try {
    return { response: openResponse(envelope, data, { request }).payload };
  } catch (error) {
    if (!(error instanceof OcppError)) throw error;
    return { status: 'failed', reason: `the answer cannot be read: ${error.message}` };
  }
}

/** The tunnelled command in a DataTransfer; undefined if it is none. Throws OcppError when it cannot be read. */
function innerOf(request: DataTransferRequest): Inner | undefined {
  const envelope = envelopeOf(request);
  if (!envelope || !isCommandAction(envelope.action)) return undefined;
  const { payload } = openRequest(envelope, request.data);
  return { envelope, file: PNC_COMMANDS[envelope.action], request: payload };
}

/** As innerOf, but undefined when it cannot be read: a command sent with skipRules may contain anything. */
function readableInner(request: DataTransferRequest): Inner | undefined {
  try {
    return innerOf(request);
  } catch (error) {
    if (error instanceof OcppError) return undefined;
    throw error;
  }
}

function rejectUnknownAction(
  { vendorId, messageId = '' }: DataTransferRequest,
  { stationId }: CheckContext,
): undefined {
  if (dialectOf(vendorId) === undefined) return undefined;
  throw new RuleViolation(
    'PnC.1',
    `${messageId === '' ? 'an empty messageId' : messageId} cannot be sent to station ${stationId} under ${vendorId}; send one of ${Object.keys(PNC_COMMANDS).join(', ')}`,
  );
}

function isCommandAction(action: string): action is PncCommandAction {
  return Object.hasOwn(PNC_COMMANDS, action);
}
