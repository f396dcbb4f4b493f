import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { addTag } from '../test-manager.ts';
import { allPages, openApi } from './harness.ts';
import type { TestApi } from './harness.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

const v1 = (method: string, path: string, body?: unknown) => api.send(method, `/api/v1${path}`, body);

const all = (path: string, limit: number) => allPages(api, `/api/v1${path}`, limit);

test('a tag is added, changed in part, found in any case, listed and removed', async () => {
  const expiryDate = '2030-01-01T00:00:00.000Z';
  expect(
    await v1('PUT', '/tags/Card1', { parentIdTag: 'FLEET', expiryDate, concurrentTransactionLimit: 2 }),
  ).toMatchObject({
    status: 201,
    body: {
      idTag: 'Card1',
      status: 'Accepted',
      parentIdTag: 'FLEET',
      expiryDate,
      concurrentTransactionLimit: 2,
      note: null,
    },
  });
  expect(
    await v1('PUT', '/tags/CARD1', { status: 'Blocked', concurrentTransactionLimit: null }),
  ).toMatchObject({
    status: 200,
    body: { status: 'Blocked', parentIdTag: 'FLEET', expiryDate, concurrentTransactionLimit: null },
  });
  expect((await v1('GET', '/tags/card1')).body).toMatchObject({ status: 'Blocked' });
  expect((await v1('GET', '/tags?parentIdTag=fleet&status=Blocked&prefix=CA')).body.items).toHaveLength(1);
  expect((await v1('DELETE', '/tags/cArD1')).status).toBe(204);
  expect((await v1('GET', '/tags/card1')).status).toBe(404);
});

test('transactions are listed newest first, filtered, with their meter values', async () => {
  await addTag(api.manager, 'T1');
  const ids: number[] = [];
  for (let hour = 0; hour < 7; hour++) {
    const at = (minute: number): string => new Date(Date.UTC(2026, 10, 1, hour, minute)).toISOString();
    const start = { connectorId: 2, idTag: 'T1', meterStart: 100, timestamp: at(0) };
    const { transactionId } = (await api.manager.ask('StartTransaction', start)).response as {
      transactionId: number;
    };
    ids.unshift(transactionId);
    const meterValue = [10, 20, 30].map((minute) => ({
      timestamp: at(minute),
      sampledValue: [{ value: `${minute}` }, { value: '230', measurand: 'Voltage' }],
    }));
    await api.manager.ask('MeterValues', { connectorId: 2, transactionId, meterValue });
    if (hour < 6)
      await api.manager.ask('StopTransaction', { transactionId, meterStop: 1100, timestamp: at(59) });
  }
  const listed = await all('/transactions?stationId=CP1&connectorId=2', 3);
  expect(listed.map(({ transactionId }) => transactionId)).toEqual(ids);
  expect((await v1('GET', '/transactions?open=true&stationId=CP1')).body.items).toMatchObject([
    { transactionId: ids[0], energyWh: null, stoppedAt: null },
  ]);
  expect(
    (await v1('GET', '/transactions?idTag=t1&from=2026-11-01T02:00:00Z&to=2026-11-01T04:00:00Z')).body.items,
  ).toHaveLength(2);
  expect((await v1('GET', `/transactions/${ids[1]}`)).body).toMatchObject({
    energyWh: 1000,
    stopReason: 'Local',
    idTagStatus: 'Accepted',
    flags: [],
  });
  const values = await all(`/transactions/${ids[1]}/meter-values`, 2);
  expect(values).toHaveLength(6);
  expect(values.map(({ measuredAt }) => measuredAt)).toEqual(
    [...values.map(({ measuredAt }) => measuredAt)].sort(),
  );
  expect((await v1('GET', `/transactions/${ids[1]}/meter-values?measurand=Voltage`)).body.items).toHaveLength(
    3,
  );
  expect(await all('/stations/CP1/meter-values?connectorId=2', 10)).toHaveLength(42);
});

test('unmatched stops are listed', async () => {
  await api.manager.ask('StopTransaction', {
    transactionId: 777777,
    meterStop: 5,
    timestamp: '2026-11-20T10:00:00Z',
  });
  expect((await v1('GET', '/unmatched-stops?stationId=CP1')).body.items).toMatchObject([
    { transactionId: 777777, why: 'unknownTransaction', request: { meterStop: 5 } },
  ]);
});

test('recorded frames are listed newest first and filtered', async () => {
  for (let i = 0; i < 5; i++)
    await api.manager.ask('Heartbeat', {}, { id: `hb${i}`, receivedAt: `2026-11-20T10:00:0${i}.000Z` });
  await api.manager.idle();
  const calls = await all('/stations/CP1/messages?action=Heartbeat&direction=in&type=call', 2);
  expect(calls.map(({ messageId }) => messageId)).toEqual(['hb4', 'hb3', 'hb2', 'hb1', 'hb0']);
  const both = (await v1('GET', '/stations/CP1/messages?messageId=hb3')).body.items;
  expect(both).toMatchObject([
    { direction: 'out', type: 'result', payload: { currentTime: expect.any(String) as unknown } },
    {
      direction: 'in',
      type: 'call',
      action: 'Heartbeat',
      payload: {},
      recordedAt: '2026-11-20T10:00:03.000Z',
      connectionId: 'c1',
    },
  ]);
  const early =
    '/stations/CP1/messages?action=Heartbeat&direction=in&from=2026-11-20T10:00:01Z&to=2026-11-20T10:00:03Z';
  expect((await v1('GET', early)).body.items).toHaveLength(2);
});
