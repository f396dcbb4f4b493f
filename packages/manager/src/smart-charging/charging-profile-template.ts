import { convertLimit, roundLimit } from '@evander/ocpp';
import type { ChargingProfile } from '@evander/ocpp';
import { RuleViolation } from '../commands/command.ts';

type Unit = ChargingProfile['chargingSchedule']['chargingRateUnit'];
export type NewProfile = Omit<ChargingProfile, 'chargingProfileId'>;

/** A charging profile without what each station gives it: its ids, and maybe its unit. */
export interface TemplateDefinition {
  purpose: ChargingProfile['chargingProfilePurpose'];
  stackLevel: number;
  kind: ChargingProfile['chargingProfileKind'];
  recurrencyKind?: 'Daily' | 'Weekly';
  validFrom?: string;
  validTo?: string;
  unit: Unit;
  schedule: {
    /** Of an Absolute or Recurring one. */
    startSchedule?: string;
    duration?: number;
    minChargingRate?: number;
    periods: { startPeriod: number; limit: number; numberPhases?: number }[];
  };
  /** Between phase and neutral, and how many phases a period has that says nothing of it: to convert between A and W. */
  voltage?: number;
  phases?: number;
}

/** The profile of a template in its own unit; without an id, which is given as it is sent. */
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
 * The profile of a template in a unit that a station takes; limits are rounded down to one decimal. Throws RuleViolation when the template
 * does not say what the conversion needs.
 */
export function profileIn(unit: Unit, definition: TemplateDefinition): NewProfile {
  const profile = profileOf(definition);
  const { unit: from, voltage, phases, schedule } = definition;
  if (from === unit) return profile;
  if (voltage === undefined) throw new RuleViolation('SetProfile.4', `${needs(from, unit)} its voltage`);
  const phasesOf = (numberPhases = phases): number => {
    if (numberPhases !== undefined) return numberPhases;
    throw new RuleViolation(
      'SetProfile.4',
      `${needs(from, unit)} its phases, or numberPhases in each period`,
    );
  };
  const convert = (limit: number, numberPhases: number): number =>
    roundLimit(convertLimit(limit, from, { to: unit, voltage, phases: numberPhases }));
  const { chargingSchedule } = profile;
  // The station must count with the phases that we did: without a word it takes 3.
  const chargingSchedulePeriod = chargingSchedule.chargingSchedulePeriod.map((period) => {
    const numberPhases = phasesOf(period.numberPhases);
    return { ...period, limit: convert(period.limit, numberPhases), numberPhases };
  });
  const { minChargingRate: least } = chargingSchedule;
  const minChargingRate =
    least === undefined
      ? {}
      : { minChargingRate: convert(least, phasesOf(schedule.periods[0]?.numberPhases)) };
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
  return `the station takes schedules in ${to} only and the template is in ${from}; to be converted it needs`;
}
