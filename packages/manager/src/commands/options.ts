import type { CommandAction } from '@evander/ocpp';
import type { Log, Sealer } from '@evander/process';
import type { Batch } from '../database/batch.ts';
import type { Database } from '../database/database.ts';
import type { FrameRecord } from '../frames/frames.store.ts';
import type { ManagerMetrics } from '../observability/metrics.ts';
import type { Command } from './command.ts';

/** The actions that we send and their files. */
export type Commands = { [A in CommandAction]: Command<A> };

/** Actions that may be sent once more on a new connection. */
export function repeatableActions(commands: Commands): string[] {
  return Object.entries(commands)
    .filter(([, command]) => command.repeatable)
    .map(([action]) => action);
}

/** What the call maker works with. */
export interface CallMakerOptions {
  commands: Commands;
  database: Database;
  frames: Batch<FrameRecord>;
  sealer: Sealer;
  passwordPepper: string;
  /** Vendors whose DataTransfers are recorded without their data. */
  hiddenDataTransfers?: readonly string[];
  /** How long a station has for its answer. */
  answerTimeoutMs: number;
  /** Publishes an envelope to a station; false when the broker is away. */
  publish(stationId: string, payload: string): boolean;
  /** Can stations' answers reach us? */
  isBrokerConnected(): boolean;
  /** Tells gateways and the other managers that a command is completed. */
  complete(stationId: string, commandId: string): void;
  /** Called when a command of a station has been completed here. */
  onCompleted?(stationId: string): void;
  metrics: Pick<ManagerMetrics, 'countCommand'>;
  now(): Date;
  log: Log;
}
