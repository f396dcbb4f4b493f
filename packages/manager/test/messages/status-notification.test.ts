import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDesk } from '../desk.ts';
import type { Desk } from '../desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

async function tell(connectorId: number, status: string, more: object = {}, question = {}): Promise<unknown> {
  return (
    await desk.ask('StatusNotification', { connectorId, status, errorCode: 'NoError', ...more }, question)
  ).response;
}

async function present(connectorId: number): Promise<Record<string, unknown> | undefined> {
  return (await desk.rows('SELECT * FROM connectors WHERE connector_id = $1', [connectorId]))[0];
}

async function history(connectorId: number): Promise<unknown[]> {
  const rows = await desk.rows(
    'SELECT status FROM connector_statuses WHERE connector_id = $1 ORDER BY status_at',
    [connectorId],
  );
  return rows.map(({ status }) => status);
}

test('keeps the present status and the history, the whole station as connector 0', async () => {
  await tell(0, 'Available');
  await tell(1, 'Preparing', {
    timestamp: '2026-11-20T10:00:00Z',
    info: 'plugged',
    vendorId: 'v',
    vendorErrorCode: 'E1',
  });
  await tell(1, 'Charging', { timestamp: '2026-11-20T10:01:00Z' });
  expect(await present(0)).toMatchObject({ status: 'Available' });
  expect(await present(1)).toMatchObject({
    status: 'Charging',
    info: null,
    status_at: new Date('2026-11-20T10:01:00Z'),
  });
  expect(await history(1)).toEqual(['Preparing', 'Charging']);
});

test('an older status goes to the history and does not overwrite a newer one', async () => {
  await tell(2, 'Charging', { timestamp: '2026-11-20T10:05:00Z' });
  await tell(2, 'Preparing', { timestamp: '2026-11-20T10:04:00Z' });
  expect(await present(2)).toMatchObject({ status: 'Charging' });
  expect(await history(2)).toEqual(['Preparing', 'Charging']);
});

test('a repeat has one effect', async () => {
  const question = { id: 'n1', receivedAt: '2026-11-20T10:00:00.000Z' };
  await tell(3, 'Available', {}, question);
  await tell(3, 'Available', {}, question);
  await tell(3, 'Available', { timestamp: '2026-11-20T10:00:00.000Z' }, { id: 'n2' });
  expect(await history(3)).toEqual(['Available']);
});

test('many at once, for one connector too, all land', async () => {
  const times = Array.from({ length: 30 }, (_, i) => new Date(Date.UTC(2026, 10, 20, 11, i)).toISOString());
  await Promise.all(times.map((timestamp, i) => tell(4, i % 2 ? 'Charging' : 'SuspendedEV', { timestamp })));
  expect(await history(4)).toHaveLength(30);
  expect(await present(4)).toMatchObject({ status: 'Charging', status_at: new Date(times[29] ?? '') });
});

test('a clock that is not set, or far ahead, hides nothing that comes after it', async () => {
  await tell(5, 'Faulted', { timestamp: '2099-01-01T00:00:00Z' }, { receivedAt: '2026-11-20T10:00:00.000Z' });
  await tell(5, 'Available', { timestamp: '2026-11-20T10:00:01Z' });
  expect(await present(5)).toMatchObject({ status: 'Available' });
  await tell(
    5,
    'Preparing',
    { timestamp: '1970-01-01T00:00:05Z' },
    { receivedAt: '2026-11-20T10:00:02.000Z' },
  );
  expect(await present(5)).toMatchObject({ status: 'Preparing' });
});

test('an unknown status is the fault of the station', async () => {
  const request = { connectorId: 6, status: 'Broken', errorCode: 'NoError' };
  expect(await desk.ask('StatusNotification', request)).toMatchObject({
    code: 'PropertyConstraintViolation',
  });
  expect(await present(6)).toBeUndefined();
});
