import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDesk } from '../desk.ts';
import type { Desk } from '../desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

const BOOT = { chargePointVendor: 'V', chargePointModel: 'M' };

async function pendingSince(): Promise<unknown> {
  return (await desk.rows('SELECT reset_pending_since AS since FROM stations'))[0]?.since;
}

test('Reset: an accepted one is pending until the next BootNotification', async () => {
  await desk.command('Reset', { type: 'Hard' }, { status: 'Rejected' });
  expect(await pendingSince()).toBeNull();
  await desk.command('Reset', { type: 'Hard' }, { status: 'Accepted' });
  expect(await pendingSince()).toBeInstanceOf(Date);
  await desk.ask('BootNotification', BOOT);
  expect(await pendingSince()).toBeNull();
});

test('Reset: a station that boots before it answers has done it', async () => {
  await desk.command('Reset', { type: 'Soft' });
  const call = desk.sent().at(-1);
  await desk.ask('BootNotification', BOOT);
  if (call) await desk.answer(call, { status: 'Accepted' });
  expect(await pendingSince()).toBeNull();
});
