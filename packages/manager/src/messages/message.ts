import type { Action, Requests, Responses } from '@evander/ocpp';
import type { PlugAndCharge } from '../plug-and-charge/plug-and-charge.ts';
import type { Writer } from '../station-writer.ts';
import type { MessageContext } from '../stations/message-context.ts';

/** What a handler has besides the request. */
export interface Context extends MessageContext {
  writer: Writer;
  heartbeatSeconds: number;
  pnc: PlugAndCharge;
}

/** What Evander does about one action: a file each. */
export interface Message<A extends Action> {
  /** Answers a station. What it changes is committed when it resolves; it throws OcppError for a fault of the station. */
  handle(request: Requests[A], context: Context): Promise<Responses[A]>;
  /** Served although the station is not accepted: its boot, and what is billed (OCPP-J errata §3.10; ocppj.md REG.3). */
  beforeAcceptance?: true;
}
