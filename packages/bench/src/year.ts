import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { fetched, percentile } from './fetched.ts';
import { startBroker, startDatabase, startSystem } from './system.ts';

/** A year of an operator with this many stations: three two-hour sessions a day, three measurands every five minutes. */
const STATIONS = 100;
const DAYS = 365;
const RUNS = 20;

const LOAD = [
  `SET session_replication_role = replica`,
  `INSERT INTO tags (id_tag_key, id_tag) SELECT 'tag' || i, 'TAG' || i FROM generate_series(1, 1000) AS i`,
  `INSERT INTO stations (station_id) SELECT 'YEAR' || lpad(i::text, 3, '0') FROM generate_series(1, $STATIONS) AS i`,
  `SELECT create_partitions('meter_values', '1 month', month, 0)
   FROM generate_series(now() - interval '$DAYS days', now(), interval '1 month') AS month`,
  `INSERT INTO transactions (station_id, connector_id, id_tag, id_tag_key, id_tag_status, meter_start_wh, started_at, start_message_id,
     start_received_at, start_id_tag_info, meter_stop_wh, stopped_at, stop_reason, stop_message_id, stop_received_at)
   SELECT s.station_id, 1, 'TAG' || tag, 'tag' || tag, 'Accepted', n * 15000, at, n::text, at, '{"status":"Accepted"}', n * 15000 + 14400,
     at + interval '2 hours', 'Local', n::text, at + interval '2 hours'
   FROM stations s, generate_series(0, $DAYS * 3 - 1) AS n,
     LATERAL (SELECT now() - interval '$DAYS days' + n * interval '8 hours' AS at, 1 + (n * 7 % 1000) AS tag) AS x
   ORDER BY at, s.station_id`,
  `INSERT INTO meter_values (station_id, connector_id, transaction_id, measured_at, context, measurand, location, format, unit, value,
     received_at, digest)
   SELECT station_id, 1, transaction_id, at, 'Sample.Periodic', measurand, 'Outlet', 'Raw', unit,
     (meter_start_wh + i * 600)::text, at, md5(station_id || at || measurand)::uuid
   FROM transactions, generate_series(0, 23) AS i,
     (VALUES ('Energy.Active.Import.Register', 'Wh'), ('Power.Active.Import', 'W'), ('Voltage', 'V')) AS m (measurand, unit),
     LATERAL (SELECT started_at + i * interval '5 minutes' AS at) AS x`,
  `VACUUM ANALYZE`,
  `SET session_replication_role = origin`,
];

async function load(client: pg.Client): Promise<void> {
  for (const sql of LOAD)
    await client.query(sql.replaceAll('$STATIONS', String(STATIONS)).replaceAll('$DAYS', String(DAYS)));
}

async function time(what: string, url: string, runs = RUNS): Promise<void> {
  const times: number[] = [];
  let bytes = 0;
  for (let i = 0; i < runs; i++) {
    const one = await fetched(url);
    times.push(one.ms);
    bytes = one.text.length;
  }
  console.log(
    `| ${what} | ${percentile(times, 0.5).toFixed(0)} | ${percentile(times, 0.99).toFixed(0)} | ${(bytes / 1000).toFixed(0)} kB |`,
  );
}

async function partitions(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_inherits WHERE inhparent = 'meter_values'::regclass`,
  );
  return rows[0]?.n ?? 0;
}

async function measureLists(api: string, client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ id: number }>(
    `SELECT transaction_id AS id FROM transactions WHERE station_id = 'YEAR050' ORDER BY started_at OFFSET 500 LIMIT 1`,
  );
  const id = rows[0]?.id ?? 0;
  const ago = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
  console.log('| request | p50 ms | p99 ms | answer |\n| --- | --- | --- | --- |');
  await time('stations', `${api}/stations?limit=100`);
  await time('transactions, the newest', `${api}/transactions?limit=100`);
  await time('transactions of a station', `${api}/transactions?stationId=YEAR050&limit=100`);
  await time(
    'transactions of a day half a year ago',
    `${api}/transactions?from=${ago(181)}&to=${ago(180)}&limit=500`,
  );
  await time('meter values of a transaction', `${api}/transactions/${id}/meter-values?limit=100`);
  const ofStation = `${api}/stations/YEAR050/meter-values?from=${ago(181)}&to=${ago(180)}&limit=500`;
  await time('meter values of a station, a day half a year ago', ofStation);
  await time('CSV of a transaction’s meter values', `${api}/transactions/${id}/meter-values.csv`);
  await time('CSV of a month’s transactions', `${api}/transactions.csv?from=${ago(210)}&to=${ago(180)}`, 5);
  await time('CSV of the year’s transactions', `${api}/transactions.csv`, 3);
}

async function measureRetention(
  api: string,
  client: pg.Client,
  start: () => Promise<() => Promise<unknown>>,
): Promise<void> {
  // As if it had last run an hour ago.
  await client.query(`DELETE FROM chores WHERE name = 'retention'`);
  const before = await partitions(client);
  const startedAt = performance.now();
  const stop = await start();
  const times: number[] = [];
  const isDone = async (): Promise<boolean> => (await partitions(client)) < before;
  do times.push((await fetched(`${api}/stations/YEAR050/meter-values?limit=100`)).ms);
  while (times.length < 50 || (!(await isDone()) && performance.now() - startedAt < 60_000));
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  await pause(500);
  console.log(
    `retention of 180 days: ${before - (await partitions(client))} of ${before} months dropped ${seconds} s after its manager was started; ` +
      `lists meanwhile ${percentile(times, 0.5).toFixed(0)} ms, at most ${percentile(times, 1).toFixed(0)} ms`,
  );
  await stop();
}

const broker = await startBroker();
const database = await startDatabase();
const client = new pg.Client(database.url);
try {
  const first = await startSystem(database.url, broker.mqttUrl);
  await client.connect();
  const startedAt = performance.now();
  await load(client);
  const { rows } = await client.query<{ samples: number; transactions: number; bytes: string }>(
    `SELECT (SELECT count(*)::int FROM meter_values) AS samples, (SELECT count(*)::int FROM transactions) AS transactions,
       (SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'meter_values'::regclass) AS bytes`,
  );
  const [size] = rows;
  console.log(
    `${size?.transactions} transactions, ${size?.samples} meter values, ${(Number(size?.bytes) / 1e9).toFixed(2)} GB of them, ` +
      `loaded in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`,
  );
  await measureLists(first.apiUrl, client);
  await measureRetention(first.apiUrl, client, async () => {
    const second = await startSystem(database.url, broker.mqttUrl, {
      EVANDER_RETENTION_DAYS_METER_VALUES: '180',
    });
    return () => Promise.all([second.gateway.stop(), second.manager.stop()]);
  });
  await Promise.all([first.gateway.stop(), first.manager.stop()]);
} finally {
  await client.end();
  await database.watched.stop();
  await broker.close();
}
