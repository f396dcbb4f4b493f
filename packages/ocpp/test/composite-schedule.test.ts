import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compositeSchedule, parseDateTime } from '../src/index.ts';
import type {
  ChargingProfile,
  CompositePeriod,
  InstalledProfile,
  SetChargingProfileRequest,
} from '../src/index.ts';

interface Vector {
  id: string;
  title: string;
  connectorId: number;
  requestTime: string;
  duration: number;
  unit: 'A' | 'W';
  voltage?: number;
  transactionId: number;
  transactionStart: string | null;
  unconstrained: number;
  installed: SetChargingProfileRequest[];
  expected: CompositePeriod[];
}

const file = new URL('smart-charging-vectors.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };

function time(text: string): Date {
  const date = parseDateTime(text);
  if (!date) throw new Error(`${text} is not a time`);
  return date;
}

function install(requests: SetChargingProfileRequest[]): InstalledProfile[] {
  return requests.map(({ connectorId, csChargingProfiles: profile }) => ({ connectorId, profile }));
}

test.each(vectors.map((vector) => [vector.id, vector.title, vector] as const))(
  '%s: %s',
  (_id, _title, vector) => {
    const { transactionStart, transactionId, voltage } = vector;
    expect(
      compositeSchedule(install(vector.installed), {
        connectorId: vector.connectorId,
        start: time(vector.requestTime),
        durationSeconds: vector.duration,
        unit: vector.unit,
        unconstrained: vector.unconstrained,
        ...(voltage !== undefined && { voltage }),
        ...(transactionStart !== null && {
          transaction: { transactionId, startedAt: time(transactionStart) },
        }),
      }),
    ).toEqual(vector.expected);
  },
);

const START = Date.UTC(2025, 2, 3, 10);
const SPAN = 300;
const second = fc.integer({ min: -2 * SPAN, max: 2 * SPAN });
const instant = second.map((at) => new Date(START + at * 1000).toISOString());

const anyProfile: fc.Arbitrary<InstalledProfile> = fc
  .record({
    connectorId: fc.integer({ min: 0, max: 2 }),
    stackLevel: fc.integer({ min: 0, max: 3 }),
    purpose: fc.constantFrom('ChargePointMaxProfile', 'TxDefaultProfile', 'TxProfile'),
    kind: fc.constantFrom('Absolute', 'Relative', 'Recurring'),
    recurrencyKind: fc.constantFrom('Daily', 'Weekly'),
    startSchedule: instant,
    daysAgo: fc.integer({ min: 0, max: 15 }),
    validFrom: fc.option(instant, { nil: undefined }),
    validTo: fc.option(instant, { nil: undefined }),
    duration: fc.option(fc.integer({ min: 1, max: SPAN }), { nil: undefined }),
    unit: fc.constantFrom('A', 'W'),
    starts: fc.uniqueArray(fc.integer({ min: 1, max: SPAN }), { maxLength: 4 }),
    limits: fc.array(fc.integer({ min: 0, max: 320 }), { minLength: 5, maxLength: 5 }),
    transactionId: fc.constantFrom(undefined, 1, 2),
  })
  .map((value) => ({ connectorId: value.connectorId, profile: profileOf(value as never) }));

function profileOf(value: {
  stackLevel: number;
  purpose: ChargingProfile['chargingProfilePurpose'];
  kind: ChargingProfile['chargingProfileKind'];
  recurrencyKind: 'Daily' | 'Weekly';
  startSchedule: string;
  daysAgo: number;
  validFrom?: string;
  validTo?: string;
  duration?: number;
  unit: 'A' | 'W';
  starts: number[];
  limits: number[];
  transactionId?: number;
}): ChargingProfile {
  const { kind, duration, validFrom, validTo, transactionId } = value;
  const first = new Date(
    time(value.startSchedule).getTime() - (kind === 'Recurring' ? value.daysAgo * 864e5 : 0),
  );
  const starts = [0, ...value.starts.sort((a, b) => a - b)];
  return {
    chargingProfileId: 1,
    stackLevel: value.stackLevel,
    chargingProfilePurpose: value.purpose,
    chargingProfileKind: kind,
    ...(kind === 'Recurring' && { recurrencyKind: value.recurrencyKind }),
    ...(validFrom !== undefined && { validFrom }),
    ...(validTo !== undefined && { validTo }),
    ...(transactionId !== undefined && { transactionId }),
    chargingSchedule: {
      ...(duration !== undefined && { duration }),
      ...(kind !== 'Relative' && { startSchedule: first.toISOString() }),
      chargingRateUnit: value.unit,
      chargingSchedulePeriod: starts.map((startPeriod, i) => ({
        startPeriod,
        limit: (value.limits[i] ?? 0) / 10,
      })),
    },
  };
}

/** A naive reference implementation of the rules, one second at a time. */
function reference(installed: InstalledProfile[], at: number, transactionStart: number | undefined): number {
  const limitOf = ({ profile }: InstalledProfile): number | undefined => {
    const { chargingSchedule: schedule, validFrom, validTo } = profile;
    if (validFrom !== undefined && at < time(validFrom).getTime()) return undefined;
    if (validTo !== undefined && at >= time(validTo).getTime()) return undefined;
    let start = profile.chargingProfileKind === 'Relative' ? transactionStart : NaN;
    if (schedule.startSchedule !== undefined) start = time(schedule.startSchedule).getTime();
    if (start === undefined) return undefined;
    if (profile.chargingProfileKind === 'Recurring') {
      const step = profile.recurrencyKind === 'Weekly' ? 7 * 864e5 : 864e5;
      while (start + step <= at) start += step;
    }
    const offset = (at - start) / 1000;
    if (offset < 0 || (schedule.duration !== undefined && offset >= schedule.duration)) return undefined;
    let limit: number | undefined;
    for (const period of schedule.chargingSchedulePeriod)
      if (period.startPeriod <= offset) limit = period.limit;
    if (limit === undefined || schedule.chargingRateUnit === 'A') return limit;
    return Math.floor((limit / 690) * 10 + 1e-6) / 10;
  };
  const top = (profiles: InstalledProfile[]): number | undefined => {
    for (let level = 3; level >= 0; level--)
      for (const one of profiles.filter(({ profile }) => profile.stackLevel === level)) {
        const limit = limitOf(one);
        if (limit !== undefined) return limit;
      }
    return undefined;
  };
  const of = (purpose: string, connectorId: number): InstalledProfile[] =>
    installed.filter(
      (one) => one.profile.chargingProfilePurpose === purpose && one.connectorId === connectorId,
    );
  const own = of('TxDefaultProfile', 1);
  const general = of('TxDefaultProfile', 0).filter(
    ({ profile }) => !own.some((one) => one.profile.stackLevel === profile.stackLevel),
  );
  const isCharging = transactionStart !== undefined && at >= transactionStart;
  const tx = of('TxProfile', 1).filter(({ profile }) => (profile.transactionId ?? 1) === 1);
  const ofTransaction = isCharging ? (top(tx) ?? top([...own, ...general])) : undefined;
  const limits = [top(of('ChargePointMaxProfile', 0)), ofTransaction].filter((limit) => limit !== undefined);
  return limits.length > 0 ? Math.min(...limits) : 99;
}

test('random profiles give the limits of the rules, second by second', () => {
  fc.assert(
    fc.property(
      fc.array(anyProfile, { maxLength: 8 }),
      fc.option(second, { nil: undefined }),
      (all, startedAt) => {
        // One profile per connector, purpose and level, as a station stores them (SC.2).
        const places = all.map(
          ({ connectorId, profile }) =>
            `${connectorId} ${profile.chargingProfilePurpose} ${profile.stackLevel}`,
        );
        const installed = all.filter((_, i) => places.lastIndexOf(places[i] ?? '') === i);
        const transactionStart = startedAt === undefined ? undefined : START + startedAt * 1000;
        const periods = compositeSchedule(installed, {
          connectorId: 1,
          start: new Date(START),
          durationSeconds: SPAN,
          unit: 'A',
          unconstrained: 99,
          ...(transactionStart !== undefined && {
            transaction: { transactionId: 1, startedAt: new Date(transactionStart) },
          }),
        });
        for (let at = 0; at < SPAN; at++) {
          const expected = reference(installed, START + at * 1000, transactionStart);
          expect(periods.findLast(({ startPeriod }) => startPeriod <= at)?.limit).toBeCloseTo(expected, 6);
        }
      },
    ),
    { numRuns: 150 },
  );
});
