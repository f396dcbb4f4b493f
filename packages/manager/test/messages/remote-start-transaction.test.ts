import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { addTag, openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
  await addTag(manager, 'TAG1');
});
afterAll(() => manager.close());
beforeEach(() => manager.rows('TRUNCATE commands, transactions'));

let minute = 0;
async function start(idTag = 'TAG1', connectorId = 1): Promise<unknown> {
  const timestamp = new Date(Date.UTC(2026, 10, 20, 0, minute++)).toISOString();
  await manager.ask('StartTransaction', { connectorId, idTag, meterStart: 0, timestamp });
  const rows = await manager.rows(
    'SELECT remote_start_command_id AS id FROM transactions ORDER BY transaction_id DESC LIMIT 1',
  );
  return rows[0]?.id;
}

test('RemoteStartTransaction: only the transaction that follows names the command', async () => {
  const { commandId } = await manager.command(
    'RemoteStartTransaction',
    { idTag: 'tag1', connectorId: 1 },
    { status: 'Accepted' },
  );
  expect(await start('TAG1', 2)).toBeNull();
  expect(await start('OTHER')).toBeNull();
  expect(await start()).toBe(commandId);
  expect(await start()).toBeNull();
});

test('RemoteStartTransaction: a start before the answer belongs to it, a start after a rejection does not', async () => {
  const { commandId } = await manager.command('RemoteStartTransaction', { idTag: 'TAG1' });
  const call = manager.sent().at(-1);
  expect(await start()).toBe(commandId);
  if (call) await manager.answer(call, { status: 'Accepted' });
  await manager.command('RemoteStartTransaction', { idTag: 'TAG1' }, { status: 'Rejected' });
  expect(await start()).toBeNull();
  await manager.command('RemoteStartTransaction', { idTag: 'TAG1' }, { error: 'InternalError' });
  expect(await start()).toBeNull();
});

const UNNUMBERED = {
  stackLevel: 0,
  chargingProfilePurpose: 'TxProfile',
  chargingProfileKind: 'Relative',
  chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 8.1 }] },
} as const;
const PROFILE = { ...UNNUMBERED, chargingProfileId: 1 };

test.each([
  ['RemoteStart.1', { connectorId: 0 }],
  ['RemoteStart.2', { chargingProfile: { ...PROFILE, chargingProfilePurpose: 'TxDefaultProfile' } }],
  ['RemoteStart.2', { chargingProfile: { ...PROFILE, transactionId: 7 } }],
  ['SetProfile.5', { chargingProfile: { ...PROFILE, recurrencyKind: 'Daily' } }],
  ['SetProfile.5', { chargingProfile: { ...PROFILE, chargingProfileKind: 'Absolute' } }],
])('RemoteStartTransaction that breaks the rule %s is not sent: %j', async (rule, fields) => {
  const before = manager.sent().length;
  await expect(manager.command('RemoteStartTransaction', { idTag: 'TAG1', ...fields })).rejects.toMatchObject(
    {
      rule,
    },
  );
  expect(manager.sent()).toHaveLength(before);
});

test('RemoteStartTransaction fills in the id of its profile', async () => {
  await manager.command('RemoteStartTransaction', { idTag: 'TAG1', chargingProfile: UNNUMBERED });
  const first = manager.sent().at(-1)?.request.chargingProfile;
  expect(first).toEqual({ ...UNNUMBERED, chargingProfileId: expect.any(Number) as unknown });
});

test('RemoteStartTransaction and RemoteStopTransaction wait until a pending station is accepted', async () => {
  await manager.rows("UPDATE stations SET registration_status = 'Pending'");
  await expect(manager.command('RemoteStartTransaction', { idTag: 'TAG1' })).rejects.toMatchObject({
    rule: 'RemoteStart.5',
  });
  await expect(manager.command('RemoteStopTransaction', { transactionId: 1 })).rejects.toMatchObject({
    rule: 'RemoteStop.2',
  });
  await manager.rows("UPDATE stations SET registration_status = 'Accepted'");
});

test('a rejected RemoteStopTransaction leaves the transaction open, whatever its id', async () => {
  await start();
  for (const transactionId of [-5, 999_999])
    expect(
      await manager.command('RemoteStopTransaction', { transactionId }, { status: 'Rejected' }),
    ).toMatchObject({ status: 'answered', response: { status: 'Rejected' } });
  expect(await manager.rows('SELECT 1 FROM transactions WHERE stopped_at IS NULL')).toHaveLength(1);
});
