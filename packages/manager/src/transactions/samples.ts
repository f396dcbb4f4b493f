import { parseDateTime } from '@evander/ocpp';
import type { MeterValuesRequest } from '@evander/ocpp';
import type { Sample } from './meter-values.store.ts';

type MeterValue = MeterValuesRequest['meterValue'][number];
type About = Pick<
  Sample,
  'stationId' | 'connectorId' | 'transactionId' | 'transactionInferred' | 'receivedAt'
>;

/** The samples in a station's meter values, each with its own time and the defaults of 1.6 §7.43 filled in. */
export function samplesOf(meterValues: MeterValue[], about: About): Sample[] {
  return meterValues.flatMap(({ timestamp, sampledValue }) => {
    const measuredAt = parseDateTime(timestamp) ?? about.receivedAt;
    return sampledValue.map((sampled) => {
      const measurand = sampled.measurand ?? 'Energy.Active.Import.Register';
      return {
        ...about,
        measuredAt,
        context: sampled.context ?? 'Sample.Periodic',
        measurand,
        phase: sampled.phase ?? null,
        location: sampled.location ?? 'Outlet',
        format: sampled.format ?? 'Raw',
        unit: unitOf(sampled.unit, measurand),
        value: sampled.value,
      };
    });
  });
}

// Both spellings are in the schemas (OCPP-J errata §2.1); one is kept.
function unitOf(unit: string | undefined, measurand: string): string | null {
  if (unit === 'Celcius') return 'Celsius';
  if (unit !== undefined) return unit;
  if (measurand.startsWith('Energy.Active.')) return 'Wh';
  return measurand.startsWith('Energy.Reactive.') ? 'varh' : null;
}
