import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import * as reservationStore from '../../src/reservations/reservations.store.ts';
import { addTag, openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
  await addTag(manager, 'DRIVER', { parent_id_tag: 'FLEET' });
  await addTag(manager, 'COLLEAGUE', { parent_id_tag: 'fleet' });
  await addTag(manager, 'STRANGER');
});
afterAll(() => manager.close());
beforeEach(async () => {
  await manager.rows('TRUNCATE reservations, configuration_keys, transactions');
});

const HOUR = 3_600_000;

function inMs(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}

/** Reserves for an hour; returns the reservation's id. */
async function reserve(more: object = {}, answer: object = { status: 'Accepted' }): Promise<number> {
  const request = { connectorId: 1, idTag: 'DRIVER', expiryDate: inMs(HOUR), ...more };
  const { commandId } = await manager.command('ReserveNow', request, answer);
  const [row] = await manager.rows('SELECT reservation_id FROM reservations WHERE command_id = $1', [
    commandId,
  ]);
  return row?.['reservation_id'] as number;
}

async function start(more: object = {}): Promise<number> {
  const request = { connectorId: 1, idTag: 'DRIVER', meterStart: 0, timestamp: inMs(0), ...more };
  const { response } = await manager.ask('StartTransaction', request);
  return (response as { transactionId: number }).transactionId;
}

async function reservations(): Promise<Record<string, unknown>[]> {
  return manager.rows('SELECT * FROM reservations ORDER BY reservation_key');
}

test('ReserveNow is recorded before it is answered, gets an id, and is active once accepted', async () => {
  const expiryDate = inMs(HOUR);
  const request = { connectorId: 1, idTag: 'Driver', parentIdTag: 'FLEET', expiryDate };
  const { commandId } = await manager.command('ReserveNow', request);
  expect(await reservations()).toMatchObject([
    {
      station_id: 'CP1',
      command_id: commandId,
      reservation_id: manager.sent().at(-1)?.request['reservationId'],
      connector_id: 1,
      id_tag: 'Driver',
      parent_id_tag: 'FLEET',
      expiry_date: new Date(expiryDate),
      state: 'requested',
    },
  ]);
  const call = manager.sent().at(-1);
  if (call) await manager.answer(call, { status: 'Accepted' });
  expect(await reservations()).toMatchObject([{ state: 'active', accepted_at: expect.any(Date) as unknown }]);
  expect(await reserve({ connectorId: 2 })).not.toBe((await reservations())[0]?.['reservation_id']);
});

test.each(['Faulted', 'Occupied', 'Rejected', 'Unavailable'])(
  'ReserveNow answered %s is refused',
  async (status) => {
    await reserve({}, { status });
    expect(await reservations()).toMatchObject([
      { state: 'refused', reason: status, ended_at: expect.any(Date) as unknown },
    ]);
  },
);

test('ReserveNow with a CALLERROR is refused, with its reason', async () => {
  await reserve({}, { error: 'NotSupported' });
  expect(await reservations()).toMatchObject([{ state: 'refused', reason: 'NotSupported: no' }]);
});

test('ReserveNow with an id in use replaces that reservation once accepted', async () => {
  const reservationId = await reserve();
  await reserve({ reservationId, connectorId: 2 }, { status: 'Rejected' });
  expect(await reservations()).toMatchObject([{ state: 'active' }, { state: 'refused' }]);
  await reserve({ reservationId, connectorId: 2 });
  expect(await reservations()).toMatchObject([
    { state: 'replaced' },
    { state: 'refused' },
    { state: 'active', connector_id: 2 },
  ]);
  await start({ connectorId: 2, reservationId });
  expect(await reservations()).toMatchObject([
    { state: 'replaced' },
    { state: 'refused' },
    { state: 'used' },
  ]);
});

test('a start with the reservationId uses it, once', async () => {
  const reservationId = await reserve();
  const timestamp = inMs(1000);
  const transactionId = await start({ reservationId, timestamp });
  expect(await start({ reservationId, timestamp })).toBe(transactionId);
  expect(await reservations()).toMatchObject([
    { state: 'used', transaction_id: transactionId, ended_at: new Date(timestamp) },
  ]);
  // Another start that names it does not use it again.
  expect(await start({ reservationId, timestamp: inMs(2000) })).toBeGreaterThan(transactionId);
  expect(await reservations()).toMatchObject([{ transaction_id: transactionId }]);
});

test('a start may arrive before the answer to ReserveNow, or long after it', async () => {
  const reservationId = 7000;
  const request = { connectorId: 1, idTag: 'DRIVER', expiryDate: inMs(HOUR), reservationId };
  await manager.command('ReserveNow', request);
  const transactionId = await start({ reservationId });
  const call = manager.sent().at(-1);
  if (call) await manager.answer(call, { status: 'Accepted' });
  expect(await reservations()).toMatchObject([{ state: 'used', transaction_id: transactionId }]);

  const late = await reserve({ connectorId: 3, expiryDate: inMs(50_000) });
  await reservationStore.expire(manager.database, new Date(Date.now() + HOUR));
  expect(await reservations()).toMatchObject([{ state: 'used' }, { state: 'expired' }]);
  await start({ connectorId: 3, reservationId: late, timestamp: inMs(10_000) });
  expect(await reservations()).toMatchObject([{ state: 'used' }, { state: 'used' }]);
});

test.each([-1, 0, -77])('a start with the reservationId %i uses the reservation of its tag', async (none) => {
  await reserve();
  const transactionId = await start({ reservationId: none });
  expect(await reservations()).toMatchObject([{ state: 'used', transaction_id: transactionId }]);
  const [row] = await manager.rows('SELECT reservation_id FROM transactions WHERE transaction_id = $1', [
    transactionId,
  ]);
  expect(row).toEqual({ reservation_id: null });
});

test('a start with an unknown reservationId is recorded, and nothing else changes', async () => {
  await reserve();
  expect(await start({ reservationId: 424_242 })).toBeGreaterThan(0);
  expect(await reservations()).toMatchObject([{ state: 'active' }]);
});

test.each([
  ['its tag in another case', { idTag: 'driver' }, 'used'],
  ['a tag of its group', { idTag: 'COLLEAGUE' }, 'used'],
  ['a tag without a group', { idTag: 'STRANGER' }, 'active'],
  ['an unknown tag', { idTag: 'FLEET2' }, 'active'],
  ['its tag on another connector', { connectorId: 2 }, 'active'],
  ['its tag, from before the reservation', { timestamp: inMs(-HOUR) }, 'active'],
  ['its tag, after it has expired', { timestamp: inMs(2 * HOUR) }, 'active'],
])('a start without a reservationId, by %s', async (_name, more, state) => {
  await reserve({ parentIdTag: 'FLEET' });
  const transactionId = await start(more);
  expect(await reservations()).toMatchObject([
    { state, transaction_id: state === 'used' ? transactionId : null },
  ]);
});

test('a start uses a reservation of its own connector before one of any connector', async () => {
  await reserve({ connectorId: 0 });
  await reserve({ connectorId: 1 });
  await start();
  expect(await reservations()).toMatchObject([{ state: 'active' }, { state: 'used' }]);
  await start({ connectorId: 2 });
  expect(await reservations()).toMatchObject([{ state: 'used' }, { state: 'used' }]);
});

test.each([
  ['a negative connectorId', { connectorId: -1 }, 'ReserveNow.2'],
  ['an expiryDate that has passed', { expiryDate: inMs(-1000) }, 'ReserveNow.5'],
  ['a reservationId of 0', { reservationId: 0 }, 'ReserveNow.1'],
])('ReserveNow with %s is not sent', async (_name, more, rule) => {
  const request = { connectorId: 1, idTag: 'DRIVER', expiryDate: inMs(HOUR), ...more };
  await expect(manager.command('ReserveNow', request)).rejects.toMatchObject({ rule });
  expect(await reservations()).toEqual([]);
});

test('ReserveNow of connector 0 is not sent if the station is known not to support it', async () => {
  await reserve({ connectorId: 0 });
  await manager.rows(
    `INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at)
     VALUES ('CP1', 'reserveconnectorzerosupported', 'ReserveConnectorZeroSupported', 'False', now())`,
  );
  const request = { connectorId: 0, idTag: 'DRIVER', expiryDate: inMs(HOUR) };
  await expect(manager.command('ReserveNow', request)).rejects.toMatchObject({ rule: 'ReserveNow.2' });
  expect(await reservations()).toHaveLength(1);
});
