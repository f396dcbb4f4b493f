import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { addTag, openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
  await addTag(manager, 'TAG1');
});
afterAll(() => manager.close());
beforeEach(() =>
  manager.rows('TRUNCATE commands, transactions, charging_profiles, configuration_keys, issued_ids'),
);

const FIELDS = {
  stackLevel: 0,
  chargingProfilePurpose: 'TxDefaultProfile',
  chargingProfileKind: 'Absolute',
  chargingSchedule: {
    chargingRateUnit: 'A',
    startSchedule: '2026-11-20T00:00:00Z',
    chargingSchedulePeriod: [{ startPeriod: 0, limit: 8.1 }],
  },
};

const profile = (fields: object = {}) => ({ ...FIELDS, ...fields });
const schedule = (fields: object) => ({ chargingSchedule: { ...FIELDS.chargingSchedule, ...fields } });
const request = (connectorId: number, fields: object = {}) => ({
  connectorId,
  csChargingProfiles: profile(fields),
});
const set = (connectorId: number, fields: object = {}, status = 'Accepted') =>
  manager.command('SetChargingProfile', request(connectorId, fields), { status });

const kept = async (): Promise<string[]> =>
  (await manager.rows('SELECT * FROM charging_profiles ORDER BY charging_profile_id')).map(
    ({ charging_profile_id: id, connector_id: connector, purpose, stack_level: level }) =>
      `${String(id)} ${String(purpose)} ${String(connector)}/${String(level)}`,
  );

let minute = 0;
async function start(connectorId: number): Promise<number> {
  const timestamp = new Date(Date.UTC(2026, 10, 20, 0, minute++)).toISOString();
  const answer = await manager.ask('StartTransaction', {
    connectorId,
    idTag: 'TAG1',
    meterStart: 0,
    timestamp,
  });
  return (answer.response as { transactionId: number }).transactionId;
}
const stop = (transactionId: number) =>
  manager.ask('StopTransaction', {
    transactionId,
    meterStop: 10,
    timestamp: new Date(Date.UTC(2026, 10, 20, 12, minute++)).toISOString(),
  });

async function configure(key: string, value: string): Promise<void> {
  await manager.rows(
    `INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at) VALUES ('CP1', lower($1), $1, $2, now())`,
    [key, value],
  );
}

test.each([
  ['SetProfile.1', 1, { chargingProfilePurpose: 'ChargePointMaxProfile' }],
  ['SetProfile.1', -1, {}],
  ['SetProfile.1', 0, { chargingProfilePurpose: 'TxProfile', transactionId: 1 }],
  ['SetProfile.1', 1, { chargingProfilePurpose: 'TxProfile', transactionId: 123456 }],
  ['SetProfile.2', 1, { chargingProfilePurpose: 'TxProfile' }],
  ['SetProfile.2', 1, { transactionId: 1 }],
  ['SetProfile.4', 1, { stackLevel: -1 }],
  ['SetProfile.4', 1, { stackLevel: 4 }],
  ['SetProfile.4', 1, schedule({ chargingRateUnit: 'W' })],
  [
    'SetProfile.4',
    1,
    schedule({ chargingSchedulePeriod: [0, 1, 2].map((startPeriod) => ({ startPeriod, limit: 1 })) }),
  ],
  ['SetProfile.5', 1, schedule({ chargingSchedulePeriod: [{ startPeriod: 1, limit: 1 }] })],
  [
    'SetProfile.5',
    1,
    schedule({ chargingSchedulePeriod: [0, 0].map((startPeriod) => ({ startPeriod, limit: 1 })) }),
  ],
  ['SetProfile.5', 1, schedule({ chargingSchedulePeriod: [{ startPeriod: 0, limit: -1 }] })],
  ['SetProfile.5', 1, schedule({ chargingSchedulePeriod: [{ startPeriod: 0, limit: 1, numberPhases: 4 }] })],
  ['SetProfile.5', 1, schedule({ duration: 0 })],
  ['SetProfile.5', 1, schedule({ startSchedule: undefined })],
  ['SetProfile.5', 1, { chargingProfileKind: 'Relative' }],
  ['SetProfile.5', 1, { chargingProfileKind: 'Recurring' }],
  ['SetProfile.5', 1, { recurrencyKind: 'Daily' }],
  [
    'SetProfile.5',
    0,
    {
      chargingProfilePurpose: 'ChargePointMaxProfile',
      chargingProfileKind: 'Relative',
      ...schedule({ startSchedule: undefined }),
    },
  ],
  ['SetProfile.5', 1, { validFrom: '2026-11-20T01:00:00+01:00', validTo: '2026-11-20T00:00:00Z' }],
])('SetChargingProfile that breaks the rule %s is not sent: on %d, %j', async (rule, connectorId, fields) => {
  await configure('ChargeProfileMaxStackLevel', '3');
  await configure('ChargingScheduleAllowedChargingRateUnit', 'Current');
  await configure('ChargingScheduleMaxPeriods', '2');
  await expect(set(connectorId, fields)).rejects.toMatchObject({ name: 'RuleViolation', rule });
  expect(await manager.rows('SELECT FROM commands')).toHaveLength(0);
  expect(await set(1)).toMatchObject({ status: 'answered' });
});

test('SetChargingProfile with a limit of two decimals is not sent; one decimal, such as 8.1, is allowed', async () => {
  const limit = (value: number) => schedule({ chargingSchedulePeriod: [{ startPeriod: 0, limit: value }] });
  await expect(set(1, limit(8.15))).rejects.toMatchObject({ name: 'OcppError' });
  expect(await manager.rows('SELECT FROM commands')).toHaveLength(0);
  expect(await set(1, limit(8.1))).toMatchObject({ status: 'answered' });
});

test('SetProfile.3: a profile of the same purpose and level on its connector is replaced, whatever its id', async () => {
  await set(1, { chargingProfileId: 10 });
  await set(1, { chargingProfileId: 11 });
  await set(1, { chargingProfileId: 12, stackLevel: 1 });
  await set(2, { chargingProfileId: 13 });
  expect(await kept()).toEqual([
    '11 TxDefaultProfile 1/0',
    '12 TxDefaultProfile 1/1',
    '13 TxDefaultProfile 2/0',
  ]);
});

test('SetProfile.1: a TxProfile is for a running transaction of the station, on its connector', async () => {
  const transactionId = await start(1);
  const fields = { chargingProfilePurpose: 'TxProfile', transactionId };
  await expect(set(2, fields)).rejects.toMatchObject({ rule: 'SetProfile.1' });
  await manager.rows("UPDATE transactions SET station_id = 'CP2'");
  await expect(set(1, fields)).rejects.toMatchObject({ rule: 'SetProfile.1' });
  await manager.rows("UPDATE transactions SET station_id = 'CP1'");
  expect(await set(1, fields)).toMatchObject({ status: 'answered' });
  await stop(transactionId);
  await expect(set(1, fields)).rejects.toMatchObject({ rule: 'SetProfile.1' });
});

test('SetProfile.4: a station that is full only gets profiles that replace others', async () => {
  await configure('MaxChargingProfilesInstalled', '2');
  await set(1);
  await set(2);
  await expect(set(3)).rejects.toMatchObject({ rule: 'SetProfile.4' });
  await set(2, { chargingProfileId: 7 });
  await set(3, { chargingProfileId: 1 });
  expect(await kept()).toEqual(['1 TxDefaultProfile 3/0', '7 TxDefaultProfile 2/0']);
});
