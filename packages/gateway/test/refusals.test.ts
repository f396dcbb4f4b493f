import { createLog } from '@evander/process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { OpenSsl } from '../../../test/openssl.ts';
import type { KeyPair } from '../../../test/openssl.ts';
import { ManagerAwayError } from '../src/index.ts';
import type { CredentialSource, Gateway, GatewayOptions } from '../src/index.ts';
import { closeLater, credentials, openStage, portOf } from './harness.ts';

let openssl: OpenSsl;
let server: KeyPair;
beforeAll(async () => {
  openssl = await OpenSsl.open();
  server = await openssl.certificate({ subject: '/CN=localhost', issuer: await openssl.root() });
}, 30_000);
afterAll(() => openssl.close());

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
const KEY = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const WEBSOCKET = `${UPGRADE}${KEY}Sec-WebSocket-Protocol: ocpp1.6\r\n`;

function get(path: string, headers: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
}

/** The status of the HTTP answer to these bytes; undefined when the connection ends without one. */
async function send(url: string | undefined, bytes: string): Promise<number | undefined> {
  const socket = connect({ host: '127.0.0.1', port: portOf(url ?? '') });
  closeLater({ close: () => void socket.destroy() });
  socket.on('error', () => {});
  if (bytes !== '') socket.write(bytes);
  let answer = '';
  socket.on('data', (data) => (answer += data.toString('latin1')));
  await new Promise((resolve) => socket.once('close', resolve));
  const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1];
  return status === undefined ? undefined : Number(status);
}

/** A failing TLS handshake. */
async function failTls(url: string, options: object = {}): Promise<undefined> {
  const socket = connectTls({
    host: '127.0.0.1',
    port: portOf(url),
    rejectUnauthorized: false,
    ...options,
  });
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('close', resolve));
}

const profile =
  (securityProfile: number): CredentialSource =>
  async (stationId) =>
    credentials(stationId, { securityProfile });
const handshake = ({ url }: Gateway): Promise<number | undefined> => send(url, get('/ws/CP1', WEBSOCKET));

interface Refused {
  name: string;
  options?: Partial<GatewayOptions>;
  /** Provokes the rejection; returns the status of the HTTP answer, if any. */
  provoke(gateway: Gateway): Promise<number | undefined>;
  /** Counted and listed values. */
  status: number;
  reason: string;
  stationId: string;
  /** No HTTP answer: the peer does not speak HTTP, or has sent no request. */
  isSilent?: true;
}

const REFUSED: Refused[] = [
  {
    name: 'another path',
    provoke: ({ url }) => send(url, get('/ocpp/CP1', WEBSOCKET)),
    ...{ status: 400, reason: 'the URL is not /ws/<station id>', stationId: 'CP1' },
  },
  {
    name: 'no station id',
    provoke: ({ url }) => send(url, get('/ws/', WEBSOCKET)),
    ...{ status: 400, reason: 'the URL is not /ws/<station id>', stationId: '' },
  },
  {
    name: 'an unknown station',
    options: { credentialsOf: async () => undefined },
    provoke: handshake,
    ...{ status: 404, reason: 'unknown station', stationId: 'CP1' },
  },
  {
    name: 'no password',
    options: { credentialsOf: profile(1) },
    provoke: handshake,
    ...{ status: 401, reason: 'no Basic credentials', stationId: 'CP1' },
  },
  {
    name: 'no TLS',
    options: { credentialsOf: profile(2) },
    provoke: handshake,
    ...{ status: 403, reason: 'the station must use TLS: its security profile is 2', stationId: 'CP1' },
  },
  {
    name: 'no subprotocol',
    provoke: ({ url }) => send(url, get('/ws//CP1', UPGRADE + KEY)),
    ...{ status: 400, reason: 'offers no subprotocol', stationId: 'CP1' },
  },
  {
    name: 'no WebSocket key',
    provoke: ({ url }) => send(url, get('/ws/CP1', `${UPGRADE}Sec-WebSocket-Protocol: ocpp1.6\r\n`)),
    ...{ status: 400, reason: 'Missing or invalid Sec-WebSocket-Key header', stationId: 'CP1' },
  },
  {
    name: 'the headers of a WebSocket without "Connection: Upgrade"',
    provoke: ({ url }) => send(url, get('/ws/CP1', `Upgrade: websocket\r\n${KEY}`)),
    ...{ status: 426, reason: 'not a WebSocket handshake', stationId: 'CP1' },
  },
  {
    name: 'a plain request of a station',
    provoke: ({ url }) => send(url, get('/ws//CP1', '')),
    ...{ status: 426, reason: 'not a WebSocket handshake', stationId: 'CP1' },
  },
  {
    name: 'the same without the path',
    provoke: ({ url }) => send(url, get('///CP1', KEY)),
    ...{ status: 426, reason: 'not a WebSocket handshake', stationId: 'CP1' },
  },
  {
    name: 'a plain request of a browser',
    provoke: ({ url }) => send(url, get('/favicon.ico', '')),
    ...{ status: 426, reason: 'not a WebSocket handshake', stationId: '' },
  },
  {
    name: 'CONNECT',
    provoke: ({ url }) => send(url, 'CONNECT csms:1 HTTP/1.1\r\nHost: x\r\n\r\n'),
    ...{ status: 426, reason: 'not a WebSocket handshake', stationId: '' },
  },
  {
    name: 'not HTTP',
    provoke: ({ url }) => send(url, 'HELLO\r\n\r\n'),
    ...{ status: 400, reason: 'not an HTTP request: ', stationId: '' },
  },
  {
    name: 'headers that are too long',
    provoke: ({ url }) => send(url, get('/ws/CP1', `X: ${'x'.repeat(100_000)}\r\n`)),
    ...{ status: 431, reason: 'not an HTTP request: ', stationId: '' },
  },
  {
    name: 'headers without end',
    options: { limits: { handshakeMs: 200 } },
    provoke: ({ url }) => send(url, 'GET /ws/CP1 HTTP/1.1\r\nHost: x\r\n'),
    ...{ status: 408, reason: 'not an HTTP request: ', stationId: '' },
  },
  {
    name: 'silence',
    options: { limits: { handshakeMs: 200 } },
    provoke: ({ url }) => send(url, ''),
    ...{ status: 408, reason: 'no first bytes in time', stationId: '', isSilent: true },
  },
  {
    name: 'too many connections',
    options: { limits: { connections: 0 } },
    provoke: handshake,
    ...{ status: 429, reason: 'too many connections', stationId: '', isSilent: true },
  },
  {
    name: 'too many connections from an address',
    options: { limits: { connectionsPerAddress: 0 } },
    provoke: handshake,
    ...{ status: 429, reason: 'too many connections from this address', stationId: '', isSilent: true },
  },
  {
    name: 'too many connections from an address that a proxy names',
    options: { limits: { connectionsPerAddress: 0 }, trustedProxies: ['127.0.0.1'] },
    provoke: ({ url }) => send(url, get('/ws/CP1', `X-Forwarded-For: 203.0.113.9\r\n${WEBSOCKET}`)),
    ...{ status: 429, reason: 'too many connections from this address', stationId: 'CP1' },
  },
  {
    name: 'an invalid PROXY header',
    options: { trustedProxies: ['127.0.0.1'] },
    provoke: ({ url }) => send(url, 'PROXY TCP4 nonsense\r\n'),
    ...{ status: 400, reason: 'PROXY protocol, version 1: no addresses', stationId: '', isSilent: true },
  },
  {
    name: 'no manager',
    options: {
      credentialsOf: async () => Promise.reject(new ManagerAwayError()),
      limits: { handshakeMs: 200 },
    },
    provoke: handshake,
    ...{ status: 503, reason: 'no manager answers for credentials', stationId: 'CP1' },
  },
  {
    name: 'an internal error',
    options: { credentialsOf: async () => Promise.reject(new Error('a bug')) },
    provoke: handshake,
    ...{ status: 500, reason: 'internal error', stationId: 'CP1' },
  },
  {
    name: 'TLS on the plain port of a gateway without certificates',
    provoke: ({ url }) => failTls(url),
    ...{ status: 400, reason: 'spoke TLS on the plain port', stationId: '', isSilent: true },
  },
];

const REFUSED_BY_TLS: Refused[] = [
  {
    name: 'a handshake without TLS on the port for TLS',
    provoke: ({ secureUrl }) => send(secureUrl, get('/ws//CP1', WEBSOCKET)),
    ...{ status: 400, reason: 'spoke plain HTTP on the TLS port', stationId: 'CP1' },
  },
  {
    name: 'a plain request without TLS on the port for TLS',
    provoke: ({ secureUrl }) => send(secureUrl, get('/ws/CP1', '')),
    ...{ status: 400, reason: 'spoke plain HTTP on the TLS port', stationId: 'CP1' },
  },
  {
    name: 'the same behind a load balancer',
    options: { trustedProxies: ['127.0.0.1'] },
    provoke: ({ secureUrl }) =>
      send(secureUrl, `PROXY TCP4 203.0.113.9 192.0.2.1 1 2\r\n${get('/ws/CP1', WEBSOCKET)}`),
    ...{ status: 400, reason: 'spoke plain HTTP on the TLS port', stationId: 'CP1' },
  },
  {
    name: 'neither HTTP nor TLS on the port for TLS',
    provoke: ({ secureUrl }) => send(secureUrl, '\x05\x01\x00\x00\x00\x00\x00\x00\x00'),
    ...{ status: 400, reason: 'TLS: ', stationId: '', isSilent: true },
  },
  {
    name: 'an old version of TLS',
    provoke: ({ secureUrl = '' }) =>
      failTls(secureUrl, {
        minVersion: 'TLSv1.1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT:@SECLEVEL=0',
      }),
    ...{ status: 400, reason: 'TLS: unsupported protocol', stationId: '', isSilent: true },
  },
  {
    name: 'an old version of TLS on the plain port',
    provoke: ({ url }) =>
      failTls(url, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }),
    ...{ status: 400, reason: 'TLS: unsupported protocol', stationId: '', isSilent: true },
  },
];

const CASES = [
  ...REFUSED.map((one): [string, Refused] => [one.name, one]),
  ...REFUSED_BY_TLS.map((one): [string, Refused] => [
    one.name,
    { ...one, options: { ...withTls(), ...one.options } },
  ]),
];

function withTls(): Partial<GatewayOptions> {
  return {
    certificates: {
      load: async () => ({ cert: [server.certificate], key: [server.key] }),
      isStale: async () => false,
    },
  };
}

test.each(CASES)('is logged, counted and listed: %s', async (_name, refused) => {
  const { status, reason, stationId, isSilent, options, provoke } = refused;
  const lines: string[] = [];
  const log = createLog('gateway', 'warn', { write: (line) => void lines.push(line) });
  const { gateway, manager } = await openStage({ log, ...options });
  expect(await provoke(gateway)).toBe(isSilent ? undefined : status);
  const metrics = await (await fetch(`${gateway.statusUrl}/metrics`)).text();
  expect(metrics).toContain(`evander_gateway_refused_handshakes_total{status="${status}"} 1\n`);
  const rejected = lines
    .map((line) => JSON.parse(line) as { msg: string })
    .filter(({ msg }) => msg === 'rejected');
  const expected = { stationId, status, reason: expect.stringContaining(reason) as unknown };
  expect(rejected).toEqual([expect.objectContaining(expected)]);
  await gateway.close();
  const { handshakes } = await manager.reported('rejected');
  expect(handshakes).toEqual([expect.objectContaining(expected)]);
});

test('a client that connects and disconnects, like a port probe, is not a rejection', async () => {
  const { gateway } = await openStage(withTls());
  for (const url of [gateway.url, gateway.secureUrl ?? '']) {
    const probe = connect({ host: '127.0.0.1', port: portOf(url) });
    await new Promise((resolve) => probe.once('connect', resolve));
    probe.end();
    await new Promise((resolve) => probe.once('close', resolve));
  }
  const metrics = await (await fetch(`${gateway.statusUrl}/metrics`)).text();
  expect(metrics).not.toContain('refused_handshakes_total{');
});
