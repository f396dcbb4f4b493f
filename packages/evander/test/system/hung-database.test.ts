// Long: a database hangs for seconds.
// Slow: a database hangs for seconds.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseProxy } from '../../../../test/database-proxy.ts';
import { startServices } from './fixture.ts';
import type { Services } from './fixture.ts';
import { startManagerProcess } from './manager-process.ts';
import type { ManagerProcess } from './manager-process.ts';
import { openSocket } from './raw-socket.ts';

const STATIONS = 340;

let services: Services;
let database: DatabaseProxy;
const managers: ManagerProcess[] = [];
const sockets: Socket[] = [];
beforeAll(async () => {
  services = await startServices();
  database = await DatabaseProxy.open(services.databaseUrl);
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  database.pass();
  for (const { process } of managers) if (process.child.exitCode === null) await process.kill();
  await database.close();
  await services.close();
});

/** Connects like a station: retries every second. Resolves with the time it took, in ms. */
async function connectWithRetries(url: string, stationId: string): Promise<number> {
  const startedMs = performance.now();
  for (;;) {
    const socket = await openSocket(Number(new URL(url).port), `/ws/${stationId}`, '127.0.0.1');
    if (socket) {
      sockets.push(socket);
      return performance.now() - startedMs;
    }
    await delay(1000);
  }
}

const stationIds = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);

test('a hung database delays no known station, and new stations only while it hangs', async () => {
  const through = { ...services, databaseUrl: database.url };
  managers.push(...(await Promise.all([startManagerProcess(through), startManagerProcess(through)])));
  const gateway = await services.startGateway(managers);
  const known = stationIds('KNOWN', 50);
  await Promise.all(known.map((stationId) => connectWithRetries(gateway.url, stationId)));
  database.hang();
  const newOnes = stationIds('NEW', STATIONS);
  const arrivals = newOnes.map((stationId) => connectWithRetries(gateway.url, stationId));
  const waits = await Promise.all(known.map((stationId) => connectWithRetries(gateway.url, stationId)));
  // While the database hangs, only known stations can connect. On an idle machine it takes a second; asking both managers in turn takes 6 s
  // per attempt.
  expect(Math.max(...waits)).toBeLessThan(15_000);
  // New stations are rejected meanwhile and retry.
  await delay(4000);
  const releasedMs = performance.now();
  database.pass();
  await Promise.all(arrivals);
  expect(performance.now() - releasedMs).toBeLessThan(20_000);
}, 120_000);
