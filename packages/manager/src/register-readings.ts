import type { Sample } from './store/meter-values.ts';

/** What the register at the outlet of a transaction stood at. */
export interface RegisterReading {
  stationId: string;
  transactionId: number;
  at: Date;
  context: string;
  wh: number;
}

const WH: Record<string, number> = { wh: 1, kwh: 1000 };
const NUMBER = /^\s*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?\s*$/i;

/**
 * The readings of the energy register among samples of transactions, in Wh. Where no overall value is told those of the phases are
 * added up; signed values, other places than the outlet, and what is no number are passed over.
 */
export function registerReadings(samples: readonly Sample[]): RegisterReading[] {
  const moments = new Map<string, { overall: RegisterReading | undefined; phases: RegisterReading[] }>();
  for (const sample of samples) {
    const reading = readingOf(sample);
    if (!reading) continue;
    const key = `${reading.transactionId} ${reading.at.getTime()} ${reading.context} ${reading.stationId}`;
    const moment = moments.get(key) ?? { overall: undefined, phases: [] };
    if (sample.phase === null) moment.overall = reading;
    else moment.phases.push(reading);
    moments.set(key, moment);
  }
  return [...moments.values()].flatMap(({ overall, phases }) => overall ?? sumOf(phases));
}

function readingOf(sample: Sample): RegisterReading | undefined {
  const { stationId, transactionId, measuredAt: at, context, value } = sample;
  if (sample.measurand !== 'Energy.Active.Import.Register') return undefined;
  if (sample.location !== 'Outlet' || sample.format !== 'Raw') return undefined;
  const factor = WH[sample.unit?.toLowerCase() ?? ''];
  if (transactionId === null || transactionId < 1 || factor === undefined || !NUMBER.test(value))
    return undefined;
  const wh = Math.round(Number(value) * factor);
  return Number.isSafeInteger(wh) ? { stationId, transactionId, at, context, wh } : undefined;
}

function sumOf(phases: RegisterReading[]): RegisterReading[] {
  const [first] = phases;
  return first ? [{ ...first, wh: phases.reduce((sum, { wh }) => sum + wh, 0) }] : [];
}
