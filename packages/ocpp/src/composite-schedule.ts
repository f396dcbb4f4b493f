import type { ChargingProfile } from './payloads.gen.ts';
import { convertLimit, roundLimit } from './charging-rate.ts';
import { parseDateTime } from './date-time.ts';

/** A profile installed with SetChargingProfile; connector 0 is the station. */
export interface InstalledProfile {
  connectorId: number;
  profile: ChargingProfile;
}

export interface CompositeRequest {
  connectorId: number;
  start: Date;
  durationSeconds: number;
  unit: 'A' | 'W';
  /** The transaction on the connector; without it only ChargePointMaxProfiles count (smart-charging.md §5, 8). */
  transaction?: { transactionId: number; startedAt: Date };
  /** The limit if no profile sets one, in the requested unit. */
  unconstrained: number;
  /** Nominal line voltage; default 230 (SC.11). */
  voltage?: number;
}

/** A limit from this time on, in seconds after the start. */
export interface CompositePeriod {
  startPeriod: number;
  limit: number;
  numberPhases?: number;
}

type Limit = Omit<CompositePeriod, 'startPeriod'>;

const DAY_MS = 86_400_000;
const RECURRENCE_MS = { Daily: DAY_MS, Weekly: 7 * DAY_MS };

/**
 * The limits that the profiles together set on a connector over the requested time (SC.1 to SC.16): in the requested unit, rounded down to
 * one decimal, with equal neighbours merged. A change within a second counts from the next whole second after the start, because
 * startPeriod is an integer.
 */
export function compositeSchedule(
  installed: readonly InstalledProfile[],
  request: CompositeRequest,
): CompositePeriod[] {
  const candidates = candidatesOf(installed, request);
  const profiles = Object.values(candidates).flat();
  const periods: CompositePeriod[] = [];
  for (const startPeriod of breakPoints(profiles, request)) {
    const limit = limitAt(request.start.getTime() + startPeriod * 1000, candidates, request);
    const last = periods.at(-1);
    if (last && last.limit === limit.limit && last.numberPhases === limit.numberPhases) continue;
    periods.push({ startPeriod, ...limit });
  }
  return periods;
}

type Candidates = Record<'max' | 'tx' | 'txDefault', ChargingProfile[]>;

function candidatesOf(
  installed: readonly InstalledProfile[],
  { connectorId, transaction }: CompositeRequest,
): Candidates {
  const of = (purpose: ChargingProfile['chargingProfilePurpose'], connector: number): ChargingProfile[] =>
    installed
      .filter((one) => one.connectorId === connector && one.profile.chargingProfilePurpose === purpose)
      .map(({ profile }) => profile);
  const max = of('ChargePointMaxProfile', 0);
  if (!transaction) return { max, tx: [], txDefault: [] };
  const own = connectorId === 0 ? [] : of('TxDefaultProfile', connectorId);
  // A connector's own default replaces the general one of the same level.
  const general = of('TxDefaultProfile', 0).filter(
    ({ stackLevel }) => !own.some((profile) => profile.stackLevel === stackLevel),
  );
  const tx = of('TxProfile', connectorId).filter(
    ({ transactionId = transaction.transactionId }) => transactionId === transaction.transactionId,
  );
  return { max, tx, txDefault: [...own, ...general] };
}

function limitAt(moment: number, { max, tx, txDefault }: Candidates, request: CompositeRequest): Limit {
  const { transaction, unconstrained } = request;
  const isCharging = transaction !== undefined && moment >= transaction.startedAt.getTime();
  const ofTransaction = isCharging
    ? (prevailing(tx, moment, request) ?? prevailing(txDefault, moment, request))
    : undefined;
  const limits = [prevailing(max, moment, request), ofTransaction].filter((limit) => limit !== undefined);
  return limits.reduce<Limit | undefined>(lower, undefined) ?? { limit: unconstrained };
}

function lower(one: Limit | undefined, other: Limit): Limit {
  return one && one.limit <= other.limit ? one : other;
}

/** The limit of the highest stack level that sets one at this time (SC.3). */
function prevailing(
  profiles: ChargingProfile[],
  moment: number,
  request: CompositeRequest,
): Limit | undefined {
  const highestFirst = [...profiles].sort((a, b) => b.stackLevel - a.stackLevel);
  for (const profile of highestFirst) {
    const limit = limitOf(profile, moment, request);
    if (limit) return limit;
  }
  return undefined;
}

function limitOf(profile: ChargingProfile, moment: number, request: CompositeRequest): Limit | undefined {
  const { validFrom, validTo, chargingSchedule } = profile;
  if (moment < (msOf(validFrom) ?? -Infinity) || moment >= (msOf(validTo) ?? Infinity)) return undefined;
  const start = instanceStart(profile, moment, request);
  if (start === undefined) return undefined;
  const offset = (moment - start) / 1000;
  if (offset < 0 || offset >= (chargingSchedule.duration ?? Infinity)) return undefined;
  const period = chargingSchedule.chargingSchedulePeriod.findLast(({ startPeriod }) => startPeriod <= offset);
  if (!period) return undefined;
  const { limit, numberPhases } = period;
  const { unit: to, voltage } = request;
  const phases = numberPhases ?? 3;
  const converted = convertLimit(limit, chargingSchedule.chargingRateUnit, { to, voltage, phases });
  return { limit: roundLimit(converted), ...(numberPhases !== undefined && { numberPhases }) };
}

/** The start of the schedule's current run (SC.4). */
function instanceStart(
  profile: ChargingProfile,
  moment: number,
  { transaction }: CompositeRequest,
): number | undefined {
  const first = msOf(profile.chargingSchedule.startSchedule);
  const transactionStart = transaction?.startedAt.getTime();
  switch (profile.chargingProfileKind) {
    case 'Absolute':
      return first ?? transactionStart;
    case 'Relative':
      return transactionStart;
    case 'Recurring': {
      if (first === undefined || moment < first) return undefined;
      const step = RECURRENCE_MS[profile.recurrencyKind ?? 'Daily'];
      return first + Math.floor((moment - first) / step) * step;
    }
  }
}

/** Every second of the requested time, after its start, at which the limit may change. */
function breakPoints(profiles: ChargingProfile[], request: CompositeRequest): number[] {
  const from = request.start.getTime();
  const to = from + request.durationSeconds * 1000;
  const points = new Set([0]);
  const add = (point: number | undefined): void => {
    const second = Math.ceil(((point ?? NaN) - from) / 1000);
    if (second > 0 && second < request.durationSeconds) points.add(second);
  };
  add(request.transaction?.startedAt.getTime());
  for (const profile of profiles) {
    const { chargingSchedule, chargingProfileKind, recurrencyKind = 'Daily' } = profile;
    add(msOf(profile.validFrom));
    add(msOf(profile.validTo));
    const step = chargingProfileKind === 'Recurring' ? RECURRENCE_MS[recurrencyKind] : Infinity;
    const first = msOf(chargingSchedule.startSchedule);
    for (
      let start = instanceStart(profile, Math.max(from, first ?? from), request);
      start !== undefined && start < to;
      start += step
    ) {
      for (const { startPeriod } of chargingSchedule.chargingSchedulePeriod) add(start + startPeriod * 1000);
      if (chargingSchedule.duration !== undefined) add(start + chargingSchedule.duration * 1000);
    }
  }
  return [...points].sort((a, b) => a - b);
}

function msOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDateTime(text)?.getTime();
}
