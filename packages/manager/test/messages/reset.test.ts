import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());

const BOOT = { chargePointVendor: 'V', chargePointModel: 'M' };

async function pendingSince(): Promise<unknown> {
  return (await manager.rows('SELECT reset_pending_since AS since FROM stations'))[0]?.since;
}

test('Reset: once accepted, it is pending until the next BootNotification', async () => {
  await manager.command('Reset', { type: 'Hard' }, { status: 'Rejected' });
  expect(await pendingSince()).toBeNull();
  await manager.command('Reset', { type: 'Hard' }, { status: 'Accepted' });
  expect(await pendingSince()).toBeInstanceOf(Date);
  await manager.ask('BootNotification', BOOT);
  expect(await pendingSince()).toBeNull();
});

test('Reset: a station that boots before it answers has completed it', async () => {
  await manager.command('Reset', { type: 'Soft' });
  const call = manager.sent().at(-1);
  await manager.ask('BootNotification', BOOT);
  if (call) await manager.answer(call, { status: 'Accepted' });
  expect(await pendingSince()).toBeNull();
});
