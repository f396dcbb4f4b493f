import type { Sample } from './meter-values.store.ts';

/** What the energy register of a transaction stood at. */
export interface RegisterReading {
  stationId: string;
  transactionId: number;
  at: Date;
  context: string;
  wh: number;
  location: RegisterLocation;
}

/** Where a register that counts what the vehicle takes may be, best first. One at the inlet counts what the station itself takes, too. */
export const REGISTER_LOCATIONS = ['Outlet', 'Body', 'Cable', 'EV'] as const;
export type RegisterLocation = (typeof REGISTER_LOCATIONS)[number];

const WH: Record<string, number> = { wh: 1, kwh: 1000 };
const NUMBER = /^\s*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?\s*$/i;

/**
 * The readings of the energy register among samples of transactions, in Wh: for each transaction those of the best location that there
 * are any of, as registers in two places need not agree. Where there is no overall value, those of the phases are added up; signed
 * values and what is no number are ignored.
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
