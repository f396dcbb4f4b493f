import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { addTag, openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
  await addTag(manager, 'T');
});
afterAll(() => manager.close());
beforeEach(() => manager.rows('TRUNCATE reservations, transactions'));

async function reserve(connectorId = 1): Promise<unknown> {
  const expiryDate = new Date(Date.now() + 3_600_000).toISOString();
  await manager.command('ReserveNow', { connectorId, idTag: 'T', expiryDate }, { status: 'Accepted' });
  return manager.sent().at(-1)?.request['reservationId'];
}

async function reservations(): Promise<Record<string, unknown>[]> {
  return manager.rows('SELECT * FROM reservations ORDER BY reservation_key');
}

test.each([
  ['Accepted', 'cancelled'],
  ['Rejected', 'ended'],
])('CancelReservation answered %s: it is %s', async (status, state) => {
  const reservationId = await reserve();
  await reserve(2);
  await manager.command('CancelReservation', { reservationId }, { status });
  expect(await reservations()).toMatchObject([
    { state, ended_at: expect.any(Date) as unknown },
    { state: 'active', ended_at: null },
  ]);
});

test('CancelReservation with a CALLERROR leaves the reservation', async () => {
  const reservationId = await reserve();
  await manager.command('CancelReservation', { reservationId }, { error: 'InternalError' });
  expect(await reservations()).toMatchObject([{ state: 'active' }]);
});

test('CancelReservation Rejected after the expiry leaves it expired', async () => {
  const reservationId = await reserve();
  await manager.rows("UPDATE reservations SET expiry_date = now() - interval '1 minute'");
  await manager.command('CancelReservation', { reservationId }, { status: 'Rejected' });
  const [row] = await reservations();
  expect(row).toMatchObject({ state: 'expired' });
  expect(row?.['ended_at']).toEqual(row?.['expiry_date']);
});

test('CancelReservation of a used or unknown reservation changes nothing', async () => {
  const reservationId = await reserve();
  const start = {
    connectorId: 1,
    idTag: 'T',
    meterStart: 0,
    timestamp: new Date().toISOString(),
    reservationId,
  };
  await manager.ask('StartTransaction', start);
  await manager.command('CancelReservation', { reservationId }, { status: 'Rejected' });
  await manager.command('CancelReservation', { reservationId: 4711 }, { status: 'Accepted' });
  expect(await reservations()).toMatchObject([{ state: 'used' }]);
});

test('the status Available before the answer to CancelReservation leads to the same result', async () => {
  const reservationId = await reserve();
  const report = (status: string) =>
    manager.ask('StatusNotification', { connectorId: 1, status, errorCode: 'NoError' });
  await report('Reserved');
  await manager.command('CancelReservation', { reservationId });
  await report('Available');
  const call = manager.sent().at(-1);
  if (call) await manager.answer(call, { status: 'Accepted' });
  expect(await reservations()).toMatchObject([{ state: 'cancelled' }]);
});
