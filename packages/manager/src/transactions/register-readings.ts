import type { Sample } from './meter-values.store.ts';

/** A reading of the energy register in a transaction. */
export interface RegisterReading {
  stationId: string;
  transactionId: number;
  at: Date;
  context: string;
  wh: number;
  location: RegisterLocation;
}

/** Locations of a register that counts the vehicle's energy, best first. A register at the inlet also counts the station's own use. */
export const REGISTER_LOCATIONS = ['Outlet', 'Body', 'Cable', 'EV'] as const;
export type RegisterLocation = (typeof REGISTER_LOCATIONS)[number];

const WH: Record<string, number> = { wh: 1, kwh: 1000 };
const NUMBER = /^\s*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?\s*$/i;

/**
 * The readings of the energy register among samples of transactions, in Wh: for each transaction only those from the best available location,
 * because registers in two locations may disagree. Without an overall value, the values of the phases are added up. Signed values and values
 * that are not numbers are ignored.
 */
export function registerReadings(samples: readonly Sample[]): RegisterReading[] {
  const moments = new Map<string, { overall: RegisterReading | undefined; phases: RegisterReading[] }>();
  for (const sample of samples) {
    const reading = readingOf(sample);
    if (!reading) continue;
    const { transactionId, at, context, location, stationId } = reading;
    const key = `${transactionId} ${at.getTime()} ${context} ${location} ${stationId}`;
    const moment = moments.get(key) ?? { overall: undefined, phases: [] };
    if (sample.phase === null) moment.overall = reading;
    else moment.phases.push(reading);
    moments.set(key, moment);
  }
  return ofBestLocation([...moments.values()].flatMap(({ overall, phases }) => overall ?? sumOf(phases)));
}

function ofBestLocation(readings: RegisterReading[]): RegisterReading[] {
  const best = new Map<string, number>();
  const keyOf = ({ transactionId, stationId }: RegisterReading): string => `${transactionId} ${stationId}`;
  const rankOf = ({ location }: RegisterReading): number => REGISTER_LOCATIONS.indexOf(location);
  for (const reading of readings)
    best.set(keyOf(reading), Math.min(rankOf(reading), best.get(keyOf(reading)) ?? Infinity));
  return readings.filter((reading) => rankOf(reading) === best.get(keyOf(reading)));
}

function readingOf(sample: Sample): RegisterReading | undefined {
  const { stationId, transactionId, measuredAt: at, context, value } = sample;
  if (sample.measurand !== 'Energy.Active.Import.Register') return undefined;
  const location = REGISTER_LOCATIONS.find((name) => name === sample.location);
  if (location === undefined || sample.format !== 'Raw') return undefined;
  const factor = WH[sample.unit?.toLowerCase() ?? ''];
  if (transactionId === null || transactionId < 1 || factor === undefined || !NUMBER.test(value))
    return undefined;
  const wh = Math.round(Number(value) * factor);
  return Number.isSafeInteger(wh) ? { stationId, transactionId, at, context, wh, location } : undefined;
}

function sumOf(phases: RegisterReading[]): RegisterReading[] {
  const [first] = phases;
  return first ? [{ ...first, wh: phases.reduce((sum, { wh }) => sum + wh, 0) }] : [];
}
