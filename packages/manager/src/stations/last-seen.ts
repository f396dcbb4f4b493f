import type { Log } from '@evander/process';
import type { Database } from '../database/database.ts';
import * as stations from './stations.store.ts';

const WRITE_INTERVAL_MS = 1000;

/** Collects when stations were last seen and writes it once a second, so that no message waits for the write. */
export class LastSeen {
  readonly #database: Database;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  #seen = new Map<string, Date>();
  #writing: Promise<void> = Promise.resolve();

  constructor(database: Database, log: Log) {
    this.#database = database;
    this.#log = log;
    this.#timer = setInterval(() => this.#write(), WRITE_INTERVAL_MS);
  }

  mark(stationId: string, at: Date): void {
    this.#seen.set(stationId, at);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#write();
    await this.#writing;
  }

  #write(): void {
    if (this.#seen.size === 0) return;
    const seen = this.#seen;
    this.#seen = new Map();
    this.#writing = this.#writing
      .then(() => stations.markSeen(this.#database, seen))
      .catch((error: unknown) => this.#log.warn({ err: error }, 'last-seen times could not be written'));
  }
}
