// Long: starts and kills whole processes.
// Slow: starts and kills whole processes.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Station } from '@evander/station';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { apiOf } from './fixture.ts';
import { differences } from '../../../../test/ledgers.ts';
import { freePorts, isServing, run } from './processes.ts';
import type { Process } from './processes.ts';

let dataDir: string;
let ports: number[];
let current: Process | undefined;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'evander-system-'));
  ports = await freePorts(3);
});
afterAll(async () => {
  await current?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function startAll(): Promise<Process> {
  const [ws = 0, status = 0, api = 0] = ports;
  const started = run(['start'], {
    EVANDER_DATA_DIR: dataDir,
    EVANDER_WS_PORT: ws,
    EVANDER_WSS_PORT: '0',
    EVANDER_GATEWAY_STATUS_PORT: status,
    EVANDER_API_PORT: api,
  });
  current = started;
  await isServing(`http://127.0.0.1:${api}/health/ready`, started);
  await isServing(`http://127.0.0.1:${status}/health/ready`, started);
  return started;
}

test('a session continues after everything was killed and restarted, and ends with every value once', async () => {
  const first = await startAll();
  const [ws = 0, , apiPort = 0] = ports;
  expect(first.output()).toContain(join(dataDir, 'admin-key'));
  const key = (await readFile(join(dataDir, 'admin-key'), 'utf8')).trim();
  const api = apiOf(`http://127.0.0.1:${apiPort}`, key);
  expect((await api('PUT', '/tags/TAG1', { status: 'Accepted' })).status).toBe(201);

  const station = new Station({
    stationId: 'SURVIVOR',
    url: `ws://127.0.0.1:${ws}/ws`,
    speed: 600,
    retryIntervalMs: 100,
    reconnect: { minMs: 50, maxMs: 300 },
  });
  await station.connect();
  await station.boot();
  let answers = 0;
  const inTheMiddle = new Promise<void>((resolve) =>
    station.on('answered', ({ action }) => {
      if (action === 'MeterValues' && ++answers === 5) resolve();
    }),
  );
  const session = station.chargeSession({ idTag: 'TAG1', meterValues: 40, intervalMs: 60_000 });
  await inTheMiddle;
  await first.kill();
  const second = await startAll();
  const record = await session;
  await station.close();

  expect((await api('GET', `/transactions/${record.transactionId}`)).body).toMatchObject({
    stationId: 'SURVIVOR',
    meterStartWh: record.meterStart,
    meterStopWh: record.meterStop,
    energyWh: record.energyWh,
  });
  const pool = new pg.Pool({ connectionString: await databaseUrl(), max: 1 });
  const rows = async (sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
    (await pool.query<Record<string, unknown>>(sql, values)).rows;
  expect(station.ledger.sessions[0]?.samples.length).toBeGreaterThan(40);
  expect(await differences([station], { rows })).toEqual([]);
  await pool.end();
  expect(await second.stop()).toBe(0);
}, 120_000);

async function databaseUrl(): Promise<string> {
  const cluster = join(dataDir, 'postgres', 'cluster');
  const password = (await readFile(join(cluster, 'password'), 'utf8')).trim();
  const pid = await readFile(join(cluster, 'data', 'postmaster.pid'), 'utf8');
  return `postgresql://evander:${password}@127.0.0.1:${pid.split('\n')[3]}/postgres`;
}
