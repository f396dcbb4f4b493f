import type { Action, Requests, Responses } from '@evander/ocpp';
import type { PlugAndCharge } from '../plug-and-charge/plug-and-charge.ts';
import type { Writer } from '../station-writer.ts';
import type { MessageContext } from '../stations/message-context.ts';

/** What a handler gets in addition to the request. */
export interface Context extends MessageContext {
  writer: Writer;
  heartbeatSeconds: number;
  pnc: PlugAndCharge;
}

/** The handler of one action. Each has its own file. */
export interface Message<A extends Action> {
  /** Handles a call of a station. Its changes must be committed when it resolves. Throws OcppError for a fault of the station. */
  handle(request: Requests[A], context: Context): Promise<Responses[A]>;
  /** Handled even if the station is not accepted: boots and billing data (OCPP-J errata §3.10; ocppj.md REG.3). */
  beforeAcceptance?: true;
}
