import type { Log } from '@evander/process';
import type { Database } from '../database/database.ts';

/** What every handler of a station's message has besides the request. */
export interface MessageContext {
  stationId: string;
  messageId: string;
  /** When the gateway read the frame. The same for every repeat of its envelope. */
  receivedAt: Date;
  now(): Date;
  database: Database;
  /** Has work done once the answer is on its way; it must not reject. A manager that dies meanwhile does not do it. */
  afterAnswer(work: () => Promise<void>): void;
  log: Log;
}
