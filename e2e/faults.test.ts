import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Fleet } from '@evander/station';
import type { FleetOptions } from '@evander/station';
import { differences } from '../test/ledgers.ts';
import { System } from './system.ts';
import type { Part } from './part.ts';

const STATIONS = Number(process.env.EVANDER_TEST_FAULT_STATIONS ?? 200);
const CUT_MS = 20_000;

const system = new System({ name: 'faults' });
beforeAll(async () => {
  await system.start();
  await system.api('PUT', '/tags/TAG1', {});
});
afterAll(() => system.close());

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Charges with every station while `harm` runs, then compares every ledger with the database, value by value. */
async function charging(
  prefix: string,
  harm: (fleet: Fleet) => Promise<void>,
  options: Partial<FleetOptions> = {},
): Promise<void> {
  const fleet = new Fleet({
    stations: STATIONS,
    url: system.url,
    prefix,
    idTags: ['TAG1'],
    sessions: 2,
    rampPerSecond: 100,
    speed: 60,
    session: { meterValues: 10, intervalMs: 60_000, withTransactionData: true },
    retryIntervalMs: 500,
    answerTimeoutMs: 10_000,
    reconnect: { minMs: 100, maxMs: 2000 },
    drainMs: 60_000,
    seed: 4711,
    ...options,
  });
  try {
    await fleet.start();
    // By then each station has begun its first session, and none has ended its second.
    await pause(3000);
    await harm(fleet);
    await fleet.finished;
  } finally {
    await fleet.stop();
  }
  const statistics = fleet.statistics();
  console.log(prefix, statistics);
  expect(statistics).toMatchObject({
    violations: 0,
    callErrors: 0,
    queued: 0,
    sessionsCompleted: STATIONS * 2,
  });
  expect(await differences(fleet.stations, system)).toEqual([]);
}

async function restart(part: Part, ms = 2000): Promise<void> {
  await part.kill();
  await pause(ms);
  await part.start();
}

function first(parts: Part[]): Part {
  const [part] = parts;
  if (!part) throw new Error('there is none');
  return part;
}

test('1. a manager is killed', () => charging('MANAGER', () => restart(first(system.managers), 5000)));

test('2. a gateway is killed: its stations reconnect elsewhere', () =>
  charging('GATEWAY', async () => {
    await restart(first(system.gateways), 5000);
    await system.ready(first(system.gateways));
  }));

test('3. the broker restarts', () => charging('BROKER', () => restart(system.broker)));

test('4. PostgreSQL restarts', () => charging('POSTGRES', () => restart(system.postgres)));

test('5. the database freezes for 20 s', () =>
  charging('PAUSE', async () => {
    await system.postgres.pause();
    await pause(CUT_MS);
    await system.postgres.unpause();
  }));

test('6. the network between a gateway and the broker is cut for 20 s', () =>
  charging('CUT', async () => {
    const gateway = first(system.gateways);
    await gateway.leave('internal');
    await pause(CUT_MS);
    await gateway.join('internal');
    await system.ready(gateway);
  }));

test('7. all Evander processes restart, one after another', () =>
  charging('ROLLING', async () => {
    for (const part of [...system.managers, ...system.gateways]) {
      expect(await part.stop()).toBe(0);
      await part.start();
      await system.ready(part);
    }
  }));

test('8. all stations reconnect together', () =>
  charging('STORM', async (fleet) => {
    for (let round = 0; round < 3; round++) {
      for (const station of fleet.stations) station.drop();
      await pause(2000);
    }
  }));

test('9. stations repeat messages, cut their sockets, charge offline and send invalid data', () =>
  charging('ODD', () => Promise.resolve(), {
    faults: {
      dropSocketBeforeAnswer: 0.01,
      dropSocketAtAnswer: 0.01,
      repeatWithNewId: 0.2,
      repeatAnsweredWithSameId: 0.02,
      repeatAnsweredWithNewId: 0.02,
      goOffline: 0.2,
    },
  }));

test('10. the database rejects writes for 20 s: nothing is answered that is not stored', () =>
  charging('READONLY', async () => {
    const set = (value: string): Promise<unknown> =>
      system.postgres.exec([
        'psql',
        '-U',
        'postgres',
        '-c',
        `ALTER SYSTEM SET default_transaction_read_only = ${value}`,
        '-c',
        'SELECT pg_reload_conf()',
      ]);
    await set('on');
    await pause(CUT_MS);
    await set('off');
  }));
