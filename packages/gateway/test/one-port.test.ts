import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { OpenSsl } from '../../../test/openssl.ts';
import type { KeyPair } from '../../../test/openssl.ts';
import type { Gateway, GatewayOptions } from '../src/index.ts';
import { closeLater, connectStation, handshake, portOf } from './harness.ts';
import {
  basic,
  certificatesOf,
  OCPP16,
  serverKeys,
  stationKeys,
  openTlsStage,
  PASSWORD,
} from './tls-stage.ts';

let openssl: OpenSsl;
let root: KeyPair;
let server: KeyPair;
let client: KeyPair;
beforeAll(async () => {
  openssl = await OpenSsl.open();
  root = await openssl.root();
  server = await serverKeys(openssl, root);
  client = await stationKeys(openssl, root);
}, 30_000);
afterAll(() => openssl.close());

const openTls = (securityProfile: number, more: Partial<GatewayOptions> = {}) =>
  openTlsStage(certificatesOf(server), securityProfile, more);

describe('TLS on the plain port', () => {
  /** A TLS handshake on the ws port. */
  const onPlainPort = (gateway: Gateway, headers: Record<string, string>, options: object = {}) =>
    handshake(gateway, '/ws/CP1', headers, { ca: root.certificate, port: portOf(gateway.url), ...options });

  test('is distinguished from HTTP: profiles 2 and 3 work there', async () => {
    const { gateway, manager } = await openTls(2);
    expect(await onPlainPort(gateway, basic())).toMatchObject({ status: 101 });
    expect((await manager.reported('connected')).connections).toMatchObject([{ securityProfile: 2 }]);
    expect(await onPlainPort(gateway, basic('another'))).toMatchObject({ status: 401 });
    const strict = await openTls(3);
    const shown = { cert: client.certificate, key: client.key };
    expect(await onPlainPort(strict.gateway, OCPP16, shown)).toMatchObject({ status: 101 });
    expect((await strict.manager.reported('connected')).connections).toMatchObject([{ securityProfile: 3 }]);
  });

  test.each([2, 3])('does not weaken security: profile %i is rejected without TLS', async (profile) => {
    const { gateway } = await openTls(profile);
    expect(await onPlainPort(gateway, basic())).toMatchObject({ status: profile === 2 ? 101 : 403 });
    expect(await handshake(gateway, '/ws/CP1', basic())).toMatchObject({
      status: 403,
      body: `the station must use TLS: its security profile is ${profile}`,
    });
    const strict = await openTls(0, { lowestSecurityProfile: 2 });
    expect(await handshake(strict.gateway, '/ws/CP1', basic())).toMatchObject({ status: 403 });
  });

  test('lets a station change from profile 1 to 2 on the same host and port', async () => {
    const { gateway, manager } = await openTls(1);
    const options = { ca: root.certificate, auth: `CP1:${PASSWORD}` };
    const before = await connectStation(gateway, 'CP1', options);
    const after = await connectStation(
      { ...gateway, url: gateway.url.replace('ws:', 'wss:') },
      'CP1',
      options,
    );
    expect((await before.closed).reason).toBe('replaced by a newer connection');
    expect(await after.call('Heartbeat')).toMatchObject([3, 'test-1', expect.anything()]);
    await manager.reported('connected', ({ connections }) => connections[0]?.securityProfile === 1);
    await manager.reported('connected', ({ connections }) => connections[0]?.securityProfile === 2);
  });

  test.each([
    ['in one piece', 1e6],
    ['byte by byte', 1],
  ])('is recognised however its first bytes arrive, also behind PROXY protocol: %s', async (_name, size) => {
    for (const header of ['', 'PROXY TCP4 203.0.113.9 192.0.2.1 54321 9310\r\n']) {
      const { gateway, manager } = await openTls(2, { trustedProxies: ['127.0.0.1'] });
      const url = await inPieces(gateway.url, header, size);
      const { status } = await handshake({ ...gateway, url }, '/ws/CP1', basic(), {
        ca: root.certificate,
        port: portOf(url),
      });
      expect(status).toBe(101);
      expect((await manager.reported('connected')).connections).toMatchObject([
        { securityProfile: 2, remoteAddress: header === '' ? '127.0.0.1' : '203.0.113.9' },
      ]);
      const plain = await handshake({ ...gateway, url }, '/ws/CP1', basic());
      expect(plain).toMatchObject({ status: 403 });
    }
  });
});

/** Forwards bytes to a gateway in pieces of this size, after a header. */
async function inPieces(url: string, header: string, size: number): Promise<string> {
  const server = createServer((near) => {
    const far = connect(portOf(url), '127.0.0.1');
    far.setNoDelay(true);
    for (const socket of [near, far]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        near.destroy();
        far.destroy();
      });
    }
    const passOn = async (bytes: Buffer): Promise<void> => {
      for (let at = 0; at < bytes.length; at += size) {
        far.write(bytes.subarray(at, at + size));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    let passed = passOn(Buffer.from(header));
    near.on('data', (bytes) => {
      passed = passed.then(() => passOn(bytes));
    });
    far.pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeLater({ close: () => void server.close() });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
}

test('a closing gateway does not wait for connections that have sent nothing or half a TLS handshake', async () => {
  const { gateway } = await openTls(1, { limits: { handshakeMs: 60_000 } });
  for (const url of [gateway.url, gateway.secureUrl ?? ''])
    for (const bytes of ['', '\x16', 'GET /ws/CP1 HTTP/1.1\r\n']) {
      const socket = connect(portOf(url), '127.0.0.1');
      socket.on('error', () => {});
      closeLater({ close: () => void socket.destroy() });
      await once(socket, 'connect');
      if (bytes !== '') socket.write(bytes, 'latin1');
    }
  await gateway.close();
}, 20_000);
