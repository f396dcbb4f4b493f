import type { Dialect, TunnelAction, TunnelRequests, TunnelResponses } from '@evander/ocpp';
import type { CheckContext, CommandContext, Failure } from '../../commands/command.ts';
import type { MessageContext } from '../../stations/message-context.ts';
import type { PlugAndCharge } from '../plug-and-charge.ts';

/** The tunnelled messages as they are handled: in the words of OCA's application note, whatever dialect they come and go in. */
export type PncAction = TunnelAction<'oca'>;
export type PncRequests = TunnelRequests['oca'];
export type PncResponses = TunnelResponses['oca'];

/** What stations send through the tunnel. */
export type PncStationAction =
  'Authorize' | 'Get15118EVCertificate' | 'GetCertificateStatus' | 'SignCertificate';
/** What we send through it. */
export type PncCommandAction = Exclude<PncAction, PncStationAction>;

/** What a handler has besides the request. */
export interface PncContext extends MessageContext {
  pnc: PlugAndCharge;
  dialect: Dialect;
}

/** What Evander does about one tunnelled action of stations: a file each. */
export interface PncMessage<A extends PncStationAction> {
  /** Answers a station. What it changes is committed when it resolves. */
  handle(request: PncRequests[A], context: PncContext): Promise<PncResponses[A]>;
}

/** A check knows the dialect that the command will go out in. */
export interface PncCheckContext extends CheckContext {
  dialect: Dialect;
}

/** What Evander does around one tunnelled action that it sends: a file each, called from within the hooks of DataTransfer. */
export interface PncCommand<A extends PncCommandAction> {
  /** What no schema tells: throws RuleViolation. */
  check?(request: PncRequests[A], context: PncCheckContext): Promise<void> | void;
  /** Runs as the command is recorded. */
  onRequest?(request: PncRequests[A], context: CommandContext): Promise<void>;
  /** What an answer means. Its enumerations may hold a word that the application note does not know. */
  onAnswer?(
    response: PncResponses[A],
    sent: { request: PncRequests[A]; sentAt: Date },
    context: CommandContext,
  ): Promise<void>;
  /** Runs when the station has not taken the message, or its answer cannot be read. */
  onFailure?(failure: Failure, request: PncRequests[A], context: CommandContext): Promise<void>;
}
