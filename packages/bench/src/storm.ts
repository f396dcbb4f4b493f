import pg from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import { Caller } from './load.ts';
import { usageOf } from './processes.ts';
import type { Watched } from './processes.ts';
import { startBroker, startDatabase, startSystem, UNLIMITED } from './system.ts';
import type { MeasuredSystem } from './system.ts';

/** Stations that connect concurrently. */
const CONCURRENCY = 1000;
const REGISTER = `INSERT INTO stations (station_id) SELECT 'I' || i FROM generate_series(0, $STATIONS - 1) AS i;
  INSERT INTO connections (station_id, connection_id, gateway_id, connected_at, disconnected_at)
  SELECT station_id, '0', 'before', now(), now() FROM stations;
  DELETE FROM event_intake; ANALYZE stations, connections`;
const BOOT = { chargePointVendor: 'Evander', chargePointModel: 'Bench', firmwareVersion: '1.0' };

/** Lets stations connect, boot and report this many connectors; returns the seconds until the last call is answered. */
export async function reconnect(url: string, stations: number, connectors = 0): Promise<number> {
  const startedMs = performance.now();
  const callers: Caller[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < stations) {
      const caller = await Caller.open(`${url}/I${next++}`);
      callers.push(caller);
      await caller.call('BootNotification', BOOT);
      for (let connectorId = 1; connectorId <= connectors; connectorId++)
        await caller.call('StatusNotification', { connectorId, status: 'Available', errorCode: 'NoError' });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  const seconds = (performance.now() - startedMs) / 1000;
  for (const caller of callers) caller.close();
  return seconds;
}

/** Prints the cost of a reconnect storm per station: seconds, CPU of each process and statements. */
async function main(stations: number): Promise<void> {
  const broker = await startBroker();
  const database = await startDatabase({ countStatements: true });
  const system = await startSystem(database.url, broker.mqttUrl, {}, UNLIMITED);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query('CREATE EXTENSION pg_stat_statements');
  try {
    console.log(
      `Node.js ${process.version}, ${broker.brokerName}; ${stations} stations, load on the same machine`,
    );
    await client.query(REGISTER.replaceAll('$STATIONS', String(stations)));
    const load = { name: broker.broker ? 'load' : 'load and broker', pids: () => [process.pid] };
    const parts = [
      system.gateway,
      system.manager,
      database.watched,
      ...(broker.broker ? [broker.broker] : []),
      load,
    ];
    for (const connectors of [0, 2]) {
      await isQuiet(client);
      await measured(client, parts, { system, stations, connectors });
    }
  } finally {
    await client.end();
    for (const part of [system.gateway, system.manager, database.watched]) await part.stop();
    await broker.close();
  }
}

async function measured(
  client: pg.Client,
  parts: Pick<Watched, 'name' | 'pids'>[],
  { system, stations, connectors }: { system: MeasuredSystem; stations: number; connectors: number },
): Promise<void> {
  await client.query('SELECT pg_stat_statements_reset()');
  const cpu = (): number[] => parts.map((part) => usageOf(part.pids()).cpu);
  const before = cpu();
  const seconds = await reconnect(system.url, stations, connectors);
  const after = cpu();
  const { rows } = await client.query<{ calls: number; ms: number; query: string }>(
    `SELECT sum(calls)::float AS calls, sum(total_exec_time) AS ms, query FROM pg_stat_statements
     GROUP BY query ORDER BY 1 DESC`,
  );
  const each = (sum: number): string => (sum / stations).toFixed(2);
  const costs = parts.map(({ name }, i) => `${name} ${each(((after[i] ?? 0) - (before[i] ?? 0)) * 1000)} ms`);
  const calls = rows.reduce((sum, row) => sum + row.calls, 0);
  console.log(
    `\n${stations} stations reconnect, each with a BootNotification and ${connectors} StatusNotifications: ${seconds.toFixed(1)} s\n` +
      `  of CPU each: ${costs.join(', ')}; ${each(calls)} statements each`,
  );
  for (const row of rows.filter((one) => one.calls > stations / 1000))
    console.log(`  ${each(row.calls)}  ${each(row.ms)} ms  ${row.query.replace(/\s+/g, ' ').slice(0, 100)}`);
}

/** Resolves when no station is connected and nothing more is written about them. */
async function isQuiet(client: pg.Client): Promise<void> {
  const open = `SELECT count(*)::int AS count FROM connections WHERE disconnected_at IS NULL`;
  while ((await client.query<{ count: number }>(open)).rows[0]?.count !== 0) await delay(200);
  await delay(2000);
}

if (process.argv[1] === import.meta.filename) await main(Number(process.env.EVANDER_BENCH_MANY ?? 10_000));
