import type { MeterValue, SampledValue } from '@evander/ocpp';
import type { Random } from '../runtime/random.ts';
import type { LedgerSample } from './ledger.ts';

/** A meter reading at one instant. */
export type MeterReading = { registerWh: number; powerW: number; socPercent?: number };

/** The context of a sample. */
export type SampleContext = NonNullable<SampledValue['context']>;

const PHASES = ['L1', 'L2', 'L3'] as const;
const NOMINAL_V = 230;

/** The reading as OCPP's sampled values, only for `measurands`. All qualifiers are explicit. */
export function sampleMeter(options: {
  timestamp: string;
  context: SampleContext;
  reading: MeterReading;
  measurands: string[];
  random: Random;
}): MeterValue {
  const { timestamp, context, measurands } = options;
  const sampledValue = allValues(options.reading, options.random)
    .filter(({ measurand }) => measurand !== undefined && measurands.includes(measurand))
    .map((value) => ({ ...value, context, format: 'Raw' as const }));
  return { timestamp, sampledValue };
}

function allValues({ registerWh, powerW, socPercent }: MeterReading, random: Random): SampledValue[] {
  const voltages = PHASES.map((phase) => ({ phase, volts: NOMINAL_V + random.between(-3, 3) }));
  const values: SampledValue[] = [
    { value: String(registerWh), measurand: 'Energy.Active.Import.Register', unit: 'Wh', location: 'Outlet' },
    { value: powerW.toFixed(0), measurand: 'Power.Active.Import', unit: 'W', location: 'Outlet' },
  ];
  for (const { phase, volts } of voltages) {
    const amps = powerW / 3 / volts;
    values.push(
      { value: amps.toFixed(1), measurand: 'Current.Import', phase, unit: 'A', location: 'Outlet' },
      { value: volts.toFixed(1), measurand: 'Voltage', phase, unit: 'V', location: 'Outlet' },
    );
  }
  if (socPercent !== undefined) {
    values.push({ value: socPercent.toFixed(0), measurand: 'SoC', unit: 'Percent', location: 'EV' });
  }
  return values;
}

/** The same values as ledger entries. */
export function toLedger(connectorId: number, { timestamp, sampledValue }: MeterValue): LedgerSample[] {
  return sampledValue.map(({ value, measurand, phase, context, unit, location }) => ({
    connectorId,
    timestamp,
    measurand: measurand ?? 'Energy.Active.Import.Register',
    ...(phase && { phase }),
    context: context ?? 'Sample.Periodic',
    unit: unit ?? 'Wh',
    location: location ?? 'Outlet',
    value,
    acknowledged: false,
  }));
}
