import type { Log } from '@evander/process';
import type { Database } from '../database/database.ts';
import { Recurring } from '../recurring.ts';
import * as connections from '../stations/connections.store.ts';
import * as events from './events.store.ts';

/** How long an event waits for its id at most. A statement that finds no events costs the database 0.1 ms. */
const POLL_INTERVAL_MS = 100;
const BATCH_SIZE = 2000;
const GATEWAYS_INTERVAL_MS = 5000;

/** Assigns ids to events and marks the stations of dead gateways as disconnected. One manager at a time does so. */
export class Sequencer {
  readonly #parts: Recurring[];

  constructor(database: Database, log: Log) {
    const sequence = async (): Promise<void> => {
      while ((await events.sequence(database, BATCH_SIZE)) === BATCH_SIZE);
    };
    const watch = async (): Promise<void> => {
      for (const gatewayId of await connections.markDeadGateways(database))
        log.warn({ gatewayId }, 'a gateway has sent no sign of life: its stations count as disconnected');
      await connections.endSilentConnections(database);
    };
    this.#parts = [
      new Recurring({ what: 'ordering events', everyMs: POLL_INTERVAL_MS, work: sequence, log }),
      new Recurring({ what: 'watching gateways', everyMs: GATEWAYS_INTERVAL_MS, work: watch, log }),
    ];
  }

  start(): void {
    for (const part of this.#parts) part.start();
  }

  async close(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.close()));
  }
}
