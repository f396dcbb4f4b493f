/** Default nominal line voltage (SC.11). */
const NOMINAL_VOLTAGE = 230;

/** Converts a limit to the other unit: amperes are per phase, watts in total (SC.11). Not rounded. */
export function convertLimit(
  limit: number,
  from: 'A' | 'W',
  { to, voltage = NOMINAL_VOLTAGE, phases }: { to: 'A' | 'W'; voltage?: number | undefined; phases: number },
): number {
  if (from === to) return limit;
  return to === 'A' ? limit / (voltage * phases) : limit * voltage * phases;
}

/** Rounds a limit down to one decimal, as OCPP allows, so that it is never exceeded; binary fractions must not turn 8.1 into 8.0. */
export function roundLimit(limit: number): number {
  return Math.floor(limit * 10 + 1e-6) / 10;
}
