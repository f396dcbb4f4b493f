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

test('SetChargingProfile: an accepted profile is stored with its id, a rejected one is not', async () => {
  expect(await set(1)).toMatchObject({ request: { csChargingProfiles: { chargingProfileId: 1 } } });
  await set(2, {}, 'Rejected');
  await set(2, {}, 'NotSupported');
  await manager.command('SetChargingProfile', request(2), { error: 'NotSupported' });
  expect(await kept()).toEqual(['1 TxDefaultProfile 1/0']);
  expect(await manager.rows('SELECT profile FROM charging_profiles')).toEqual([
    { profile: profile({ chargingProfileId: 1 }) },
  ]);
});

test('SetProfile.3: the same id, or the same purpose and stack level on the connector, is replaced', async () => {
  await set(1);
  await set(2);
  await set(1, { stackLevel: 1 });
  await set(0, { chargingProfilePurpose: 'ChargePointMaxProfile' });
  expect(await kept()).toEqual([
    '1 TxDefaultProfile 1/0',
    '2 TxDefaultProfile 2/0',
    '3 TxDefaultProfile 1/1',
    '4 ChargePointMaxProfile 0/0',
  ]);
  await set(1, { chargingProfileId: 10 });
  await set(0, { chargingProfileId: 2, stackLevel: 5 });
  expect(await kept()).toEqual([
    '2 TxDefaultProfile 0/5',
    '3 TxDefaultProfile 1/1',
    '4 ChargePointMaxProfile 0/0',
    '10 TxDefaultProfile 1/0',
  ]);
  expect(await set(3)).toMatchObject({ request: { csChargingProfiles: { chargingProfileId: 11 } } });
});

test('SetProfile.7: a TxProfile is removed with its transaction, however late the stop or its own answer', async () => {
  const [first, second] = [await start(1), await start(2)];
  const tx = { chargingProfilePurpose: 'TxProfile', chargingProfileKind: 'Relative' };
  const relative = { ...tx, ...schedule({ startSchedule: undefined }) };
  await set(1, { ...relative, transactionId: first });
  await set(2, { ...relative, transactionId: second });
  await set(2);
  expect(await kept()).toEqual(['1 TxProfile 1/0', '2 TxProfile 2/0', '3 TxDefaultProfile 2/0']);
  await stop(first);
  expect(await kept()).toEqual(['2 TxProfile 2/0', '3 TxDefaultProfile 2/0']);

  await manager.command(
    'SetChargingProfile',
    request(2, { ...relative, stackLevel: 1, transactionId: second }),
  );
  const call = manager.sent().at(-1);
  await stop(second);
  if (call) await manager.answer(call, { status: 'Accepted' });
  expect(await kept()).toEqual(['3 TxDefaultProfile 2/0']);
});

test('SetProfile.7: a stop of an unknown transaction removes the profile too', async () => {
  await manager.callMaker.request({
    stationId: 'CP1',
    action: 'SetChargingProfile',
    request: request(1, { chargingProfilePurpose: 'TxProfile', transactionId: 77 }),
    skipRules: true,
  });
  const call = manager.sent().at(-1);
  if (call) await manager.answer(call, { status: 'Accepted' });
  expect(await kept()).toEqual(['1 TxProfile 1/0']);
  expect(await stop(2 ** 31)).toEqual({ response: {} });
  await stop(77);
  expect(await kept()).toEqual([]);
});

test('SetChargingProfile: a late answer does not restore a profile that was replaced or cleared since', async () => {
  const unanswered = async (connectorId: number, fields: object = {}) => {
    await manager.command('SetChargingProfile', request(connectorId, fields));
    await manager.rows("UPDATE commands SET status = 'timedOut' WHERE status = 'sent'");
    const call = manager.sent().at(-1);
    if (!call) throw new Error('nothing was sent');
    return call;
  };
  const replaced = await unanswered(1);
  await set(1);
  const cleared = await unanswered(2);
  await manager.command('ClearChargingProfile', { connectorId: 2, stackLevel: 0 }, { status: 'Accepted' });
  const byId = await unanswered(3);
  await manager.command('ClearChargingProfile', { id: 4 }, { status: 'Unknown' });
  const other = await unanswered(4);
  await manager.command('ClearChargingProfile', { connectorId: 2 }, { status: 'Accepted' });
  await manager.command('ClearChargingProfile', { id: 99 }, { status: 'Accepted' });
  for (const call of [replaced, cleared, byId, other]) await manager.answer(call, { status: 'Accepted' });
  expect(await kept()).toEqual(['2 TxDefaultProfile 1/0', '5 TxDefaultProfile 4/0']);
});

test('SetChargingProfile: a concurrent stop and answer leave no profile of the ended transaction', async () => {
  for (let round = 0; round < 8; round++) {
    const transactionId = await start(1);
    await manager.command(
      'SetChargingProfile',
      request(1, { chargingProfilePurpose: 'TxProfile', stackLevel: round, transactionId }),
    );
    const call = manager.sent().at(-1);
    await Promise.all([stop(transactionId), call && manager.answer(call, { status: 'Accepted' })]);
    expect(await kept()).toEqual([]);
  }
});
