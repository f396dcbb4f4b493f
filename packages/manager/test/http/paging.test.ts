import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import * as rejected from '../../src/presence/rejected-handshakes.store.ts';
import * as connectors from '../../src/stations/connectors.store.ts';
import * as meterValues from '../../src/transactions/meter-values.store.ts';
import { addTag } from '../test-manager.ts';
import { allPages, openApi } from './harness.ts';
import type { TestApi } from './harness.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

const NUMBERS = Array.from({ length: 23 }, (_, i) => i);
const second = (i: number): Date => new Date(Date.UTC(2026, 10, 20, 10, 0, i));

test('a page has fifty items by default, and the last one has no cursor', async () => {
  for (let i = 0; i < 51; i++) await addTag(api.manager, `FIFTY${i}`);
  const { body } = await api.send('GET', '/api/v1/tags?prefix=fifty');
  expect(body.items).toHaveLength(50);
  const rest = await api.send('GET', `/api/v1/tags?prefix=fifty&cursor=${body.nextCursor}`);
  expect(rest.body.items).toHaveLength(1);
  expect(rest.body.nextCursor).toBeNull();
  expect((await api.send('GET', '/api/v1/tags?prefix=nobody')).body).toEqual({ items: [], nextCursor: null });
});

test('pages of tags contain every item once, even if tags are added and removed between them', async () => {
  for (const i of NUMBERS) await addTag(api.manager, `PAGE${i}`);
  const first = (await api.send('GET', '/api/v1/tags?prefix=page&limit=10')).body;
  await api.manager.rows("DELETE FROM tags WHERE id_tag = 'PAGE0'");
  await addTag(api.manager, 'PAGE-');
  const rest = (await api.send('GET', `/api/v1/tags?prefix=page&limit=50&cursor=${first.nextCursor}`)).body;
  const ids = [...first.items, ...rest.items].map(({ idTag }) => idTag);
  expect(ids.filter((id) => id !== 'PAGE-').sort()).toEqual(NUMBERS.map((i) => `PAGE${i}`).sort());
});

test('registered and unknown stations are listed together in order', async () => {
  const { database } = api.manager;
  for (const i of NUMBERS) {
    const stationId = `P/${String(i).padStart(2, '0')}`;
    if (i % 3 === 0) await api.manager.rows('INSERT INTO stations (station_id) VALUES ($1)', [stationId]);
    const handshake = { stationId, status: 404, at: second(i).toISOString() };
    if (i % 3 !== 0) await rejected.record(database, [{ ...handshake, reason: 'unknown station' }]);
    if (i % 4 === 0) await rejected.record(database, [{ ...handshake, reason: 'wrong password' }]);
  }
  const listed = await allPages(api, '/api/v1/stations?prefix=P/', 4);
  const ids = NUMBERS.map((i) => `P/${String(i).padStart(2, '0')}`);
  expect(listed.map(({ stationId }) => stationId)).toEqual(ids);
  expect(listed.map(({ adopted }) => adopted)).toEqual(NUMBERS.map((i) => i % 3 === 0));
  const strangers = await allPages(api, '/api/v1/stations?prefix=P/&adopted=false', 4);
  expect(strangers.map(({ stationId }) => stationId)).toEqual(ids.filter((_, i) => i % 3 !== 0));
  const adopted = await allPages(api, '/api/v1/stations?prefix=P/&adopted=true', 4);
  expect(adopted).toHaveLength(8);
  expect((await allPages(api, '/api/v1/stations?prefix=P/&registrationStatus=Accepted', 4)).length).toBe(0);
});

test('meter values of several connectors are in the order of time, each once', async () => {
  const sample = {
    stationId: 'CP1',
    transactionId: null,
    transactionInferred: false,
    context: 'Sample.Periodic',
    measurand: 'Voltage',
    phase: null,
    location: 'Outlet',
    format: 'Raw',
    unit: 'V',
    receivedAt: second(0),
  };
  const samples = NUMBERS.flatMap((i) =>
    [0, 1, 7].flatMap((connectorId) =>
      ['230', '231'].map((value) => ({ ...sample, connectorId, value, measuredAt: second(i >> 1) })),
    ),
  );
  await meterValues.record(api.manager.database, samples);
  const expected = new Set(
    samples.map(({ connectorId, value, measuredAt }) =>
      [measuredAt.toISOString(), connectorId, value].join(),
    ),
  );
  const path = '/api/v1/stations/CP1/meter-values?measurand=Voltage';
  const listed = await allPages(api, path, 7);
  expect(listed).toHaveLength(expected.size);
  expect(
    new Set(listed.map(({ connectorId, value, measuredAt }) => [measuredAt, connectorId, value].join())),
  ).toEqual(expected);
  const times = listed.map(({ measuredAt }) => String(measuredAt));
  expect(times).toEqual([...times].sort());
  const some = await allPages(
    api,
    `${path}&connectorId=7&from=${second(2).toISOString()}&to=${second(5).toISOString()}`,
    4,
  );
  expect(some).toHaveLength(6);
  expect((await api.send('GET', '/api/v1/stations/nobody/meter-values')).status).toBe(404);
});

test("a connector's statuses are listed newest first, each once", async () => {
  const status = { stationId: 'CP1', connectorId: 3, errorCode: 'NoError', receivedAt: second(0) };
  const nothing = { info: null, vendorId: null, vendorErrorCode: null, stationTime: null };
  await connectors.record(
    api.manager.database,
    NUMBERS.map((i) => ({
      ...status,
      ...nothing,
      status: i % 2 === 0 ? 'Available' : 'Preparing',
      statusAt: second(i >> 1),
    })),
  );
  const listed = await allPages(api, '/api/v1/stations/CP1/connectors/3/statuses', 4);
  expect(listed).toHaveLength(23);
  const times = listed.map(({ statusAt }) => String(statusAt));
  expect(times).toEqual([...times].sort().reverse());
  expect(
    await allPages(
      api,
      `/api/v1/stations/CP1/connectors/3/statuses?from=${second(1).toISOString()}&to=${second(3).toISOString()}`,
      4,
    ),
  ).toHaveLength(4);
});

test('API keys and unmatched stops have pages too', async () => {
  for (const i of NUMBERS) {
    await api.send('POST', '/api/v1/api-keys', { name: `same ${i % 3}`, role: 'viewer' });
    await api.manager.ask('StopTransaction', {
      transactionId: 900_000 + i,
      meterStop: 5,
      timestamp: second(i).toISOString(),
    });
  }
  const keys = await allPages(api, '/api/v1/api-keys', 5);
  expect(new Set(keys.map(({ keyId }) => keyId)).size).toBe(26);
  expect(keys).toHaveLength(26);
  const stops = await allPages(api, '/api/v1/unmatched-stops?stationId=CP1', 5);
  expect(stops.map(({ transactionId }) => transactionId)).toEqual(NUMBERS.map((i) => 900_000 + i).reverse());
});

test('transactions of a period are ordered by their start, even if they were sent late; a cursor is valid for one order only', async () => {
  const order = [3, 1, 4, 0, 2, 5];
  for (const i of order) {
    const request = { connectorId: 40 + i, idTag: i % 2 === 0 ? 'EVEN' : 'ODD', meterStart: 0 };
    await api.manager.ask('StartTransaction', { ...request, timestamp: second(i).toISOString() });
  }
  const connectors = (items: Record<string, unknown>[]): number[] =>
    items.map(({ connectorId }) => Number(connectorId) - 40);
  const path = '/api/v1/transactions?stationId=CP1';
  const period = `from=${second(0).toISOString()}&to=${second(5).toISOString()}`;
  expect(connectors(await allPages(api, path, 2))).toEqual([...order].reverse());
  expect(connectors(await allPages(api, `${path}&${period}`, 2))).toEqual([4, 3, 2, 1, 0]);
  expect(connectors(await allPages(api, `/api/v1/transactions?idTag=even&${period}`, 2))).toEqual([4, 2, 0]);
  expect(connectors(await allPages(api, '/api/v1/transactions?idTag=even', 2))).toEqual([2, 0, 4]);
  const first = (await api.send('GET', `${path}&limit=2`)).body;
  const other = await api.send('GET', `${path}&${period}&cursor=${first.nextCursor}`);
  expect({ status: other.status, field: other.body['field'] }).toEqual({ status: 400, field: 'cursor' });
});

test('events of several kinds and groups are in order across pages', async () => {
  // Events of earlier tests may get their ids only now, between those of this test: wait for them.
  while ((await api.manager.rows('SELECT FROM event_intake')).length > 0) await delay(5);
  const kinds = ['transaction.started', 'station.booted', 'transaction.closed', 'log.status', 'x.unknown'];
  await api.manager.rows(
    `INSERT INTO events (at, kind, station_id, data)
     SELECT now(), ($1::text[])[1 + i % 5], 'EV' || i % 2, '{}' FROM generate_series(1, 50) AS i`,
    [kinds],
  );
  const rows = await api.manager.rows(
    `SELECT id, kind, station_id FROM events WHERE station_id LIKE 'EV_' ORDER BY id DESC`,
  );
  const from = Number(rows.at(-1)?.['id']);
  for (const [filter, fits] of [
    ['kind=transaction.*', /^transaction/],
    ['kind=log.status', /^log/],
    ['kind=transaction.*,transaction.closed,log.*', /^(transaction|log)/],
  ] as const) {
    for (const stationId of [undefined, 'EV1']) {
      const desired = rows.filter(
        (row) =>
          fits.test(String(row['kind'])) && (stationId === undefined || row['station_id'] === stationId),
      );
      const query = `${filter}${stationId === undefined ? '' : `&stationId=${stationId}`}`;
      const newestFirst = await allPages(api, `/api/v1/events?${query}`, 7);
      expect(newestFirst.filter(({ id }) => Number(id) >= from).map(({ id }) => id)).toEqual(
        desired.map(({ id }) => id),
      );
      const oldestFirst = await allPages(api, `/api/v1/events?${query}&lastEventId=${from - 1}`, 7);
      expect(oldestFirst.map(({ id }) => id)).toEqual(desired.map(({ id }) => id).reverse());
    }
  }
});
