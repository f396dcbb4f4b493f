import type { Log } from '@evander/process';
import type { Database } from '../database/database.ts';

/** The context of every handler of a station's message. */
export interface MessageContext {
  stationId: string;
  messageId: string;
  /** When the gateway read the frame; the same for every redelivery of its envelope. */
  receivedAt: Date;
  now(): Date;
  database: Database;
  /** Runs `work`, which must not reject, after the response was sent. The work is lost if the manager crashes before. */
  afterAnswer(work: () => Promise<void>): void;
  log: Log;
}
