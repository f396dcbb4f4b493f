import pg from 'pg';
import type { Watched } from './processes.ts';
import { startBroker, startDatabase, startSystem } from './system.ts';
import type { MeasuredSystem } from './system.ts';

const KEPT_URL = process.env.EVANDER_BENCH_DATABASE_URL;

export interface BenchSystem extends MeasuredSystem {
  client: pg.Client;
  /** The database's server process; undefined for an external one. */
  server: Watched | undefined;
}

/**
 * Runs `work` with a broker, a gateway, a manager and a database: the one of EVANDER_BENCH_DATABASE_URL, which is kept, or a temporary one.
 * Stops everything at the end.
 */
export async function withKeptDatabase(work: (system: BenchSystem) => Promise<void>): Promise<void> {
  const broker = await startBroker();
  const database = KEPT_URL === undefined ? await startDatabase() : { url: KEPT_URL, watched: undefined };
  const client = new pg.Client(database.url);
  const parts: Watched[] = [];
  try {
    const system = await startSystem(database.url, broker.mqttUrl);
    parts.push(system.gateway, system.manager);
    await client.connect();
    await work({ ...system, client, server: database.watched });
  } finally {
    for (const part of parts) await part.stop();
    await client.end();
    await database.watched?.stop();
    await broker.close();
  }
}
