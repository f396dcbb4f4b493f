import type { Action, Requests, Responses } from '@evander/ocpp';
import type { Log } from '@evander/process';
import type { PlugAndCharge } from '../plug-and-charge/plug-and-charge.ts';
import type { Writer } from '../station-writer.ts';
import type { Database } from '../database/database.ts';

/** What a handler has besides the request. */
export interface Context {
  stationId: string;
  messageId: string;
  /** When the gateway read the frame. The same for every repeat of its envelope. */
  receivedAt: Date;
  now(): Date;
  database: Database;
  writer: Writer;
  heartbeatSeconds: number;
  pnc: PlugAndCharge;
  /** Has work done once the answer is on its way; it must not reject. A manager that dies meanwhile does not do it. */
  afterAnswer(work: () => Promise<void>): void;
  log: Log;
}

/** What Evander does about one action: a file each. */
export interface Message<A extends Action> {
  /** Answers a station. What it changes is committed when it resolves; it throws OcppError for a fault of the station. */
  handle(request: Requests[A], context: Context): Promise<Responses[A]>;
  /** Served although the station is not accepted: its boot, and what is billed (OCPP-J errata §3.10; ocppj.md REG.3). */
  beforeAcceptance?: true;
}
