import { INT32_MAX } from '@evander/ocpp';
import type { ChangeConfigurationRequest } from '@evander/ocpp';
import { RuleViolation } from '../commands/command.ts';
import type { CheckContext } from '../commands/command.ts';
import { isAuthorizationKeyText } from '../stations/station-password.ts';
import * as stations from '../stations/stations.store.ts';
import { configurationKey } from './configuration-keys.ts';
import type { ConfigurationKey } from './configuration-keys.ts';
import * as configuration from './configuration.store.ts';

type Context = Pick<CheckContext, 'db' | 'stationId'>;

/** Checks a change against OCPP and the station's reported limits. Unknown keys pass. Throws RuleViolation. */
export async function checkChange(change: ChangeConfigurationRequest, context: Context): Promise<void> {
  const known = configurationKey(change.key);
  await requireWritable(change, known, context);
  checkType(change);
  if (!known) return;
  if (known.type === 'list') await requireLength(change, context);
  if (change.key.toLowerCase() === 'securityprofile') await requireHigherProfile(change, context);
}

/** Checks a value against the type that OCPP defines for its key. Unknown keys pass. Throws RuleViolation. */
export function checkType(change: ChangeConfigurationRequest): void {
  const known = configurationKey(change.key);
  if (known?.type === 'boolean') requireBoolean(change);
  if (known?.type === 'integer') requireInteger(change, known);
  if (known?.type === 'hex') requireAuthorizationKey(change);
}

// The station's report takes precedence over OCPP.
async function requireWritable(
  { key }: ChangeConfigurationRequest,
  known: ConfigurationKey | undefined,
  { db, stationId }: Context,
): Promise<void> {
  const isReadonly = (await configuration.isReadonly(db, stationId, key)) ?? known?.access === 'read';
  if (isReadonly)
    throw new RuleViolation('ChangeConfiguration.2', `${key} is read-only on station ${stationId}`);
}

function requireBoolean({ key, value }: ChangeConfigurationRequest): void {
  if (/^(?:true|false)$/i.test(value)) return;
  throw new RuleViolation('ChangeConfiguration.8', `the value of ${key} must be true or false`);
}

function requireInteger(
  { key, value }: ChangeConfigurationRequest,
  { minimum = -INT32_MAX - 1, maximum = INT32_MAX }: ConfigurationKey,
): void {
  const rule =
    key.toLowerCase() === 'websocketpinginterval' ? 'ChangeConfiguration.7' : 'ChangeConfiguration.2';
  const number = /^-?\d{1,10}$/.test(value) ? Number(value) : NaN;
  if (number >= minimum && number <= maximum) return;
  throw new RuleViolation(rule, `the value of ${key} must be an integer from ${minimum} to ${maximum}`);
}

// The error must not contain the value itself.
function requireAuthorizationKey({ key, value }: ChangeConfigurationRequest): void {
  if (isAuthorizationKeyText(value)) return;
  throw new RuleViolation(
    'ChangeConfiguration.5',
    `the value of ${key} must be an even number of hex digits, 32 to 40`,
  );
}

async function requireLength(
  { key, value }: ChangeConfigurationRequest,
  { db, stationId }: Context,
): Promise<void> {
  const maxItems = await configuration.integer(db, stationId, `${key}MaxLength`);
  const { length } = value.split(',').filter((item) => item.trim() !== '');
  if (maxItems !== undefined && length > maxItems)
    throw new RuleViolation(
      'ChangeConfiguration.4',
      `the value has ${length} items, but the ${key}MaxLength of station ${stationId} is ${maxItems}`,
    );
}

async function requireHigherProfile(
  { value }: ChangeConfigurationRequest,
  { db, stationId }: Context,
): Promise<void> {
  const station = await stations.find(db, stationId);
  if (!station || Number(value) > station.securityProfile) return;
  throw new RuleViolation(
    'ChangeConfiguration.6',
    `station ${stationId} has the security profile ${station.securityProfile}; over OCPP it can only be raised`,
  );
}
