import { parseDateTime } from '@evander/ocpp';
import type { ChargingProfile, SetChargingProfileRequest } from '@evander/ocpp';
import { RuleViolation } from '../commands/command.ts';
import type { CheckContext } from '../commands/command.ts';
import * as configuration from '../configuration/configuration.store.ts';
import * as transactionList from '../transactions/transaction-list.store.ts';
import * as chargingProfiles from './charging-profiles.store.ts';

/** What holds for a charging profile by itself (SetProfile.4, SetProfile.5): throws RuleViolation. */
export function checkProfile(profile: ChargingProfile): void {
  const { stackLevel, chargingProfileKind: kind, recurrencyKind, chargingSchedule } = profile;
  const { startSchedule } = chargingSchedule;
  if (stackLevel < 0) throw new RuleViolation('SetProfile.4', 'stackLevel must be 0 or higher');
  if ((kind === 'Recurring') !== (recurrencyKind !== undefined))
    throw new RuleViolation(
      'SetProfile.5',
      'recurrencyKind belongs to a profile of the kind Recurring, and only there',
    );
  if (kind === 'Relative' && startSchedule !== undefined)
    throw new RuleViolation(
      'SetProfile.5',
      'a Relative profile starts with its transaction: leave out startSchedule',
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
      'startPeriod must rise from one chargingSchedulePeriod to the next',
    );
  if (periods.some(({ limit }) => limit < 0) || (minChargingRate ?? 0) < 0)
    throw new RuleViolation('SetProfile.5', 'limit and minChargingRate must not be negative');
  if (periods.some(({ numberPhases = 3 }) => numberPhases < 1 || numberPhases > 3))
    throw new RuleViolation('SetProfile.5', 'numberPhases must be 1, 2 or 3');
  if (duration !== undefined && duration < 1)
    throw new RuleViolation(
      'SetProfile.5',
      'duration must be 1 second or more; leave it out for one without an end',
    );
}

/** What a station has said that it can take (SetProfile.4); nothing is refused for what it has not said. */
export async function requireCapacity(profile: ChargingProfile, context: CheckContext): Promise<void> {
  await requireRateUnit(profile, context);
  await requireAtMost(context, 'ChargeProfileMaxStackLevel', ['stackLevel', profile.stackLevel]);
  const { length } = profile.chargingSchedule.chargingSchedulePeriod;
  await requireAtMost(context, 'ChargingScheduleMaxPeriods', [
    'the number of chargingSchedulePeriods',
    length,
  ]);
}

/** A station that takes watts only refuses a profile in amperes, and with it the remote start that carries it (field-quirks 8). */
async function requireRateUnit(
  { chargingSchedule: { chargingRateUnit } }: ChargingProfile,
  { db, stationId }: CheckContext,
): Promise<void> {
  const allowed = await configuration.list(db, stationId, 'ChargingScheduleAllowedChargingRateUnit');
  const word = chargingRateUnit === 'A' ? 'current' : 'power';
  if (!allowed || allowed.some((name) => name.toLowerCase() === word)) return;
  throw new RuleViolation(
    'SetProfile.4',
    `station ${stationId} takes no schedules in ${chargingRateUnit}; its ChargingScheduleAllowedChargingRateUnit is ${allowed.join(', ')}`,
  );
}

/** Room for one more profile, unless it replaces another (SetProfile.4). */
export async function requireRoom(
  { connectorId, csChargingProfiles: profile }: SetChargingProfileRequest,
  context: CheckContext,
): Promise<void> {
  const beside = await chargingProfiles.countBeside(context.db, {
    stationId: context.stationId,
    connectorId,
    profile,
  });
  await requireAtMost(context, 'MaxChargingProfilesInstalled', [
    'the number of profiles with this one',
    beside + 1,
  ]);
}

async function requireAtMost(
  { db, stationId }: CheckContext,
  key: string,
  [name, value]: [string, number],
): Promise<void> {
  const most = await configuration.integer(db, stationId, key);
  if (most === undefined || value <= most) return;
  throw new RuleViolation(
    'SetProfile.4',
    `${name} is ${value}, and the ${key} of station ${stationId} is ${most}`,
  );
}

/** Where a profile of each purpose may be set, and with which transaction (SetProfile.1, SetProfile.2): throws RuleViolation. */
export async function requirePlace(
  { connectorId, csChargingProfiles: profile }: SetChargingProfileRequest,
  context: CheckContext,
): Promise<void> {
  const { chargingProfilePurpose: purpose, transactionId } = profile;
  if (connectorId < 0) throw new RuleViolation('SetProfile.1', 'connectorId must be 0 or a connector');
  if (purpose === 'ChargePointMaxProfile' && connectorId !== 0)
    throw new RuleViolation(
      'SetProfile.1',
      'a ChargePointMaxProfile is for the station as a whole: connectorId must be 0',
    );
  if (purpose === 'TxProfile') return requireTransaction(connectorId, transactionId, context);
  if (transactionId !== undefined)
    throw new RuleViolation(
      'SetProfile.2',
      `a ${purpose} belongs to no transaction: leave out transactionId`,
    );
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
    throw new RuleViolation(
      'SetProfile.2',
      'a TxProfile needs the transactionId of the transaction that it is for',
    );
  const transaction = await transactionList.get(db, transactionId);
  if (transaction?.stationId !== stationId || transaction.state !== 'open')
    throw new RuleViolation(
      'SetProfile.1',
      `transaction ${transactionId} is not running at station ${stationId}; a TxProfile is for a running one`,
    );
  if (transaction.connectorId !== connectorId)
    throw new RuleViolation(
      'SetProfile.1',
      `transaction ${transactionId} runs on connector ${transaction.connectorId}: set its TxProfile there`,
    );
}
