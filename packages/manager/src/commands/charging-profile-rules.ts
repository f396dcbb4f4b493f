import type { ChargingProfile } from '@evander/ocpp';
import * as configuration from '../store/configuration.ts';
import { RuleBroken } from './command.ts';
import type { CheckContext } from './command.ts';

/** What holds for a charging profile by itself (SetProfile.2, SetProfile.5): throws RuleBroken. */
export function checkProfile(profile: ChargingProfile): void {
  const { stackLevel, chargingProfileKind: kind, recurrencyKind, chargingSchedule } = profile;
  const { startSchedule, chargingSchedulePeriod: periods } = chargingSchedule;
  if (stackLevel < 0) throw new RuleBroken('SetProfile.4', 'stackLevel must be 0 or higher');
  if ((kind === 'Recurring') !== (recurrencyKind !== undefined))
    throw new RuleBroken(
      'SetProfile.5',
      'recurrencyKind belongs to a profile of the kind Recurring, and only there',
    );
  if (kind === 'Relative' && startSchedule !== undefined)
    throw new RuleBroken(
      'SetProfile.5',
      'a Relative profile starts with its transaction: leave out startSchedule',
    );
  if (kind !== 'Relative' && startSchedule === undefined)
    throw new RuleBroken('SetProfile.5', `a profile of the kind ${kind} needs a startSchedule`);
  if (periods[0]?.startPeriod !== 0)
    throw new RuleBroken('SetProfile.5', 'the first chargingSchedulePeriod must have startPeriod 0');
  if (periods.some(({ startPeriod }, i) => i > 0 && startPeriod <= (periods[i - 1]?.startPeriod ?? 0)))
    throw new RuleBroken('SetProfile.5', 'startPeriod must rise from one chargingSchedulePeriod to the next');
  if (periods.some(({ limit }) => limit < 0))
    throw new RuleBroken('SetProfile.5', 'limit must not be negative');
}

/** A station that takes watts only refuses a profile in amperes, and with it the remote start that carries it (field-quirks 8). */
export async function requireRateUnit(
  { chargingSchedule: { chargingRateUnit } }: ChargingProfile,
  { db, stationId }: CheckContext,
): Promise<void> {
  const allowed = await configuration.list(db, stationId, 'ChargingScheduleAllowedChargingRateUnit');
  const word = chargingRateUnit === 'A' ? 'current' : 'power';
  if (!allowed || allowed.some((name) => name.toLowerCase() === word)) return;
  throw new RuleBroken(
    'SetProfile.4',
    `station ${stationId} takes no schedules in ${chargingRateUnit}; its ChargingScheduleAllowedChargingRateUnit is ${allowed.join(', ')}`,
  );
}
