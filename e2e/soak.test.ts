import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Fleet, Random } from '@evander/station';
import { differences } from '../test/ledgers.ts';
import { System } from './system.ts';
import type { Part } from './part.ts';

const MINUTES = Number(process.env.EVANDER_TEST_SOAK_MINUTES ?? 0);
const SEED = Number(process.env.EVANDER_TEST_SOAK_SEED ?? Date.now() % 1_000_000);
const STATIONS = 100;

const system = new System({ name: 'soak' });
const soak = MINUTES > 0 ? test : test.skip;
beforeAll(async () => {
  if (MINUTES === 0) return;
  await system.start();
  await system.api('PUT', '/tags/TAG1', {});
});
afterAll(() => system.close());

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function harm(part: Part, how: number): Promise<void> {
  if (how < 0.5) {
    await part.kill();
    await pause(2000);
    await part.start();
  } else {
    await part.pause();
    await pause(5000);
    await part.unpause();
  }
  if (!['postgres', 'broker'].includes(part.name)) await system.ready(part);
}

soak(
  `${MINUTES} minutes of random faults (seed ${SEED}) lose and duplicate nothing and leave memory flat`,
  async () => {
    console.log(`EVANDER_TEST_SOAK_SEED=${SEED}`);
    const random = new Random(SEED);
    const fleet = new Fleet({
      stations: STATIONS,
      url: system.url,
      prefix: 'SOAK',
      idTags: ['TAG1'],
      rampPerSecond: 100,
      speed: 60,
      pauseMs: 2000,
      session: { meterValues: 10, intervalMs: 60_000, withTransactionData: true },
      retryIntervalMs: 500,
      answerTimeoutMs: 10_000,
      reconnect: { minMs: 100, maxMs: 2000 },
      drainMs: 60_000,
      seed: SEED,
      maxLedgerSessions: 1_000_000,
    });
    await fleet.start();
    const untilMs = Date.now() + MINUTES * 60_000;
    const parts = [...system.managers, ...system.gateways, system.broker, system.postgres];
    const memories: number[] = [];
    while (Date.now() < untilMs) {
      const part = parts[Math.floor(random.next() * parts.length)];
      if (part) await harm(part, random.next());
      await pause(5000 + random.next() * 10_000);
      const used = await Promise.all([...system.managers, ...system.gateways].map((one) => one.memory()));
      memories.push(Math.max(...used));
    }
    await fleet.stop();
    console.log(fleet.statistics(), memories.map((bytes) => Math.round(bytes / 1e6)).join(' '));
    expect(fleet.statistics()).toMatchObject({ violations: 0, callErrors: 0, queued: 0 });
    expect(await differences(fleet.stations, system)).toEqual([]);
    const half = Math.floor(memories.length / 2);
    const worst = (list: number[]): number => Math.max(...list);
    expect(worst(memories.slice(half))).toBeLessThan(worst(memories.slice(0, half)) * 1.5);
  },
  (MINUTES + 5) * 60_000,
);
