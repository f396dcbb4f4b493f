import { compositeSchedule } from '@evander/ocpp';
import type { ChargingProfile, CompositePeriod } from '@evander/ocpp';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { differences, reportedSchedule } from '../../src/smart-charging/composite-comparison.ts';
import type { Difference } from '../../src/smart-charging/composite-comparison.ts';

// Clocks have milliseconds, startPeriod is in whole seconds: rounding must neither hide nor invent differences.
const DAY_SECONDS = 86_400;
const NOON = Date.UTC(2026, 10, 29, 12, 0);

function profile(
  kind: 'Relative' | 'Absolute',
  limits: [number, number][],
  startMs: number,
): ChargingProfile {
  return {
    chargingProfileId: 1,
    stackLevel: 0,
    chargingProfilePurpose: 'TxProfile',
    chargingProfileKind: kind,
    chargingSchedule: {
      chargingRateUnit: 'W',
      ...(kind === 'Absolute' && { startSchedule: new Date(startMs).toISOString() }),
      chargingSchedulePeriod: limits.map(([startPeriod, limit]) => ({ startPeriod, limit })),
    },
  };
}

interface Case {
  kind: 'Relative' | 'Absolute';
  startedAtMs: number;
  scheduleStartMs: number;
  limits: [number, number][];
}

function expectedOf({ kind, startedAtMs, scheduleStartMs, limits }: Case) {
  const start = new Date(scheduleStartMs);
  const periods = compositeSchedule([{ connectorId: 1, profile: profile(kind, limits, startedAtMs) }], {
    connectorId: 1,
    start,
    durationSeconds: DAY_SECONDS,
    unit: 'W',
    transaction: { transactionId: 1, startedAt: new Date(startedAtMs) },
    unconstrained: Infinity,
  });
  return { start, durationSeconds: DAY_SECONDS, periods };
}

/** Differences from a station that reports these limits in whole seconds after its scheduleStart, rounded by `round`. */
function comparedWith(one: Case, round: (seconds: number) => number, limits = one.limits): Difference[] {
  const reported = limits.map(([startPeriod, limit], index) => ({
    startPeriod: index === 0 ? 0 : round((one.startedAtMs - one.scheduleStartMs) / 1000 + startPeriod),
    limit,
  }));
  const schedule = {
    duration: DAY_SECONDS,
    chargingRateUnit: 'W' as const,
    chargingSchedulePeriod: reported,
  };
  const requested = { start: new Date(one.scheduleStartMs), durationSeconds: DAY_SECONDS };
  return differences(expectedOf(one), reportedSchedule(schedule, requested));
}

const MILLISECONDS = Array.from({ length: 1000 }, (_none, ms) => ms);
const LIMITS: [number, number][] = [
  [0, 6900],
  [3600, 4140],
  [7200, 11_000],
];

const rest = fc.record({
  kind: fc.constantFrom('Relative' as const, 'Absolute' as const),
  seconds: fc.integer({ min: 0, max: 59 }),
  sinceMs: fc.integer({ min: 0, max: 3_590_000 }),
  round: fc.constantFrom(Math.floor, Math.round, Math.ceil),
});

test.each([
  ['of a transaction', (ms: number, sinceMs: number) => [ms, ms + sinceMs] as const],
  ['of a schedule', (ms: number, sinceMs: number) => [ms - sinceMs, ms] as const],
])(
  'for each start millisecond %s, a correct station has no difference and a wrong limit is found',
  (_of, place) => {
    for (const ms of MILLISECONDS)
      fc.assert(
        fc.property(rest, ({ kind, seconds, sinceMs, round }) => {
          const [startedAtMs, scheduleStartMs] = place(NOON + seconds * 1000 + ms, sinceMs);
          const one: Case = { kind, startedAtMs, scheduleStartMs, limits: LIMITS };
          const { periods } = expectedOf(one);
          expect(periods.every(({ startPeriod }: CompositePeriod) => Number.isInteger(startPeriod))).toBe(
            true,
          );
          expect(comparedWith(one, round)).toEqual([]);
          const found = comparedWith(one, round, LIMITS.slice(0, 2));
          expect(found).toMatchObject([{ expectedLimit: 11_000, toldLimit: 4140 }]);
          const late = (found[0]?.from.getTime() ?? 0) - (startedAtMs + 7_200_000);
          expect(late >= 0 && late < 1000).toBe(true);
        }),
        { numRuns: 2, seed: ms },
      );
  },
);

test('a change reported for the second in which it occurs is not a difference of 23 hours', () => {
  const startedAtMs = NOON + 20_800;
  const scheduleStartMs = NOON + 21_849;
  const one: Case = { kind: 'Relative', startedAtMs, scheduleStartMs, limits: LIMITS.slice(0, 2) };
  expect(expectedOf(one).periods).toEqual([
    { startPeriod: 0, limit: 6900 },
    { startPeriod: 3599, limit: 4140 },
  ]);
  expect(comparedWith(one, Math.ceil)).toEqual([]);
});

test('a missing change is found, whatever the fractions of the starts', () => {
  const limits: [number, number][] = [
    [0, 10],
    [3600, 6],
  ];
  const missed = MILLISECONDS.filter((ms) => {
    const one = { kind: 'Relative', startedAtMs: NOON + ms, limits } as const;
    const found = comparedWith({ ...one, scheduleStartMs: NOON + 1849 }, Math.ceil, [[0, 10]]);
    return found.length !== 1;
  });
  expect(missed).toEqual([]);
});
