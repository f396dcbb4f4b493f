import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Gateway } from '@evander/gateway';
import { Fleet } from '@evander/station';
import { eventually, startServices } from './fixture.ts';
import type { Services } from './fixture.ts';
import { startManagerProcess } from './manager-process.ts';
import type { ManagerProcess } from './manager-process.ts';
import { freePorts } from './processes.ts';

const STATIONS = 150;
/** Stations that wait before a manager is running. */
const WAITING = 60;

let services: Services;
let gateway: Gateway;
let port: number;
let manager: ManagerProcess | undefined;
const fleets: Fleet[] = [];
beforeAll(async () => {
  services = await startServices();
  [port = 0] = await freePorts(1);
  // A manager run from source takes longer to start than a built one.
  gateway = await services.startGateway([{ apiUrl: `http://127.0.0.1:${port}` }], { handshakeMs: 25_000 });
});
afterAll(async () => {
  await Promise.all(fleets.map((fleet) => fleet.stop()));
  await manager?.process.kill();
  await services.close();
});

test.each(['STARTS', 'RESTARTS'])(
  'new stations wait for a manager that %s, and none is rejected',
  async (prefix) => {
    await manager?.process.kill();
    const fleet = new Fleet({
      ...{ stations: STATIONS, url: gateway.url, prefix, sessions: 0, rampPerSecond: 66, seed: 4711 },
      // A rejected station must not be hidden by its next attempt.
      reconnect: { minMs: 60_000, maxMs: 60_000 },
    });
    fleets.push(fleet);
    const started = fleet.start();
    await eventually(() => expect(fleet.statistics().neverAccepted).toBeGreaterThanOrEqual(WAITING));
    expect(fleet.statistics()).toMatchObject({ connected: 0, refusedConnections: 0 });
    manager = await startManagerProcess(services, port);
    await started;
    await fleet.finished;
    expect(fleet.statistics()).toMatchObject({
      ...{ connected: STATIONS, neverAccepted: 0, refusedConnections: 0, lostConnections: 0 },
    });
    const metrics = await (await fetch(`${gateway.statusUrl}/metrics`)).text();
    expect(metrics).not.toMatch(/refused_handshakes_total\{/);
  },
  120_000,
);
