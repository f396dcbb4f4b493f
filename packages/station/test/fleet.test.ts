import { expect, test } from '@jest/globals';
import { Fleet } from '../src/index.ts';
import { Manager } from './manager.ts';
import { closeLater } from './setup.ts';

const quick = {
  speed: Infinity,
  rampPerSecond: 1000,
  reconnect: { minMs: 1, maxMs: 5 },
  retryIntervalMs: 1,
  session: { meterValues: 2, energyWh: 1000 },
};

async function startFleet(options: object): Promise<{ manager: Manager; fleet: Fleet }> {
  const manager = closeLater(await new Manager().listen());
  const fleet = new Fleet({ url: manager.url, stations: 20, seed: 3, ...quick, ...options });
  closeLater({ close: () => fleet.stop() });
  return { manager, fleet };
}

test('every station runs its sessions, and the statistics add up', async () => {
  const { manager, fleet } = await startFleet({ sessions: 2, connectors: 2 });
  await fleet.start();
  await fleet.finished;
  const statistics = fleet.statistics();
  expect(statistics).toMatchObject({ connected: 20, sessionsCompleted: 80, violations: 0, queued: 0 });
  expect(statistics.energyWh).toBe(80_000);
  expect(statistics.answers).toBe(manager.calls.length);
  expect(statistics.p99Ms).toBeGreaterThanOrEqual(statistics.p50Ms);
});

test('stop() ends the sessions and delivers queued messages', async () => {
  const { manager, fleet } = await startFleet({
    speed: 1,
    session: { meterValues: 1, intervalMs: 3_600_000 },
  });
  await fleet.start();
  await manager.until(() => manager.requests('StartTransaction').length === 20);
  await fleet.stop();
  expect(manager.requests('StopTransaction')).toHaveLength(20);
  expect(fleet.statistics()).toMatchObject({ queued: 0, connected: 0 });
});

test('stop() delivers the ends of sessions that the manager started', async () => {
  const { manager, fleet } = await startFleet({
    stations: 1,
    sessions: 0,
    remoteSession: { meterValues: 1, intervalMs: 3_600_000 },
    speed: 1,
  });
  await fleet.start();
  await fleet.finished;
  await manager.command('RemoteStartTransaction', { idTag: 'TAG' });
  await manager.until(() => manager.requests('StartTransaction').length === 1);
  fleet.stations[0]?.faults.next('dropSocketAtAnswer', 'StopTransaction');
  await fleet.stop();
  expect(fleet.statistics()).toMatchObject({ queued: 0 });
});

test('with all kinds of faults, every session is delivered', async () => {
  const faults = {
    dropSocketBeforeAnswer: 0.05,
    dropSocketAtAnswer: 0.05,
    repeatWithNewId: 0.5,
    goOffline: 0.3,
  };
  const { manager, fleet } = await startFleet({ sessions: 3, faults });
  await fleet.start();
  await fleet.finished;
  const stops = new Set(manager.requests('StopTransaction').map((stop) => JSON.stringify(stop)));
  expect(stops.size).toBe(60);
  for (const { ledger } of fleet.stations) {
    expect(ledger.sessions.every(({ stop }) => stop?.acknowledged)).toBe(true);
  }
});
