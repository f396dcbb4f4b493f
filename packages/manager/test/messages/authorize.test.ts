import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { addTag, openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());

async function statusOf(idTag: string): Promise<unknown> {
  return ((await manager.ask('Authorize', { idTag })).response as { idTagInfo: unknown }).idTagInfo;
}

test('distinguishes unknown, blocked, expired and valid tags', async () => {
  await addTag(manager, 'GOOD');
  await addTag(manager, 'BLOCKED', { status: 'Blocked' });
  await addTag(manager, 'OLD', { expiry_date: '2020-01-01T00:00:00Z' });
  expect(await statusOf('NOBODY')).toEqual({ status: 'Invalid' });
  expect(await statusOf('GOOD')).toEqual({ status: 'Accepted' });
  expect(await statusOf('BLOCKED')).toEqual({ status: 'Blocked' });
  expect(await statusOf('OLD')).toEqual({ status: 'Expired', expiryDate: '2020-01-01T00:00:00.000Z' });
});

test('compares tags without regard to case, and returns their group and expiry date', async () => {
  await addTag(manager, 'GrOuP1', { parent_id_tag: 'FLEET', expiry_date: '2040-01-01T00:00:00Z' });
  expect(await statusOf('gRoUp1')).toEqual({
    status: 'Accepted',
    parentIdTag: 'FLEET',
    expiryDate: '2040-01-01T00:00:00.000Z',
  });
});

test('never answers ConcurrentTx: the tag may be presented to stop a transaction', async () => {
  await addTag(manager, 'ONCE', { concurrent_transaction_limit: 1 });
  const timestamp = new Date().toISOString();
  await manager.ask('StartTransaction', { connectorId: 1, idTag: 'ONCE', meterStart: 0, timestamp });
  expect(await statusOf('ONCE')).toEqual({ status: 'Accepted' });
});

test('stores each attempt once, however often its envelope is delivered', async () => {
  const question = { id: 'a1', receivedAt: '2026-11-01T10:00:00.000Z' };
  await manager.ask('Authorize', { idTag: 'STRANGER' }, question);
  await manager.ask('Authorize', { idTag: 'STRANGER' }, question);
  expect(
    await manager.rows("SELECT station_id, status FROM authorizations WHERE id_tag = 'STRANGER'"),
  ).toEqual([{ station_id: 'CP1', status: 'Invalid' }]);
});
