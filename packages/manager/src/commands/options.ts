import type { CommandAction } from '@evander/ocpp';
import type { Log, Sealer } from '@evander/process';
import type { Batch } from '../database/batch.ts';
import type { Database } from '../database/database.ts';
import type { FrameRecord } from '../frames/frames.store.ts';
import type { ManagerMetrics } from '../observability/metrics.ts';
import type { Command } from './command.ts';

/** The command files of all actions that Evander sends. */
export type Commands = { [A in CommandAction]: Command<A> };

/** Actions that may be sent again on a new connection. */
export function repeatableActions(commands: Commands): string[] {
  return Object.entries(commands)
    .filter(([, command]) => command.repeatable)
    .map(([action]) => action);
}

/** Options and dependencies of the call maker. */
export interface CallMakerOptions {
  commands: Commands;
  database: Database;
  frames: Batch<FrameRecord>;
  sealer: Sealer;
  passwordPepper: string;
  /** Vendors whose DataTransfers are recorded without their data. */
  hiddenDataTransfers?: readonly string[];
  /** How long to wait for a station's answer. */
  answerTimeoutMs: number;
  /** Publishes an envelope to a station; false if the broker is unavailable. */
  publish(stationId: string, payload: string): boolean;
  /** Whether stations' answers can reach this manager. */
  isBrokerConnected(): boolean;
  /**
   * Notifies the other managers that a command is completed, and the gateway of its station. `gaveUp`: there is no answer, so the gateway
   * keeps the one that it may have: it counts although it is late.
   */
  complete(stationId: string, commandId: string, gaveUp: boolean): void;
  /** Called when this manager has completed a command of a station. */
  onCompleted?(stationId: string): void;
  metrics: Pick<ManagerMetrics, 'countCommand'>;
  now(): Date;
  log: Log;
}
