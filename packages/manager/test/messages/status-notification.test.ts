import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createWriter } from '../../src/station-writer.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());

async function report(
  connectorId: number,
  status: string,
  more: object = {},
  question = {},
): Promise<unknown> {
  return (
    await manager.ask('StatusNotification', { connectorId, status, errorCode: 'NoError', ...more }, question)
  ).response;
}

async function present(connectorId: number): Promise<Record<string, unknown> | undefined> {
  return (await manager.rows('SELECT * FROM connectors WHERE connector_id = $1', [connectorId]))[0];
}

async function history(connectorId: number): Promise<unknown[]> {
  const rows = await manager.rows(
    'SELECT status FROM connector_statuses WHERE connector_id = $1 ORDER BY status_at',
    [connectorId],
  );
  return rows.map(({ status }) => status);
}

test('stores the current status and the history; connector 0 is the whole station', async () => {
  await report(0, 'Available');
  await report(1, 'Preparing', {
    timestamp: '2026-11-20T10:00:00Z',
    info: 'plugged',
    vendorId: 'v',
    vendorErrorCode: 'E1',
  });
  await report(1, 'Charging', { timestamp: '2026-11-20T10:01:00Z' });
  expect(await present(0)).toMatchObject({ status: 'Available' });
  expect(await present(1)).toMatchObject({
    status: 'Charging',
    info: null,
    status_at: new Date('2026-11-20T10:01:00Z'),
  });
  expect(await history(1)).toEqual(['Preparing', 'Charging']);
});

test('an older status goes to the history and does not overwrite a newer one', async () => {
  await report(2, 'Charging', { timestamp: '2026-11-20T10:05:00Z' });
  await report(2, 'Preparing', { timestamp: '2026-11-20T10:04:00Z' });
  expect(await present(2)).toMatchObject({ status: 'Charging' });
  expect(await history(2)).toEqual(['Preparing', 'Charging']);
});

test('a repeat has one effect', async () => {
  const question = { id: 'n1', receivedAt: '2026-11-20T10:00:00.000Z' };
  await report(3, 'Available', {}, question);
  await report(3, 'Available', {}, question);
  await report(3, 'Available', { timestamp: '2026-11-20T10:00:00.000Z' }, { id: 'n2' });
  expect(await history(3)).toEqual(['Available']);
});

test.each([
  ['far ahead', '2099-01-01T00:00:00Z'],
  ['a day ahead', '2026-11-21T10:00:01Z'],
  ['that is not set', '1970-01-01T00:00:05Z'],
])('a repeat from a station with a clock %s has one effect', async (_clock, timestamp) => {
  const connectorId = Number(timestamp.slice(0, 4));
  const ids = await manager.rows("SELECT count(*) AS n FROM event_intake WHERE kind = 'connector.status'");
  await report(connectorId, 'Reserved', { timestamp }, { receivedAt: '2026-11-20T10:00:00.000Z' });
  await report(connectorId, 'Charging', {}, { receivedAt: '2026-11-20T10:00:03.000Z' });
  // Over another connection, and twice in one batch.
  await Promise.all(
    [5, 6].map((second) =>
      report(connectorId, 'Reserved', { timestamp }, { receivedAt: `2026-11-20T10:00:0${second}.000Z` }),
    ),
  );
  expect(await history(connectorId)).toEqual(['Reserved', 'Charging']);
  expect(await present(connectorId)).toMatchObject({ status: 'Charging' });
  expect(
    await manager.rows("SELECT count(*) AS n FROM event_intake WHERE kind = 'connector.status'"),
  ).toEqual([{ n: Number(ids[0]?.n) + 2 }]);
  // The same status with another timestamp is not a repeat.
  await report(
    connectorId,
    'Reserved',
    { timestamp: timestamp.replace('Z', '.5Z') },
    { receivedAt: '2026-11-20T10:00:09.000Z' },
  );
  expect(await present(connectorId)).toMatchObject({ status: 'Reserved' });
});

test('a repeat that two managers handle concurrently has one effect', async () => {
  const writers = [createWriter(manager.database), createWriter(manager.database)];
  const status = {
    stationId: 'CP1',
    connectorId: 29,
    status: 'Charging',
    errorCode: 'NoError',
    info: null,
    vendorId: null,
    vendorErrorCode: null,
    stationTime: '2099-01-01T00:00:00Z',
  };
  await Promise.all(
    [...writers, ...writers, ...writers].map((writer, i) => {
      const at = new Date(Date.UTC(2026, 10, 20, 10, 0, i));
      return writer.statuses.add([{ ...status, statusAt: at, receivedAt: at }]);
    }),
  );
  expect(await history(29)).toEqual(['Charging']);
});

test('two faults within one second are both in the history', async () => {
  const timestamp = '2026-11-20T12:00:00Z';
  for (const vendorErrorCode of ['E1', 'E2', 'E1'])
    await report(28, 'Faulted', { errorCode: 'OtherError', vendorErrorCode, timestamp });
  expect(await history(28)).toEqual(['Faulted', 'Faulted']);
  expect(await present(28)).toMatchObject({ vendor_error_code: 'E1' });
});

test('many concurrent statuses are all stored, even for one connector', async () => {
  const times = Array.from({ length: 30 }, (_, i) => new Date(Date.UTC(2026, 10, 20, 11, i)).toISOString());
  await Promise.all(
    times.map((timestamp, i) => report(4, i % 2 ? 'Charging' : 'SuspendedEV', { timestamp })),
  );
  expect(await history(4)).toHaveLength(30);
  expect(await present(4)).toMatchObject({ status: 'Charging', status_at: new Date(times[29] ?? '') });
});

test('a clock that is not set or far ahead does not hide later statuses', async () => {
  await report(
    5,
    'Faulted',
    { timestamp: '2099-01-01T00:00:00Z' },
    { receivedAt: '2026-11-20T10:00:00.000Z' },
  );
  await report(5, 'Available', { timestamp: '2026-11-20T10:00:01Z' });
  expect(await present(5)).toMatchObject({ status: 'Available' });
  await report(
    5,
    'Preparing',
    { timestamp: '1970-01-01T00:00:05Z' },
    { receivedAt: '2026-11-20T10:00:02.000Z' },
  );
  expect(await present(5)).toMatchObject({ status: 'Preparing' });
});
