import type { ChargingSchedule, CompositePeriod } from '@evander/ocpp';

/** A schedule on the clock: its limits hold from their startPeriod, in seconds after `start`, until the next one or the end. */
export interface TimedSchedule {
  start: Date;
  durationSeconds: number;
  periods: Pick<CompositePeriod, 'startPeriod' | 'limit'>[];
}

/** For so long one limit was expected and another told; null: no limit. */
export interface Difference {
  from: Date;
  to: Date;
  expectedLimit: number | null;
  toldLimit: number | null;
}

/** What a station told, on the clock; it may end before the time that was asked for. */
export function toldSchedule(
  chargingSchedule: ChargingSchedule,
  told: { start: Date; durationSeconds: number },
): TimedSchedule {
  const { duration, chargingSchedulePeriod: periods } = chargingSchedule;
  return { ...told, durationSeconds: Math.min(duration ?? Infinity, told.durationSeconds), periods };
}

/** startPeriod is an integer, but clocks have fractions: a station may round its changes up or down. */
const ROUNDING_MS = 1000;

/**
 * Where a station's schedule is not what its profiles give, in order, equal neighbours merged. Looked at is the expected time. A limit
 * where none is expected is the station's own maximum and no difference (smart-charging.md §5, 7); nor is what rounding explains, of a
 * limit or of a time.
 */
export function differences(expected: TimedSchedule, told: TimedSchedule): Difference[] {
  const found: Difference[] = [];
  const moments = momentsOf(expected, told);
  for (const [i, from] of moments.entries()) {
    const to = moments[i + 1];
    const expectedLimit = limitAt(expected, from);
    const toldLimit = limitAt(told, from);
    if (to === undefined || isSame(expectedLimit, toldLimit)) continue;
    const last = found.at(-1);
    if (last?.to.getTime() === from && last.expectedLimit === expectedLimit && last.toldLimit === toldLimit)
      last.to = new Date(to);
    else found.push({ from: new Date(from), to: new Date(to), expectedLimit, toldLimit });
  }
  return found.filter(({ from, to }) => to.getTime() - from.getTime() > ROUNDING_MS);
}

/** The milliseconds of the expected time at which a limit may change, with its end. */
function momentsOf(expected: TimedSchedule, told: TimedSchedule): number[] {
  const from = expected.start.getTime();
  const to = momentOf(expected.start, expected.durationSeconds);
  const changes = [expected, told].flatMap(({ start, durationSeconds, periods }) =>
    [0, durationSeconds, ...periods.map(({ startPeriod }) => startPeriod)].map((seconds) =>
      momentOf(start, seconds),
    ),
  );
  const inside = changes.filter((moment) => moment > from && moment < to);
  return [...new Set([from, ...inside, to])].sort((a, b) => a - b);
}

// Whole milliseconds, so that a period begins at its own moment.
function momentOf(start: Date, seconds: number): number {
  return start.getTime() + Math.round(seconds * 1000);
}

function limitAt({ start, durationSeconds, periods }: TimedSchedule, moment: number): number | null {
  if (moment < start.getTime() || moment >= momentOf(start, durationSeconds)) return null;
  const limit =
    periods.findLast(({ startPeriod }) => momentOf(start, startPeriod) <= moment)?.limit ?? Infinity;
  return limit === Infinity ? null : limit;
}

function isSame(expected: number | null, told: number | null): boolean {
  if (expected === null) return true;
  return told !== null && Math.abs(expected - told) <= Math.max(0.1, expected * 0.005) + 1e-6;
}
