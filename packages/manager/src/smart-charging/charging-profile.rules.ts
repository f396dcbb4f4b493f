import { parseDateTime } from '@evander/ocpp';
import type { ChargingProfile, SetChargingProfileRequest } from '@evander/ocpp';
import { RuleViolation } from '../commands/command.ts';
import type { CheckContext } from '../commands/command.ts';
import * as configuration from '../configuration/configuration.store.ts';
import * as transactionList from '../transactions/transaction-list.store.ts';
import * as chargingProfiles from './charging-profiles.store.ts';

/** Checks a charging profile on its own (SetProfile.4, SetProfile.5): throws RuleViolation. */
export function checkProfile(profile: ChargingProfile): void {
  const { stackLevel, chargingProfileKind: kind, recurrencyKind, chargingSchedule } = profile;
  const { startSchedule } = chargingSchedule;
  if (stackLevel < 0) throw new RuleViolation('SetProfile.4', 'stackLevel must be 0 or higher');
  if ((kind === 'Recurring') !== (recurrencyKind !== undefined))
    throw new RuleViolation(
      'SetProfile.5',
      'recurrencyKind is required for a Recurring profile and not allowed for others',
    );
  if (kind === 'Relative' && startSchedule !== undefined)
    throw new RuleViolation(
      'SetProfile.5',
      'a Relative profile starts with its transaction: omit startSchedule',
    );
  if (kind === 'Relative' && profile.chargingProfilePurpose === 'ChargePointMaxProfile')
    throw new RuleViolation(
      'SetProfile.5',
      'a Relative profile starts with its transaction, and a ChargePointMaxProfile has none: make it Absolute or Recurring',
    );
  if (kind !== 'Relative' && startSchedule === undefined)
    throw new RuleViolation('SetProfile.5', `a profile of the kind ${kind} needs a startSchedule`);
  checkValidity(profile);
  checkSchedule(chargingSchedule);
}

function checkValidity({ validFrom, validTo }: ChargingProfile): void {
  const from = validFrom === undefined ? undefined : parseDateTime(validFrom);
  const to = validTo === undefined ? undefined : parseDateTime(validTo);
  if (from && to && from >= to)
    throw new RuleViolation(
      'SetProfile.5',
      'validTo must be after validFrom: the profile would never be valid',
    );
}

function checkSchedule({
  duration,
  minChargingRate,
  chargingSchedulePeriod: periods,
}: ChargingProfile['chargingSchedule']): void {
  if (periods[0]?.startPeriod !== 0)
    throw new RuleViolation('SetProfile.5', 'the first chargingSchedulePeriod must have startPeriod 0');
  if (periods.some(({ startPeriod }, i) => i > 0 && startPeriod <= (periods[i - 1]?.startPeriod ?? 0)))
    throw new RuleViolation(
      'SetProfile.5',
      'startPeriod must increase from one chargingSchedulePeriod to the next',
    );
  if (periods.some(({ limit }) => limit < 0) || (minChargingRate ?? 0) < 0)
    throw new RuleViolation('SetProfile.5', 'limit and minChargingRate must not be negative');
  if (periods.some(({ numberPhases = 3 }) => numberPhases < 1 || numberPhases > 3))
    throw new RuleViolation('SetProfile.5', 'numberPhases must be 1, 2 or 3');
  if (duration !== undefined && duration < 1)
    throw new RuleViolation(
      'SetProfile.5',
      'duration must be 1 second or more; omit it for a schedule without an end',
    );
}

/** Requires that the profile is within the station's reported limits (SetProfile.4): throws RuleViolation. Unknown limits are not checked. */
export async function requireCapacity(profile: ChargingProfile, context: CheckContext): Promise<void> {
  await requireRateUnit(profile, context);
  await requireAtMost(context, 'ChargeProfileMaxStackLevel', ['stackLevel', profile.stackLevel]);
  const { length } = profile.chargingSchedule.chargingSchedulePeriod;
  await requireAtMost(context, 'ChargingScheduleMaxPeriods', [
    'the number of chargingSchedulePeriods',
    length,
  ]);
}

/** A station that accepts only watts refuses a profile in amperes, together with the remote start that carries it (field-quirks 8). */
async function requireRateUnit(
  { chargingSchedule: { chargingRateUnit } }: ChargingProfile,
  { db, stationId }: CheckContext,
): Promise<void> {
  const allowed = await configuration.list(db, stationId, 'ChargingScheduleAllowedChargingRateUnit');
  const value = chargingRateUnit === 'A' ? 'current' : 'power';
  if (!allowed || allowed.some((name) => name.toLowerCase() === value)) return;
  throw new RuleViolation(
    'SetProfile.4',
    `station ${stationId} accepts no schedules in ${chargingRateUnit}; its ChargingScheduleAllowedChargingRateUnit is ${allowed.join(', ')}`,
  );
}

/** Requires room for one more profile, unless it replaces another (SetProfile.4): throws RuleViolation. */
export async function requireRoom(
  { connectorId, csChargingProfiles: profile }: SetChargingProfileRequest,
  context: CheckContext,
): Promise<void> {
  const others = await chargingProfiles.countOthers(context.db, {
    stationId: context.stationId,
    connectorId,
    profile,
  });
  await requireAtMost(context, 'MaxChargingProfilesInstalled', [
    'the number of profiles including this one',
    others + 1,
  ]);
}

async function requireAtMost(
  { db, stationId }: CheckContext,
  key: string,
  [name, value]: [string, number],
): Promise<void> {
  const max = await configuration.integer(db, stationId, key);
  if (max === undefined || value <= max) return;
  throw new RuleViolation(
    'SetProfile.4',
    `${name} is ${value}, but the ${key} of station ${stationId} is ${max}`,
  );
}

/** Requires a connector and transaction that fit the profile's purpose (SetProfile.1, SetProfile.2): throws RuleViolation. */
export async function requirePlace(
  { connectorId, csChargingProfiles: profile }: SetChargingProfileRequest,
  context: CheckContext,
): Promise<void> {
  const { chargingProfilePurpose: purpose, transactionId } = profile;
  if (connectorId < 0) throw new RuleViolation('SetProfile.1', 'connectorId must be 0 or higher');
  if (purpose === 'ChargePointMaxProfile' && connectorId !== 0)
    throw new RuleViolation(
      'SetProfile.1',
      'a ChargePointMaxProfile is for the station as a whole: connectorId must be 0',
    );
  if (purpose === 'TxProfile') return requireTransaction(connectorId, transactionId, context);
  if (transactionId !== undefined)
    throw new RuleViolation('SetProfile.2', `a ${purpose} belongs to no transaction: omit transactionId`);
}

async function requireTransaction(
  connectorId: number,
  transactionId: number | undefined,
  { db, stationId }: CheckContext,
): Promise<void> {
  if (connectorId === 0)
    throw new RuleViolation(
      'SetProfile.1',
      'a TxProfile is for one connector: connectorId must be that of its transaction',
    );
  if (transactionId === undefined)
    throw new RuleViolation('SetProfile.2', 'a TxProfile needs the transactionId of its transaction');
  const transaction = await transactionList.get(db, transactionId);
  if (transaction?.stationId !== stationId || transaction.state !== 'open')
    throw new RuleViolation(
      'SetProfile.1',
      `transaction ${transactionId} is not running at station ${stationId}; a TxProfile needs a running one`,
    );
  if (transaction.connectorId !== connectorId)
    throw new RuleViolation(
      'SetProfile.1',
      `transaction ${transactionId} is running on connector ${transaction.connectorId}: set its TxProfile there`,
    );
}
