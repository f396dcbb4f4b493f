import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compositeSchedule, stationSchedule } from '../src/index.ts';
import type { ChargingProfile, InstalledProfile } from '../src/index.ts';

const START = new Date('2025-03-03T10:00:00Z');
const WINDOW = { start: START, durationSeconds: 600, unit: 'A' as const, unconstrained: Infinity };

function installed(
  connectorId: number,
  purpose: ChargingProfile['chargingProfilePurpose'],
  limits: [startPeriod: number, limit: number, numberPhases?: number][],
): InstalledProfile {
  const chargingSchedulePeriod = limits.map(([startPeriod, limit, numberPhases]) => ({
    startPeriod,
    limit,
    ...(numberPhases !== undefined && { numberPhases }),
  }));
  return {
    connectorId,
    profile: {
      chargingProfileId: 1,
      stackLevel: 0,
      chargingProfilePurpose: purpose,
      chargingProfileKind: 'Absolute',
      chargingSchedule: {
        startSchedule: START.toISOString(),
        chargingRateUnit: 'A',
        chargingSchedulePeriod,
      },
    },
  };
}

const charging = (connectorId: number) => ({
  connectorId,
  transaction: { transactionId: connectorId, startedAt: START },
});

test('a station draws the sum of its connectors, up to its ChargePointMaxProfile', () => {
  const profiles = [
    installed(0, 'ChargePointMaxProfile', [[0, 25]]),
    installed(0, 'TxDefaultProfile', [
      [0, 10],
      [300, 16],
    ]),
    installed(2, 'TxProfile', [[0, 6.1]]),
  ];
  const connectors = [charging(1), charging(2)];
  expect(stationSchedule(profiles, { ...WINDOW, connectors })).toEqual([
    { startPeriod: 0, limit: 16.1 },
    { startPeriod: 300, limit: 22.1 },
  ]);
  expect(stationSchedule(profiles, { ...WINDOW, connectors: [...connectors, charging(3)] })).toEqual([
    { startPeriod: 0, limit: 25 },
  ]);
});

test('if a connector has no limit, only the ChargePointMaxProfile counts', () => {
  const profiles = [installed(0, 'TxDefaultProfile', [[0, 10]])];
  const connectors = [charging(1), { connectorId: 2 }];
  const max = installed(0, 'ChargePointMaxProfile', [[0, 32]]);
  expect(stationSchedule(profiles, { ...WINDOW, connectors })).toEqual([{ startPeriod: 0, limit: Infinity }]);
  expect(stationSchedule([...profiles, max], { ...WINDOW, connectors })).toEqual([
    { startPeriod: 0, limit: 32 },
  ]);
  expect(stationSchedule(profiles, { ...WINDOW, unconstrained: 32, connectors })).toEqual([
    { startPeriod: 0, limit: 42 },
  ]);
  expect(stationSchedule([max], { ...WINDOW, connectors: [] })).toEqual([{ startPeriod: 0, limit: 32 }]);
});

test('numberPhases is set if it is the same for all connectors', () => {
  const connectors = [charging(1), charging(2)];
  const first = installed(1, 'TxDefaultProfile', [[0, 10, 1]]);
  const common = installed(2, 'TxDefaultProfile', [
    [0, 10, 1],
    [60, 10, 3],
  ]);
  expect(stationSchedule([first, common], { ...WINDOW, connectors })).toEqual([
    { startPeriod: 0, limit: 20, numberPhases: 1 },
    { startPeriod: 60, limit: 20 },
  ]);
});

test("random profiles give, second by second, the sum of the connectors or the station's maximum", () => {
  const period = fc.tuple(fc.integer({ min: 1, max: 59 }), fc.integer({ min: 0, max: 320 }));
  const limits = fc
    .tuple(fc.integer({ min: 0, max: 320 }), fc.uniqueArray(period, { maxLength: 3, selector: ([at]) => at }))
    .map(([first, more]): [number, number][] => {
      const later = more.sort(([a], [b]) => a - b).map(([at, limit]): [number, number] => [at, limit / 10]);
      return [[0, first / 10], ...later];
    });
  fc.assert(
    fc.property(fc.array(limits, { minLength: 1, maxLength: 3 }), limits, (parts, max) => {
      const profiles = parts.map((part, i) => installed(i + 1, 'TxDefaultProfile', part));
      const whole = installed(0, 'ChargePointMaxProfile', max);
      const connectors = parts.map((_, i) => charging(i + 1));
      const window = { ...WINDOW, durationSeconds: 60 };
      const periods = stationSchedule([...profiles, whole], { ...window, connectors });
      const limitAt = (list: typeof periods, at: number): number =>
        list.findLast(({ startPeriod }) => startPeriod <= at)?.limit ?? NaN;
      const each = connectors.map((one) => compositeSchedule(profiles, { ...window, ...one }));
      const stationLimit = compositeSchedule([whole], { ...window, connectorId: 0 });
      for (let at = 0; at < 60; at++) {
        const sum = each.reduce((total, list) => total + limitAt(list, at), 0);
        expect(limitAt(periods, at)).toBeCloseTo(Math.min(sum, limitAt(stationLimit, at)), 6);
      }
    }),
    { numRuns: 100 },
  );
});
