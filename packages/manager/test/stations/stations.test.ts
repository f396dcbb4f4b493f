import { hashStationPassword } from '@evander/process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { recordPresence } from '../../src/presence/presence.ts';
import { createWriter } from '../../src/station-writer.ts';
import * as connectors from '../../src/stations/connectors.store.ts';
import { GATEWAY_KEY, openApi } from '../http/harness.ts';
import type { TestApi } from '../http/harness.ts';
import { PEPPER } from '../test-manager.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

const v1 = (method: string, path: string, body?: unknown) => api.send(method, `/api/v1${path}`, body);

test('a station can be added with its password, partially changed and removed', async () => {
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

test('a password that is not a key is stored as text, and a new one replaces the old one', async () => {
  const hashesOf = async (): Promise<string[]> =>
    (await api.send('GET', '/gateway/stations/TEXT', undefined, GATEWAY_KEY)).body.passwordHashes;
  // Too short for a key, an odd number of digits, non-ASCII.
  for (const password of ['0123456789abcdef', '0'.repeat(33), 'pässwörter: ✓']) {
    expect((await v1('PUT', '/stations/TEXT', { password })).body).toMatchObject({ securityProfile: 1 });
    expect(await hashesOf()).toEqual([hashStationPassword(Buffer.from(password), 'TEXT', PEPPER)]);
  }
  const before = await hashesOf();
  await v1('PUT', '/stations/TEXT', { securityProfile: 2 });
  expect(await hashesOf()).toEqual(before);
});

test('a security profile that requires a password is refused while there is none', async () => {
  await v1('PUT', '/stations/OPEN');
  expect(await v1('PUT', '/stations/OPEN', { securityProfile: 1 })).toMatchObject({
    status: 400,
    body: { field: 'password', detail: expect.stringContaining('station OPEN has no password') as unknown },
  });
  expect((await v1('PUT', '/stations/OPEN', { securityProfile: 3 })).status).toBe(200);
  expect((await v1('PUT', '/stations/OPEN', { securityProfile: 1, password: 'a password' })).status).toBe(
    200,
  );
});

test('transactions of a removed station stay', async () => {
  const { database } = api.manager;
  await api.manager.rows("INSERT INTO stations (station_id) VALUES ('LEFT')");
  await api.manager.rows(
    `INSERT INTO transactions (station_id, connector_id, id_tag, id_tag_key, id_tag_status, meter_start_wh, started_at,
       start_message_id, start_received_at, start_id_tag_info)
     VALUES ('LEFT', 1, 'T', 't', 'Accepted', 0, now(), 'm', now(), '{}')`,
  );
  await connectors.record(database, [
    {
      stationId: 'LEFT',
      connectorId: 1,
      status: 'Available',
      errorCode: 'NoError',
      info: null,
      vendorId: null,
      vendorErrorCode: null,
      stationTime: null,
      statusAt: new Date(),
      receivedAt: new Date(),
    },
  ]);
  expect((await v1('DELETE', '/stations/LEFT')).status).toBe(204);
  expect(api.changed).toContain('LEFT');
  expect((await v1('GET', '/transactions?stationId=LEFT')).body.items).toHaveLength(1);
  expect((await v1('PUT', '/stations/LEFT')).body).toMatchObject({ connectors: [] });
});

test('an id with a slash is one id', async () => {
  expect((await v1('PUT', '/stations/a%2Fb', {})).body).toMatchObject({
    stationId: 'a/b',
    securityProfile: 0,
  });
});

test('gateways get credentials only with their key, and for unknown stations only if the settings accept them', async () => {
  expect((await api.send('GET', '/gateway/stations/CP1', undefined, 'wrong')).status).toBe(401);
  expect((await api.send('GET', '/gateway/stations/CP1')).status).toBe(401);
  expect((await api.send('GET', '/gateway/stations/stranger', undefined, GATEWAY_KEY)).status).toBe(404);
  const open = await openApi({ unknownStations: 'accept' });
  expect((await open.send('GET', '/gateway/stations/stranger', undefined, GATEWAY_KEY)).body).toEqual({
    stationId: 'stranger',
    securityProfile: 0,
    passwordHashes: [],
    userName: null,
    assumedSubprotocol: null,
    heartbeatSeconds: 300,
  });
  expect((await open.send('GET', '/api/v1/stations/stranger')).body).toMatchObject({
    adopted: true,
    registrationStatus: null,
  });
  await open.close();
});

test('gateways get credentials of many stations in one request, in the requested order', async () => {
  const ask = (from: TestApi, ...stationIds: string[]) =>
    from.send('POST', '/gateway/stations', { stationIds }, GATEWAY_KEY);
  const ids = (body: { stations?: ({ stationId: string } | null)[] }) =>
    body.stations?.map((station) => station?.stationId ?? null);
  const known = (await ask(api, 'stranger', 'CP1', 'no id\u00a0', 'CP1')).body as object;
  expect(ids(known)).toEqual([null, 'CP1', null, 'CP1']);
  const single = (await api.send('GET', '/gateway/stations/CP1', undefined, GATEWAY_KEY)).body;
  expect(known).toMatchObject({ stations: [null, single, null, single] });
  expect((await api.send('POST', '/gateway/stations', { stationIds: ['CP1'] }, 'wrong')).status).toBe(401);
  const open = await openApi({ unknownStations: 'accept' });
  expect(ids((await ask(open, 'NEW2', 'CP1', 'NEW1', 'NEW2')).body as object)).toEqual([
    'NEW2',
    'CP1',
    'NEW1',
    'NEW2',
  ]);
  await open.close();
});

test('a rejected station is listed with its reason, and adopted with one PUT', async () => {
  const { database } = api.manager;
  const handshake = {
    stationId: 'LOST',
    status: 404,
    reason: 'unknown station',
    at: '2026-11-20T10:00:00.000Z',
  };
  const context = { database, writer: createWriter(database), now: () => new Date() };
  await recordPresence('gw-1', { kind: 'rejected', handshakes: [handshake, handshake] }, context);
  const lost = (await v1('GET', '/stations?adopted=false')).body.items;
  expect(lost).toMatchObject([
    { stationId: 'LOST', adopted: false, rejected: [{ status: 404, reason: 'unknown station', count: 2 }] },
  ]);
  expect(await v1('PUT', '/stations/LOST', {})).toMatchObject({
    status: 201,
    body: { adopted: true, rejected: [] },
  });
});

test('rejected connections that named no station are listed separately, by address and reason, latest first', async () => {
  const { database } = api.manager;
  const context = { database, writer: createWriter(database), now: () => new Date() };
  const at = (second: number): string => `2026-11-20T10:00:0${second}.000Z`;
  const rejected = (remoteAddress: string, reason: string, second: number) => ({
    ...{ stationId: '', status: 426, reason, remoteAddress, at: at(second) },
  });
  const handshakes = [
    rejected('10.0.0.1', 'no upgrade', 1),
    rejected('10.0.0.2', 'no upgrade', 2),
    rejected('10.0.0.1', 'no upgrade', 3),
    rejected('10.0.0.1', 'no TLS', 4),
  ];
  await recordPresence('gw-1', { kind: 'rejected', handshakes }, context);
  const ids = ((await v1('GET', '/stations?limit=500')).body.items as { stationId: string }[]).map(
    ({ stationId }) => stationId,
  );
  expect(ids).not.toContain('');
  const first = (await v1('GET', '/rejected-connections?limit=2')).body;
  expect(first.items).toEqual([
    {
      ...{ remoteAddress: '10.0.0.1', reason: 'no TLS', status: 426 },
      count: 1,
      firstAt: at(4),
      lastAt: at(4),
    },
    {
      ...{ remoteAddress: '10.0.0.1', reason: 'no upgrade', status: 426 },
      count: 2,
      firstAt: at(1),
      lastAt: at(3),
    },
  ]);
  const next = (await v1('GET', `/rejected-connections?cursor=${String(first.nextCursor)}`)).body;
  expect(next).toMatchObject({ items: [{ remoteAddress: '10.0.0.2', count: 1 }], nextCursor: null });
});

test('the assumed subprotocol of a station can be set, is sent to gateways, and can be cleared', async () => {
  const credentials = async () =>
    (await api.send('GET', '/gateway/stations/BARE', undefined, GATEWAY_KEY)).body;
  expect((await v1('PUT', '/stations/BARE', {})).body).toMatchObject({ assumedSubprotocol: null });
  expect((await v1('PUT', '/stations/BARE', { assumedSubprotocol: 'ocpp2.0.1' })).status).toBe(400);
  const set = await v1('PUT', '/stations/BARE', { assumedSubprotocol: 'ocpp1.6' });
  expect(set.body).toMatchObject({ assumedSubprotocol: 'ocpp1.6' });
  await v1('PUT', '/stations/BARE', { bootAnswer: 'Pending' });
  expect(await credentials()).toMatchObject({ assumedSubprotocol: 'ocpp1.6' });
  await v1('PUT', '/stations/BARE', { assumedSubprotocol: null });
  expect(await credentials()).toMatchObject({ assumedSubprotocol: null });
});

test.each([
  [null, 300],
  ['60', 300],
  ['3600', 3600],
  ['1e9', 300],
  ['99999999999999', 300],
])('gateways get the heartbeat interval of a station: %j results in %i s', async (value, seconds) => {
  await v1('PUT', '/stations/SLOW', {});
  await api.manager.rows(
    `INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at)
     VALUES ('SLOW', 'heartbeatinterval', 'HeartbeatInterval', $1, now())
     ON CONFLICT (station_id, key_lower) DO UPDATE SET value = excluded.value`,
    [value],
  );
  expect((await api.send('GET', '/gateway/stations/SLOW', undefined, GATEWAY_KEY)).body).toMatchObject({
    heartbeatSeconds: seconds,
  });
});

test('a station shows its connection, its boot and its connectors', async () => {
  const { database } = api.manager;
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
  await api.manager.ask('StatusNotification', {
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
