/** Nominal line voltage where nothing else is said (SC.11). */
const NOMINAL_VOLTAGE = 230;

/** A limit in the other unit: amperes are per phase, watts in all (SC.11). Not rounded. */
export function convertLimit(
  limit: number,
  from: 'A' | 'W',
  { to, voltage = NOMINAL_VOLTAGE, phases }: { to: 'A' | 'W'; voltage?: number | undefined; phases: number },
): number {
  if (from === to) return limit;
  return to === 'A' ? limit / (voltage * phases) : limit * voltage * phases;
}

/** A limit with the one decimal that OCPP knows: down, so that it is never exceeded, but 8.1 must not become 8.0 by binary fractions. */
export function roundLimit(limit: number): number {
  return Math.floor(limit * 10 + 1e-6) / 10;
}
