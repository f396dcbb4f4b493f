import pg from 'pg';
import type { Watched } from './processes.ts';
import { startBroker, startDatabase, startOurs } from './system.ts';
import type { Ours } from './system.ts';

const KEPT_URL = process.env.EVANDER_BENCH_DATABASE_URL;

export interface BenchSystem extends Ours {
  client: pg.Client;
  /** The database's server; undefined when it is not of this run. */
  server: Watched | undefined;
}

/**
 * Runs `work` on a broker, a gateway, a manager and a database: that of EVANDER_BENCH_DATABASE_URL, which is kept, or one that is removed. All
 * is stopped at the end.
 */
export async function withKeptDatabase(work: (system: BenchSystem) => Promise<void>): Promise<void> {
  const broker = await startBroker();
  const database = KEPT_URL === undefined ? await startDatabase() : { url: KEPT_URL, watched: undefined };
  const client = new pg.Client(database.url);
  const parts: Watched[] = [];
  try {
    const ours = await startOurs(database.url, broker.mqttUrl);
    parts.push(ours.gateway, ours.manager);
    await client.connect();
    await work({ ...ours, client, server: database.watched });
  } finally {
    for (const part of parts) await part.stop();
    await client.end();
    await database.watched?.stop();
    await broker.close();
  }
}
