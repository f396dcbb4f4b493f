import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { addTag, openDesk } from '../desk.ts';
import type { Desk } from '../desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
  await addTag(desk, 'TAG1');
});
afterAll(() => desk.close());
beforeEach(() => desk.rows('TRUNCATE commands, transactions'));

let minute = 0;
async function start(idTag = 'TAG1', connectorId = 1): Promise<unknown> {
  const timestamp = new Date(Date.UTC(2026, 10, 20, 0, minute++)).toISOString();
  await desk.ask('StartTransaction', { connectorId, idTag, meterStart: 0, timestamp });
  const rows = await desk.rows(
    'SELECT remote_start_command_id AS id FROM transactions ORDER BY transaction_id DESC LIMIT 1',
  );
  return rows[0]?.id;
}

test('RemoteStartTransaction: the transaction that follows names its command, and only one does', async () => {
  const { commandId } = await desk.command(
    'RemoteStartTransaction',
    { idTag: 'tag1', connectorId: 1 },
    { status: 'Accepted' },
  );
  expect(await start('TAG1', 2)).toBeNull();
  expect(await start('OTHER')).toBeNull();
  expect(await start()).toBe(commandId);
  expect(await start()).toBeNull();
});

test('RemoteStartTransaction: a start that comes before the answer belongs to it, one after a refusal does not', async () => {
  const { commandId } = await desk.command('RemoteStartTransaction', { idTag: 'TAG1' });
  const call = desk.sent().at(-1);
  expect(await start()).toBe(commandId);
  if (call) await desk.answer(call, { status: 'Accepted' });
  await desk.command('RemoteStartTransaction', { idTag: 'TAG1' }, { status: 'Rejected' });
  expect(await start()).toBeNull();
  await desk.command('RemoteStartTransaction', { idTag: 'TAG1' }, { error: 'InternalError' });
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
])('RemoteStartTransaction against the rule %s is not sent: %j', async (rule, fields) => {
  const before = desk.sent().length;
  await expect(desk.command('RemoteStartTransaction', { idTag: 'TAG1', ...fields })).rejects.toMatchObject({
    rule,
  });
  expect(desk.sent()).toHaveLength(before);
});

test('RemoteStartTransaction fills in the id of its profile', async () => {
  await desk.command('RemoteStartTransaction', { idTag: 'TAG1', chargingProfile: UNNUMBERED });
  const first = desk.sent().at(-1)?.request.chargingProfile;
  expect(first).toEqual({ ...UNNUMBERED, chargingProfileId: expect.any(Number) as unknown });
});

test('RemoteStartTransaction and RemoteStopTransaction wait until a pending station is accepted', async () => {
  await desk.rows("UPDATE stations SET registration_status = 'Pending'");
  await expect(desk.command('RemoteStartTransaction', { idTag: 'TAG1' })).rejects.toMatchObject({
    rule: 'RemoteStart.5',
  });
  await expect(desk.command('RemoteStopTransaction', { transactionId: 1 })).rejects.toMatchObject({
    rule: 'RemoteStop.2',
  });
  await desk.rows("UPDATE stations SET registration_status = 'Accepted'");
});

test('RemoteStopTransaction that is rejected leaves the transaction open, whatever its id', async () => {
  await start();
  for (const transactionId of [-5, 999_999])
    expect(
      await desk.command('RemoteStopTransaction', { transactionId }, { status: 'Rejected' }),
    ).toMatchObject({ status: 'answered', response: { status: 'Rejected' } });
  expect(await desk.rows('SELECT 1 FROM transactions WHERE stopped_at IS NULL')).toHaveLength(1);
});
