// Long: starts, stops and kills whole processes.
// Slow: starts, stops and kills whole processes.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Station } from '@evander/station';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiOf, eventually } from './fixture.ts';
import { freePorts, isServing, run } from './processes.ts';
import type { Process } from './processes.ts';

const STATIONS = 40;

let dataDir: string;
let ports: number[];
let current: Process | undefined;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'evander-system-'));
  ports = await freePorts(6);
});
afterAll(async () => {
  await current?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

function startOn([ws = 0, status = 0, api = 0]: number[]): Process {
  return run(['start'], {
    EVANDER_DATA_DIR: dataDir,
    EVANDER_WS_PORT: ws,
    EVANDER_WSS_PORT: '0',
    EVANDER_GATEWAY_STATUS_PORT: status,
    EVANDER_API_PORT: api,
  });
}

async function startAll(): Promise<Process> {
  current = startOn(ports);
  await isServing(`http://127.0.0.1:${ports[2]}/health/ready`, current);
  await isServing(`http://127.0.0.1:${ports[1]}/health/ready`, current);
  return current;
}

async function adminKey(): Promise<string> {
  return (await readFile(join(dataDir, 'admin-key'), 'utf8')).trim();
}

async function apiHere(): Promise<ReturnType<typeof apiOf>> {
  return apiOf(`http://127.0.0.1:${ports[2]}`, await adminKey());
}

async function connected(stationId: string): Promise<Station> {
  const reconnect = { minMs: 100, maxMs: 300 };
  const station = new Station({ stationId, url: `ws://127.0.0.1:${ports[0]}/ws`, reconnect });
  await station.connect({ keepTrying: true });
  await station.boot();
  return station;
}

test('a graceful shutdown records the end of every connection and logs no fault', async () => {
  const first = await startAll();
  const ids = Array.from({ length: STATIONS }, (_, index) => `STOP${index}`);
  const stations = await Promise.all(ids.map(connected));
  const api = await apiHere();
  await eventually(async () =>
    expect((await api('GET', '/stations?connected=true&prefix=STOP&limit=500')).body?.items).toHaveLength(
      STATIONS,
    ),
  );
  const exited = first.stop();
  await Promise.all(stations.map((station) => station.close()));
  expect(await exited).toBe(0);
  expect(first.output()).not.toMatch(/"level":(?:40|50|60)/);

  await startAll();
  const events = await fetch(
    `http://127.0.0.1:${ports[2]}/api/v1/events?kind=station.disconnected&limit=500`,
    {
      headers: { authorization: `Bearer ${await adminKey()}`, accept: 'application/json' },
    },
  );
  const { items } = (await events.json()) as { items: { stationId: string }[] };
  const ended = items.map(({ stationId }) => stationId);
  expect(new Set(ended)).toEqual(new Set(ids));
}, 120_000);

test('a second start on the same data directory exits immediately and says why; the first continues', async () => {
  const second = startOn(ports.slice(3));
  if (second.child.exitCode === null) await new Promise((resolve) => second.child.once('exit', resolve));
  expect(second.child.exitCode).toBe(1);
  expect(second.output()).toMatch(
    new RegExp(`${dataDir} is in use by another process .*${current?.child.pid}.*EVANDER_DATA_DIR`),
  );
  expect(second.output()).not.toContain('"stack"');
  expect((await (await apiHere())('GET', '/stations?limit=1')).status).toBe(200);
}, 90_000);

test('after its own PostgreSQL was killed, commands are answered again', async () => {
  const station = await connected('REVIVED');
  const pidFile = join(dataDir, 'postgres', 'cluster', 'data', 'postmaster.pid');
  const pid = Number((await readFile(pidFile, 'utf8')).split('\n')[0]);
  process.kill(pid, 'SIGKILL');
  const api = await apiHere();
  for (;;) {
    const { status, body } = await api('POST', '/stations/REVIVED/commands/GetConfiguration', {});
    if (status === 200 && body?.status === 'answered') break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(current?.output()).toContain('embedded PostgreSQL is running again');
  await station.close();
}, 90_000);
