import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { addTag, openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
  await addTag(manager, 'DRIVER');
});
afterAll(() => manager.close());
beforeEach(async () => {
  await manager.rows('TRUNCATE reservations, transactions, connectors, connector_statuses');
});

const HOUR = 3_600_000;

function inMs(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}

/** Reserves for an hour; returns the reservation's id. */
async function reserve(more: object = {}): Promise<number> {
  const request = { connectorId: 1, idTag: 'DRIVER', expiryDate: inMs(HOUR), ...more };
  await manager.command('ReserveNow', request, { status: 'Accepted' });
  return manager.sent().at(-1)?.request['reservationId'] as number;
}

async function report(connectorId: number, status: string, more: object = {}): Promise<void> {
  const request = { connectorId, status, errorCode: 'NoError', ...more };
  expect((await manager.ask('StatusNotification', request)).response).toEqual({});
}

async function start(reservationId: number): Promise<number> {
  const request = { connectorId: 1, idTag: 'DRIVER', meterStart: 0, timestamp: inMs(0), reservationId };
  const { response } = await manager.ask('StartTransaction', request);
  return (response as { transactionId: number }).transactionId;
}

async function reservations(): Promise<Record<string, unknown>[]> {
  return manager.rows('SELECT * FROM reservations ORDER BY reservation_key');
}

test.each([
  ['Faulted', 1],
  ['Unavailable', 1],
  ['Faulted', 0],
  ['Unavailable', 0],
])('%s on connector %i makes the reservation lost', async (status, connectorId) => {
  await reserve();
  await reserve({ connectorId: 2 });
  await report(connectorId, status);
  expect(await reservations()).toMatchObject([
    { state: 'lost', reason: status, ended_at: expect.any(Date) as unknown },
    { state: connectorId === 0 ? 'lost' : 'active' },
  ]);
  const [row] = await manager.rows('SELECT status FROM connectors WHERE connector_id = $1', [connectorId]);
  expect(row).toEqual({ status });
});

test('a reservation of any connector is lost if the station fails, not if a connector fails', async () => {
  await reserve({ connectorId: 0 });
  await report(1, 'Faulted');
  expect(await reservations()).toMatchObject([{ state: 'active' }]);
  await report(0, 'Unavailable');
  expect(await reservations()).toMatchObject([{ state: 'lost' }]);
});

test('Reserved and then Available: cancelled, or expired after its expiry date', async () => {
  await reserve({ connectorId: 1 });
  await reserve({ connectorId: 2, expiryDate: inMs(60_000) });
  for (const connectorId of [1, 2]) await report(connectorId, 'Reserved', { timestamp: inMs(1000) });
  expect(await reservations()).toMatchObject([
    { state: 'active', reserved_at: expect.any(Date) as unknown, ended_at: null },
    { state: 'active', reserved_at: expect.any(Date) as unknown },
  ]);
  for (const connectorId of [1, 2]) await report(connectorId, 'Available', { timestamp: inMs(61_000) });
  expect(await reservations()).toMatchObject([{ state: 'cancelled' }, { state: 'expired' }]);
});

test('an Available that is older than Reserved, or without a Reserved before it, ends nothing', async () => {
  await reserve();
  await report(1, 'Available');
  await report(1, 'Reserved', { timestamp: inMs(5000) });
  await report(1, 'Available', { timestamp: inMs(4000) });
  await report(2, 'Available', { timestamp: inMs(6000) });
  await report(0, 'Available', { timestamp: inMs(6000) });
  expect(await reservations()).toMatchObject([{ state: 'active' }]);
});

test('statuses from before the reservation do not affect it', async () => {
  await reserve();
  for (const status of ['Reserved', 'Available', 'Faulted', 'Unavailable'])
    await report(1, status, { timestamp: inMs(-HOUR) });
  await report(0, 'Faulted', { timestamp: inMs(-HOUR) });
  expect(await reservations()).toMatchObject([{ state: 'active', reserved_at: null }]);
});

test('an ended reservation does not change', async () => {
  const reservationId = await reserve();
  await report(1, 'Reserved');
  const transactionId = await start(reservationId);
  await report(1, 'Available');
  await report(1, 'Faulted');
  expect(await reservations()).toMatchObject([{ state: 'used', transaction_id: transactionId }]);
});

test('concurrent statuses of many connectors all count', async () => {
  for (let connectorId = 1; connectorId <= 10; connectorId++) await reserve({ connectorId });
  await Promise.all(Array.from({ length: 10 }, (_, i) => report(i + 1, i % 2 ? 'Faulted' : 'Charging')));
  expect((await reservations()).map(({ state }) => state)).toEqual(
    Array.from({ length: 10 }, (_, i) => (i % 2 ? 'lost' : 'active')),
  );
});

test("Reserved and Available in one write count in the order of the station's clock", async () => {
  for (const connectorId of [1, 2]) await reserve({ connectorId });
  const at = inMs(1000);
  const later = inMs(2000);
  await Promise.all([
    report(1, 'Available', { timestamp: later }),
    report(1, 'Reserved', { timestamp: at }),
    report(2, 'Reserved', { timestamp: at }),
    report(2, 'Available', { timestamp: later }),
  ]);
  expect(await reservations()).toMatchObject([
    { state: 'cancelled', reserved_at: new Date(at), ended_at: new Date(later) },
    { state: 'cancelled', reserved_at: new Date(at), ended_at: new Date(later) },
  ]);
});

test('Available and then Reserved in one write leave the reservation unchanged', async () => {
  await reserve();
  await Promise.all([
    report(1, 'Reserved', { timestamp: inMs(2000) }),
    report(1, 'Available', { timestamp: inMs(1000) }),
  ]);
  expect(await reservations()).toMatchObject([{ state: 'active', reserved_at: expect.any(Date) as unknown }]);
});
