import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { startServices } from './fixture.ts';
import type { Services } from './fixture.ts';
import { startManagerProcess } from './manager-process.ts';
import type { ManagerProcess } from './manager-process.ts';
import { openSocket } from './raw-socket.ts';

const STATIONS = 340;

let services: Services;
let database: HoldableDatabase;
const managers: ManagerProcess[] = [];
const sockets: Socket[] = [];
beforeAll(async () => {
  services = await startServices();
  database = await HoldableDatabase.before(services.databaseUrl);
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  database.release();
  for (const { process } of managers) if (process.child.exitCode === null) await process.kill();
  database.close();
  await services.close();
});

/** The way to a database that can hang: connections stay open and nothing comes back. */
class HoldableDatabase {
  readonly url: string;
  readonly #close: () => void;
  readonly #pairs = new Set<{ near: Socket; far: Socket }>();
  #isHeld = false;

  private constructor(url: string, close: () => void) {
    this.url = url;
    this.#close = close;
  }

  static async before(url: string): Promise<HoldableDatabase> {
    const target = new URL(url);
    const server = createServer((near) => proxy.#join(near, connect(Number(target.port), target.hostname)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const own = new URL(url);
    own.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const proxy = new HoldableDatabase(own.href, () => void server.close());
    return proxy;
  }

  hold(): void {
    this.#isHeld = true;
    for (const { near } of this.#pairs) near.pause();
  }

  release(): void {
    this.#isHeld = false;
    for (const { near } of this.#pairs) near.resume();
  }

  close(): void {
    this.#close();
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  #join(near: Socket, far: Socket): void {
    const pair = { near, far };
    this.#pairs.add(pair);
    near.on('data', (data) => far.write(data));
    far.on('data', (data) => near.write(data));
    for (const socket of [near, far]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
    if (this.#isHeld) near.pause();
  }
}

/** Connects as a station does: again and again, with a second between. Resolves with what it took, in ms. */
async function comeIn(url: string, stationId: string): Promise<number> {
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

test('a hung database holds up nobody who was here before, and no new station for longer than it hangs', async () => {
  const through = { ...services, databaseUrl: database.url };
  managers.push(...(await Promise.all([startManagerProcess(through), startManagerProcess(through)])));
  const gateway = await services.startGateway(
    managers.map(({ apiUrl }) => ({ apiUrl, close: async () => {} })),
  );
  const known = stationIds('KNOWN', 50);
  await Promise.all(known.map((stationId) => comeIn(gateway.url, stationId)));
  database.hold();
  const newOnes = stationIds('NEW', STATIONS);
  const arrivals = newOnes.map((stationId) => comeIn(gateway.url, stationId));
  const waits = await Promise.all(known.map((stationId) => comeIn(gateway.url, stationId)));
  // While the database hangs nobody else can come in. On a quiet machine it takes a second; asking both managers in turn takes each attempt 6 s.
  expect(Math.max(...waits)).toBeLessThan(15_000);
  // New stations are refused meanwhile, and try again.
  await delay(4000);
  const releasedMs = performance.now();
  database.release();
  await Promise.all(arrivals);
  expect(performance.now() - releasedMs).toBeLessThan(20_000);
}, 120_000);
