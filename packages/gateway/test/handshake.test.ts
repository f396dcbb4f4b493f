import { hashStationPassword } from '@evander/process';
import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { ManagerAwayError } from '../src/index.ts';
import type { Gateway, GatewayOptions } from '../src/index.ts';
import { closeLater, connectStation, credentials, handshake, openStage, PEPPER, portOf } from './harness.ts';
import type { Manager } from './harness.ts';

const OCPP16 = { 'sec-websocket-protocol': 'ocpp1.6' };

// The example of OCPP-J §6.2.2: a password of bytes that are not text.
const AL1000_PASSWORD = Buffer.from('0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF', 'hex');
const AL1000_HEADER = 'Basic QUwxMDAwOgABAgMEBQYH////////////////';

function basic(user: string, password: string | Buffer): Record<string, string> {
  const bytes = Buffer.concat([Buffer.from(`${user}:`), Buffer.from(password)]);
  return { ...OCPP16, authorization: `Basic ${bytes.toString('base64')}` };
}

/** Stations of profile 1 with this password. */
function withPassword(password: string | Buffer): GatewayOptions['credentialsOf'] {
  return async (stationId) =>
    credentials(stationId, {
      securityProfile: 1,
      passwordHashes: ['another form of it', hashStationPassword(Buffer.from(password), stationId, PEPPER)],
    });
}

/** Closing flushes the waiting reports immediately. */
async function rejected(gateway: Gateway, manager: Manager) {
  await gateway.close();
  return manager.reported('rejected');
}

/** A stage whose gateway records the identities that it asks managers about. */
async function openRecordingStage() {
  const requestedIds: string[] = [];
  const stage = await openStage({
    credentialsOf: async (stationId) => {
      requestedIds.push(stationId);
      return credentials(stationId);
    },
  });
  return { ...stage, requestedIds };
}

describe('the target', () => {
  test.each([
    ['/ws/CP1', 'CP1'],
    ['/ws/CP1/', 'CP1'],
    ['/ws/CP1?token=a/b', 'CP1'],
    ['/ws/CP1/?', 'CP1'],
    ['/ws/RDAM%20123', 'RDAM 123'],
    ['/ws/a%2Fb', 'a/b'],
    ['/ws/%25', '%'],
    ['/ws/a:b', 'a:b'],
    ['/ws/cp1', 'cp1'],
    ['/ws/S%C3%BCd', 'Süd'],
    // As stations in the field send it: with a trailing slash, or without the path.
    ['/ws//CP1', 'CP1'],
    ['//ws//CP1//', 'CP1'],
    ['///CP1', 'CP1'],
    ['/CP1', 'CP1'],
    ['/CP1/', 'CP1'],
    ['/ws/ws', 'ws'],
    ['/ws//RDAM%20123/?x', 'RDAM 123'],
    ['/ws//a%2F%2Fb', 'a//b'],
    ['ws://csms.example:9310/ws/CP1', 'CP1'],
    ['http://csms.example/ws//CP1?a=b', 'CP1'],
    [`/ws/${'x'.repeat(255)}`, 'x'.repeat(255)],
  ])('%s is the station %j', async (path, stationId) => {
    const { gateway, manager, requestedIds } = await openRecordingStage();
    const { status } = await handshake(gateway, path);
    expect(status).toBe(101);
    expect(requestedIds).toEqual([stationId]);
    const { connections } = await manager.reported('connected');
    expect(connections).toEqual([expect.objectContaining({ stationId, remoteAddress: '127.0.0.1' })]);
  });

  test.each([
    ['/ws/%zz', ''],
    ['/ws/%E0%A4', ''],
    ['/ws/', ''],
    ['/ws', ''],
    ['/ws//', ''],
    ['//', ''],
    ['/', ''],
    ['/?/ws/CP1', ''],
    ['/ws/..', ''],
    ['/ws/%2E', ''],
    ['/ws/a%00b', ''],
    ['/ws/a%C2%85b', ''],
    [`/ws/${'x'.repeat(256)}`, ''],
    ['/ocpp/CP1', 'CP1'],
    ['/ocpp//RDAM%20123/', 'RDAM 123'],
    ['/ws/a/b', 'b'],
    ['/WS/CP1', 'CP1'],
    ['/steve/websocket/CentralSystemService/CP1', 'CP1'],
  ])(
    '%s is rejected with 400, no manager is asked, and it is listed for station %j',
    async (path, stationId) => {
      const { gateway, manager, requestedIds } = await openRecordingStage();
      const { status, body } = await handshake(gateway, path);
      expect(status).toBe(400);
      expect(requestedIds).toEqual([]);
      const { handshakes } = await rejected(gateway, manager);
      expect(handshakes).toEqual([
        { stationId, status: 400, reason: body, remoteAddress: '127.0.0.1', at: expect.any(String) },
      ]);
    },
  );

  test('calls of a station whose id is invalid in MQTT topics still arrive', async () => {
    const { gateway, manager } = await openStage();
    const station = await connectStation(gateway, 'a/b+c#%');
    expect(await station.call('Heartbeat')).toEqual([3, 'test-1', { status: 'Accepted' }]);
    expect(manager.calls.items[0]?.stationId).toBe('a/b+c#%');
  });
});

describe('the station', () => {
  test('is rejected with 404 when it is unknown', async () => {
    const { gateway, manager } = await openStage({ credentialsOf: async () => undefined });
    expect(await handshake(gateway, '/ws/CP9')).toMatchObject({ status: 404, body: 'unknown station' });
    const { handshakes } = await rejected(gateway, manager);
    expect(handshakes).toMatchObject([{ stationId: 'CP9', status: 404, reason: 'unknown station' }]);
  });

  test('is told to retry when no manager answers', async () => {
    const { gateway, manager } = await openStage({
      credentialsOf: async () => Promise.reject(new ManagerAwayError()),
      limits: { handshakeMs: 500 },
    });
    const { status, headers } = await handshake(gateway, '/ws/CP1');
    expect(status).toBe(503);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect(await rejected(gateway, manager)).toMatchObject({
      handshakes: [{ stationId: 'CP1', status: 503 }],
    });
  });

  test('gets a 500 on an unexpected error', async () => {
    const { gateway } = await openStage({ credentialsOf: async () => Promise.reject(new Error('a bug')) });
    expect(await handshake(gateway, '/ws/CP1')).toMatchObject({ status: 500, body: 'internal error' });
  });

  test.each([2, 3])('of profile %i is rejected with 403 without TLS', async (securityProfile) => {
    const { gateway, manager } = await openStage({
      credentialsOf: async (stationId) => credentials(stationId, { securityProfile }),
    });
    expect((await handshake(gateway, '/ws/CP1')).status).toBe(403);
    expect(await rejected(gateway, manager)).toMatchObject({
      handshakes: [{ stationId: 'CP1', status: 403 }],
    });
  });

  test('that does not close its half leaves no half-open socket behind', async () => {
    const { gateway } = await openStage({ credentialsOf: async () => undefined });
    // It reads the rejection and then does nothing, not even close.
    const socket = connect({ host: '127.0.0.1', port: portOf(gateway.url), allowHalfOpen: true });
    socket.on('error', () => {});
    socket.write('GET /ws/CP1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 404 /);
    await gateway.close();
    socket.destroy();
  });
});

describe('the password', () => {
  test.each<[string, string, Buffer | string, string]>([
    ["OCPP-J's example of bytes that are not text", 'AL1000', AL1000_PASSWORD, AL1000_HEADER],
    ['colons', 'CP1', 'a:b::c:', `Basic ${Buffer.from('CP1:a:b::c:').toString('base64')}`],
    ['an id with a colon', 'CP:1', ':x', `Basic ${Buffer.from('CP:1::x').toString('base64')}`],
    ['the scheme in lower case', 'CP1', 'secret', `basic ${Buffer.from('CP1:secret').toString('base64')}`],
    ['an id encoded in the URL', 'RDAM 123', 's', `Basic ${Buffer.from('RDAM 123:s').toString('base64')}`],
  ])('is accepted: %s', async (_name, stationId, password, authorization) => {
    const { gateway } = await openStage({ credentialsOf: withPassword(password) });
    const path = `/ws/${encodeURIComponent(stationId)}`;
    expect((await handshake(gateway, path, { ...OCPP16, authorization })).status).toBe(101);
  });

  test.each<[string, Record<string, string>, string]>([
    ['none', OCPP16, 'no Basic credentials'],
    ['another scheme', { ...OCPP16, authorization: 'Bearer c2VjcmV0' }, 'no Basic credentials'],
    ['no base64', { ...OCPP16, authorization: 'Basic §' }, 'no Basic credentials'],
    ['a wrong password', basic('CP1', 'secrets'), 'wrong password'],
    ['an empty password', basic('CP1', ''), 'wrong password'],
    [
      'the hash as a password',
      basic('CP1', hashStationPassword(Buffer.from('secret'), 'CP1', PEPPER)),
      'wrong password',
    ],
    ['another user name', basic('CP2', 'secret'), 'the Basic user name is not the station id'],
    ['the user name in another case', basic('cp1', 'secret'), 'the Basic user name is not the station id'],
    ['no colon', { ...OCPP16, authorization: 'Basic Q1Ax' }, 'the Basic user name is not the station id'],
  ])('is rejected with 401: %s', async (_name, headers, reason) => {
    const { gateway, manager } = await openStage({ credentialsOf: withPassword('secret') });
    const refused = await handshake(gateway, '/ws/CP1', headers);
    expect(refused).toMatchObject({ status: 401, body: reason });
    expect(refused.headers['www-authenticate']).toMatch(/^Basic realm=/);
    const { handshakes } = await rejected(gateway, manager);
    expect(handshakes).toMatchObject([{ stationId: 'CP1', status: 401, reason }]);
  });

  test('different bytes that are not UTF-8 are distinguished', async () => {
    const { gateway } = await openStage({ credentialsOf: withPassword(Buffer.from('fffefd', 'hex')) });
    expect((await handshake(gateway, '/ws/CP1', basic('CP1', Buffer.from('fdfeff', 'hex')))).status).toBe(
      401,
    );
    expect((await handshake(gateway, '/ws/CP1', basic('CP1', Buffer.from('fffefd', 'hex')))).status).toBe(
      101,
    );
  });

  test('a station without a password is rejected with any password', async () => {
    const { gateway } = await openStage({
      credentialsOf: async (stationId) => credentials(stationId, { securityProfile: 1 }),
    });
    expect((await handshake(gateway, '/ws/CP1', basic('CP1', ''))).status).toBe(401);
  });

  test('is ignored when the profile requires none', async () => {
    const { gateway } = await openStage();
    expect((await handshake(gateway, '/ws/CP1', basic('CP2', 'anything'))).status).toBe(101);
  });
});

const NONE_OFFERED =
  'offers no subprotocol; ocpp1.6 is required (set assumedSubprotocol of the station to accept it anyway)';

describe('the subprotocol', () => {
  test.each<[string, Record<string, string | string[]>]>([
    ['ocpp1.6', OCPP16],
    ['ocpp0.1, ocpp1.6', { 'sec-websocket-protocol': 'ocpp0.1, ocpp1.6' }],
    ['ocpp1.6,ocpp1.5', { 'sec-websocket-protocol': 'ocpp1.6,ocpp1.5' }],
    ['a header for each', { 'sec-websocket-protocol': ['ocpp2.0.1', 'ocpp1.6'] }],
    ['the same twice', { 'sec-websocket-protocol': 'ocpp1.6, ocpp1.6' }],
    ['among invalid names', { 'sec-websocket-protocol': 'ocpp 1.6,, ocpp1.6' }],
  ])('%s is answered with ocpp1.6 alone', async (_name, headers) => {
    const { gateway } = await openStage();
    const answer = await handshake(gateway, '/ws/CP1', headers);
    expect(answer.status).toBe(101);
    expect(answer.headers['sec-websocket-protocol']).toBe('ocpp1.6');
  });

  test.each([
    ['none', {}, NONE_OFFERED],
    ['an empty header', { 'sec-websocket-protocol': ' ' }, NONE_OFFERED],
    [
      'ocpp2.0.1',
      { 'sec-websocket-protocol': 'ocpp2.0.1' },
      'offers only the subprotocols ocpp2.0.1; ocpp1.6 is required',
    ],
    [
      'one with that name as a prefix',
      { 'sec-websocket-protocol': 'ocpp1.60' },
      'offers only the subprotocols ocpp1.60; ocpp1.6 is required',
    ],
  ])('%s is rejected with 400', async (_name, headers, reason) => {
    const { gateway, manager } = await openStage();
    expect(await handshake(gateway, '/ws/CP1', headers)).toMatchObject({ status: 400, body: reason });
    const { handshakes } = await rejected(gateway, manager);
    expect(handshakes).toMatchObject([{ stationId: 'CP1', status: 400, reason }]);
  });

  test.each([
    ['no header', {}, 101],
    ['an empty header', { 'sec-websocket-protocol': '' }, 101],
    ['ocpp1.6', OCPP16, 101],
    ['ocpp2.0.1', { 'sec-websocket-protocol': 'ocpp2.0.1' }, 400],
  ])('is assumed if the station is configured so: %s', async (_name, headers, status) => {
    const { gateway } = await openStage({
      credentialsOf: async (stationId) => credentials(stationId, { assumedSubprotocol: 'ocpp1.6' }),
    });
    const answer = await handshake(gateway, '/ws/CP1', headers);
    expect(answer.status).toBe(status);
    // A name that was not offered must not be in the answer (RFC 6455 §4.2.2).
    expect(answer.headers['sec-websocket-protocol']).toBe(headers === OCPP16 ? 'ocpp1.6' : undefined);
  });

  test('comes last: a client without the password learns nothing about it', async () => {
    const { gateway } = await openStage({ credentialsOf: withPassword('secret') });
    expect((await handshake(gateway, '/ws/CP1', {})).status).toBe(401);
  });
});

test('compression is not negotiated', async () => {
  const { gateway } = await openStage();
  const answer = await handshake(gateway, '/ws/CP1', {
    ...OCPP16,
    'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
  });
  expect(answer.status).toBe(101);
  expect(answer.headers['sec-websocket-extensions']).toBeUndefined();
});

test('a station that offers no subprotocol is served if one is assumed', async () => {
  const { gateway, manager } = await openStage({
    credentialsOf: async (stationId) => credentials(stationId, { assumedSubprotocol: 'ocpp1.6' }),
  });
  const socket = new WebSocket(`${gateway.url}/CP1`);
  closeLater({ close: () => socket.terminate() });
  await once(socket, 'open');
  expect(socket.protocol).toBe('');
  socket.send('[2,"1","Heartbeat",{}]');
  const [frame] = (await once(socket, 'message')) as [Buffer];
  expect(JSON.parse(frame.toString())).toEqual([3, '1', { status: 'Accepted' }]);
  expect(manager.calls.items).toMatchObject([{ stationId: 'CP1', envelope: { action: 'Heartbeat' } }]);
});

test.each([
  ['no key', { 'sec-websocket-key': '' }],
  ['an old version', { 'sec-websocket-version': '7' }],
  ['another upgrade', { upgrade: 'h2c' }],
])('a handshake that is not WebSocket is rejected with 400: %s', async (_name, headers) => {
  const { gateway } = await openStage();
  expect((await handshake(gateway, '/ws/CP1', { ...OCPP16, ...headers })).status).toBe(400);
});

test('rejections are reported in batches, and a flood is reported only in part', async () => {
  const { gateway, manager } = await openStage({ credentialsOf: async () => undefined });
  await Promise.all(Array.from({ length: 130 }, (_, i) => handshake(gateway, `/ws/CP${i}`)));
  await gateway.close();
  await manager.reported('gone');
  const reported = manager.presence.items.flatMap(({ presence }) =>
    presence.kind === 'rejected' ? [presence.handshakes.length] : [],
  );
  expect(reported.length).toBeLessThan(10);
  expect(reported.every((count) => count <= 100)).toBe(true);
});
