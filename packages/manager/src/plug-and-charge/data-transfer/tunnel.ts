import type { Dialect, TunnelAction, TunnelRequests, TunnelResponses } from '@evander/ocpp';
import type { CheckContext, CommandContext, Failure } from '../../commands/command.ts';
import type { MessageContext } from '../../stations/message-context.ts';
import type { PlugAndCharge } from '../plug-and-charge.ts';

/** The tunnelled messages in the terms of OCA's application note, whatever dialect is on the wire. */
export type PncAction = TunnelAction<'oca'>;
export type PncRequests = TunnelRequests['oca'];
export type PncResponses = TunnelResponses['oca'];

/** Tunnelled actions that stations send. */
export type PncStationAction =
  'Authorize' | 'Get15118EVCertificate' | 'GetCertificateStatus' | 'SignCertificate';
/** Tunnelled actions that Evander sends. */
export type PncCommandAction = Exclude<PncAction, PncStationAction>;

/** The context of a handler. */
export interface PncContext extends MessageContext {
  pnc: PlugAndCharge;
  dialect: Dialect;
}

/** The handler of one tunnelled action that stations send; one file each. */
export interface PncMessage<A extends PncStationAction> {
  /** Returns the response. All changes are committed when it resolves. */
  handle(request: PncRequests[A], context: PncContext): Promise<PncResponses[A]>;
}

/** The context of a check, with the dialect in which the command will be sent. */
export interface PncCheckContext extends CheckContext {
  dialect: Dialect;
}

/** The hooks of one tunnelled action that Evander sends; one file each, called from the hooks of DataTransfer. */
export interface PncCommand<A extends PncCommandAction> {
  /** Checks rules that no schema expresses: throws RuleViolation. */
  check?(request: PncRequests[A], context: PncCheckContext): Promise<void> | void;
  /** Runs when the command is recorded. */
  onRequest?(request: PncRequests[A], context: CommandContext): Promise<void>;
  /** Handles the response. Its enumerations may hold values that the application note does not define. */
  onAnswer?(
    response: PncResponses[A],
    sent: { request: PncRequests[A]; sentAt: Date },
    context: CommandContext,
  ): Promise<void>;
  /** Runs when the station did not accept the message, or its response cannot be read. */
  onFailure?(failure: Failure, request: PncRequests[A], context: CommandContext): Promise<void>;
}
