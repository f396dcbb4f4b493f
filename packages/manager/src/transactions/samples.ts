import { parseDateTime } from '@evander/ocpp';
import type { MeterValuesRequest } from '@evander/ocpp';
import type { Sample } from './meter-values.store.ts';

type MeterValue = MeterValuesRequest['meterValue'][number];
type SampleOrigin = Pick<
  Sample,
  'stationId' | 'connectorId' | 'transactionId' | 'transactionInferred' | 'receivedAt'
>;

/** The samples in a station's meter values, each with its time and the defaults of 1.6 §7.43. */
export function samplesOf(meterValues: MeterValue[], origin: SampleOrigin): Sample[] {
  return meterValues.flatMap(({ timestamp, sampledValue }) => {
    const measuredAt = parseDateTime(timestamp) ?? origin.receivedAt;
    return sampledValue.map((sampled) => {
      const measurand = sampled.measurand ?? 'Energy.Active.Import.Register';
      return {
        ...origin,
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

// The schemas contain both spellings (OCPP-J errata §2.1); only the correct one is stored.
function unitOf(unit: string | undefined, measurand: string): string | null {
  if (unit === 'Celcius') return 'Celsius';
  if (unit !== undefined) return unit;
  if (measurand.startsWith('Energy.Active.')) return 'Wh';
  return measurand.startsWith('Energy.Reactive.') ? 'varh' : null;
}
