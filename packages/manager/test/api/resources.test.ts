import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { hashStationPassword } from '@evander/process';
import { recordPresence } from '../../src/presence.ts';
import { createWriter } from '../../src/store/writer.ts';
import { addTag } from '../desk.ts';
import { GATEWAY_KEY, openApi, PEPPER } from './harness.ts';
import type { TestApi } from './harness.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

const v1 = (method: string, path: string, body?: unknown) => api.send(method, `/api/v1${path}`, body);

async function all(path: string, limit: number): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  let cursor = '';
  do {
    const { body } = await v1('GET', `${path}${path.includes('?') ? '&' : '?'}limit=${limit}${cursor}`);
    expect(body.items.length).toBeLessThanOrEqual(limit);
    items.push(...body.items);
    cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
  } while (cursor !== '');
  return items;
}

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

test('pages hold every item once', async () => {
  for (let i = 0; i < 23; i++) await addTag(api.desk, `PAGE${i}`);
  const tags = await all('/tags?prefix=page', 5);
  expect(new Set(tags.map(({ idTag }) => idTag)).size).toBe(23);
  expect(tags).toHaveLength(23);
});

test('a station is added with its password, changed in part and removed', async () => {
  const made = await v1('PUT', '/stations/RDAM%20123', { password: '000102030405060708090a0b0c0d0e0F' });
  expect(made).toMatchObject({
    status: 201,
    body: { stationId: 'RDAM 123', securityProfile: 1, bootAnswer: 'Accepted', adopted: true },
  });
  expect(JSON.stringify(made.body)).not.toMatch(/password/i);
  expect(api.changed).toContain('RDAM 123');
  expect((await v1('PUT', '/stations/RDAM%20123', { bootAnswer: 'Pending' })).body).toMatchObject({
    securityProfile: 1,
    bootAnswer: 'Pending',
  });
  const { status, body } = await api.send('GET', '/gateway/stations/RDAM%20123', undefined, GATEWAY_KEY);
  expect({ status, body }).toMatchObject({
    status: 200,
    body: { stationId: 'RDAM 123', securityProfile: 1 },
  });
  const forms = [
    Buffer.from('000102030405060708090a0b0c0d0e0F', 'hex'),
    Buffer.from('000102030405060708090a0b0c0d0e0F'),
    Buffer.from('000102030405060708090A0B0C0D0E0F'),
    Buffer.from('000102030405060708090a0b0c0d0e0f'),
  ];
  for (const form of forms)
    expect(body.passwordHashes).toContain(hashStationPassword(form, 'RDAM 123', PEPPER));
  expect((await v1('DELETE', '/stations/RDAM%20123')).status).toBe(204);
  expect((await v1('DELETE', '/stations/RDAM%20123')).status).toBe(404);
});

test('an id with a slash is one id', async () => {
  expect((await v1('PUT', '/stations/a%2Fb', {})).body).toMatchObject({
    stationId: 'a/b',
    securityProfile: 0,
  });
});

test("gateways are told credentials with their key only, and of strangers as the operator's choice is", async () => {
  expect((await api.send('GET', '/gateway/stations/CP1', undefined, 'wrong')).status).toBe(401);
  expect((await api.send('GET', '/gateway/stations/CP1')).status).toBe(401);
  expect((await api.send('GET', '/gateway/stations/stranger', undefined, GATEWAY_KEY)).status).toBe(404);
  const open = await openApi({ unknownStations: 'accept' });
  expect((await open.send('GET', '/gateway/stations/stranger', undefined, GATEWAY_KEY)).body).toEqual({
    stationId: 'stranger',
    securityProfile: 0,
    passwordHashes: [],
  });
  expect((await open.send('GET', '/api/v1/stations/stranger')).body).toMatchObject({
    adopted: true,
    registrationStatus: null,
  });
  await open.close();
});

test('a station that was turned away is listed with its reason, and adopted with one PUT', async () => {
  const { database } = api.desk;
  const handshake = {
    stationId: 'LOST',
    status: 404,
    reason: 'unknown station',
    at: '2026-11-20T10:00:00.000Z',
  };
  const context = { database, writer: createWriter(database), now: () => new Date() };
  await recordPresence('gw-1', { kind: 'turnedAway', handshakes: [handshake, handshake] }, context);
  const lost = (await v1('GET', '/stations?adopted=false')).body.items;
  expect(lost).toMatchObject([
    { stationId: 'LOST', adopted: false, turnedAway: [{ status: 404, reason: 'unknown station', count: 2 }] },
  ]);
  expect(await v1('PUT', '/stations/LOST', {})).toMatchObject({
    status: 201,
    body: { adopted: true, turnedAway: [] },
  });
});

test('a station shows its connection, its boot and its connectors', async () => {
  const { database } = api.desk;
  const connections = [
    {
      stationId: 'CP1',
      connectionId: '1',
      remoteAddress: '10.0.0.1',
      connectedAt: '2026-11-20T10:00:00.000Z',
    },
  ];
  await recordPresence(
    'gw-1',
    { kind: 'connected', connections },
    { database, writer: createWriter(database), now: () => new Date() },
  );
  await api.desk.ask('StatusNotification', {
    connectorId: 1,
    status: 'Charging',
    errorCode: 'NoError',
    timestamp: '2026-11-20T10:00:00Z',
  });
  expect((await v1('GET', '/stations/CP1')).body).toMatchObject({
    connected: true,
    gatewayId: 'gw-1',
    vendor: 'Vendor',
    registrationStatus: 'Accepted',
    connectors: [{ connectorId: 1, status: 'Charging', statusAt: '2026-11-20T10:00:00.000Z' }],
  });
  expect(
    (await v1('GET', '/stations?connected=true&registrationStatus=Accepted&prefix=CP')).body.items,
  ).toHaveLength(1);
  expect((await v1('GET', '/stations?connected=false&prefix=CP1')).body.items).toHaveLength(0);
  expect((await v1('GET', '/stations/CP1/connectors/1/statuses')).body.items).toMatchObject([
    { status: 'Charging' },
  ]);
});

test('transactions are listed newest first, filtered, with their meter values', async () => {
  await addTag(api.desk, 'T1');
  const ids: number[] = [];
  for (let hour = 0; hour < 7; hour++) {
    const at = (minute: number): string => new Date(Date.UTC(2026, 10, 1, hour, minute)).toISOString();
    const start = { connectorId: 2, idTag: 'T1', meterStart: 100, timestamp: at(0) };
    const { transactionId } = (await api.desk.ask('StartTransaction', start)).response as {
      transactionId: number;
    };
    ids.unshift(transactionId);
    const meterValue = [10, 20, 30].map((minute) => ({
      timestamp: at(minute),
      sampledValue: [{ value: `${minute}` }, { value: '230', measurand: 'Voltage' }],
    }));
    await api.desk.ask('MeterValues', { connectorId: 2, transactionId, meterValue });
    if (hour < 6)
      await api.desk.ask('StopTransaction', { transactionId, meterStop: 1100, timestamp: at(59) });
  }
  const listed = await all('/transactions?stationId=CP1&connectorId=2', 3);
  expect(listed.map(({ transactionId }) => transactionId)).toEqual(ids);
  expect((await v1('GET', '/transactions?open=true')).body.items).toMatchObject([
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

test('stops that belong to nothing are listed', async () => {
  await api.desk.ask('StopTransaction', {
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
    await api.desk.ask('Heartbeat', {}, { id: `hb${i}`, receivedAt: `2026-11-20T10:00:0${i}.000Z` });
  await api.desk.idle();
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
