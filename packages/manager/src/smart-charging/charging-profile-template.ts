import { convertLimit, roundLimit } from '@evander/ocpp';
import type { ChargingProfile } from '@evander/ocpp';
import { RuleViolation } from '../commands/command.ts';

type Unit = ChargingProfile['chargingSchedule']['chargingRateUnit'];
export type NewProfile = Omit<ChargingProfile, 'chargingProfileId'>;

/** A charging profile without the parts that differ per station: its ids, and possibly its unit. */
export interface TemplateDefinition {
  purpose: ChargingProfile['chargingProfilePurpose'];
  stackLevel: number;
  kind: ChargingProfile['chargingProfileKind'];
  recurrencyKind?: 'Daily' | 'Weekly';
  validFrom?: string;
  validTo?: string;
  unit: Unit;
  schedule: {
    /** For an Absolute or Recurring profile. */
    startSchedule?: string;
    duration?: number;
    minChargingRate?: number;
    periods: { startPeriod: number; limit: number; numberPhases?: number }[];
  };
  /** Phase-to-neutral voltage in V. With `phases`, the default for periods without numberPhases, it converts between A and W. */
  voltage?: number;
  phases?: number;
}

/** The profile of a template in its own unit, without an id: the id is assigned when the profile is sent. */
export function profileOf(definition: TemplateDefinition): NewProfile {
  const { purpose, stackLevel, kind, recurrencyKind, validFrom, validTo, unit, schedule } = definition;
  const { startSchedule, duration, minChargingRate, periods } = schedule;
  return {
    stackLevel,
    chargingProfilePurpose: purpose,
    chargingProfileKind: kind,
    ...(recurrencyKind !== undefined && { recurrencyKind }),
    ...(validFrom !== undefined && { validFrom }),
    ...(validTo !== undefined && { validTo }),
    chargingSchedule: {
      ...(duration !== undefined && { duration }),
      ...(startSchedule !== undefined && { startSchedule }),
      chargingRateUnit: unit,
      chargingSchedulePeriod: periods.map(({ startPeriod, limit, numberPhases }) => ({
        startPeriod,
        limit,
        ...(numberPhases !== undefined && { numberPhases }),
      })),
      ...(minChargingRate !== undefined && { minChargingRate }),
    },
  };
}

/**
 * The profile of a template in a unit that a station accepts; limits are rounded down to one decimal. Throws RuleViolation when the
 * template lacks what the conversion needs.
 */
export function profileIn(unit: Unit, definition: TemplateDefinition): NewProfile {
  const profile = profileOf(definition);
  const { unit: from, voltage, phases, schedule } = definition;
  if (from === unit) return profile;
  if (voltage === undefined) throw new RuleViolation('SetProfile.4', `${needs(from, unit)} voltage`);
  const phasesOf = (numberPhases = phases): number => {
    if (numberPhases !== undefined) return numberPhases;
    throw new RuleViolation('SetProfile.4', `${needs(from, unit)} phases, or numberPhases in each period`);
  };
  const convert = (limit: number, numberPhases: number): number =>
    roundLimit(convertLimit(limit, from, { to: unit, voltage, phases: numberPhases }));
  const { chargingSchedule } = profile;
  // The station must use the same number of phases as this conversion; it assumes 3 if none is given.
  const chargingSchedulePeriod = chargingSchedule.chargingSchedulePeriod.map((period) => {
    const numberPhases = phasesOf(period.numberPhases);
    return { ...period, limit: convert(period.limit, numberPhases), numberPhases };
  });
  const { minChargingRate: templateRate } = chargingSchedule;
  const minChargingRate =
    templateRate === undefined
      ? {}
      : { minChargingRate: convert(templateRate, phasesOf(schedule.periods[0]?.numberPhases)) };
  return {
    ...profile,
    chargingSchedule: {
      ...chargingSchedule,
      ...minChargingRate,
      chargingRateUnit: unit,
      chargingSchedulePeriod,
    },
  };
}

function needs(from: Unit, to: Unit): string {
  return `the station accepts only schedules in ${to} and the template is in ${from}; to be converted, the template needs`;
}
