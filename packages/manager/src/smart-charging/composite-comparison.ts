import type { ChargingSchedule, CompositePeriod } from '@evander/ocpp';

/** A schedule at absolute times: each limit applies from its startPeriod, in seconds after `start`, until the next one or the end. */
export interface TimedSchedule {
  start: Date;
  durationSeconds: number;
  periods: Pick<CompositePeriod, 'startPeriod' | 'limit'>[];
}

/** A time range in which the reported limit differs from the expected one; null: no limit. */
export interface Difference {
  from: Date;
  to: Date;
  expectedLimit: number | null;
  toldLimit: number | null;
}

/** A station's reported schedule at absolute times; it may end before the requested duration. */
export function reportedSchedule(
  chargingSchedule: ChargingSchedule,
  requested: { start: Date; durationSeconds: number },
): TimedSchedule {
  const { duration, chargingSchedulePeriod: periods } = chargingSchedule;
  return {
    ...requested,
    durationSeconds: Math.min(duration ?? Infinity, requested.durationSeconds),
    periods,
  };
}

/** startPeriod is in whole seconds: a station may round the time of a change up or down. */
const ROUNDING_MS = 1000;

/**
 * The differences between a station's schedule and the one expected from its profiles, within the expected time range, in order, with equal
 * neighbours merged. A limit where none is expected is the station's own maximum and no difference (smart-charging.md §5, 7); neither are
 * deviations of limits or times that rounding explains.
 */
export function differences(expected: TimedSchedule, reported: TimedSchedule): Difference[] {
  const found: Difference[] = [];
  const moments = momentsOf(expected, reported);
  for (const [i, from] of moments.entries()) {
    const to = moments[i + 1];
    const expectedLimit = limitAt(expected, from);
    const toldLimit = limitAt(reported, from);
    if (to === undefined || isSame(expectedLimit, toldLimit)) continue;
    const last = found.at(-1);
    if (last?.to.getTime() === from && last.expectedLimit === expectedLimit && last.toldLimit === toldLimit)
      last.to = new Date(to);
    else found.push({ from: new Date(from), to: new Date(to), expectedLimit, toldLimit });
  }
  return found.filter(({ from, to }) => to.getTime() - from.getTime() > ROUNDING_MS);
}

/** The times within the expected range at which a limit may change, with its start and end, in epoch milliseconds. */
function momentsOf(expected: TimedSchedule, reported: TimedSchedule): number[] {
  const from = expected.start.getTime();
  const to = momentOf(expected.start, expected.durationSeconds);
  const changes = [expected, reported].flatMap(({ start, durationSeconds, periods }) =>
    [0, durationSeconds, ...periods.map(({ startPeriod }) => startPeriod)].map((seconds) =>
      momentOf(start, seconds),
    ),
  );
  const inside = changes.filter((moment) => moment > from && moment < to);
  return [...new Set([from, ...inside, to])].sort((a, b) => a - b);
}

// Rounded to whole milliseconds, so that equal times compare equal.
function momentOf(start: Date, seconds: number): number {
  return start.getTime() + Math.round(seconds * 1000);
}

function limitAt({ start, durationSeconds, periods }: TimedSchedule, moment: number): number | null {
  if (moment < start.getTime() || moment >= momentOf(start, durationSeconds)) return null;
  const limit =
    periods.findLast(({ startPeriod }) => momentOf(start, startPeriod) <= moment)?.limit ?? Infinity;
  return limit === Infinity ? null : limit;
}

function isSame(expected: number | null, reported: number | null): boolean {
  if (expected === null) return true;
  return reported !== null && Math.abs(expected - reported) <= Math.max(0.1, expected * 0.005) + 1e-6;
}
