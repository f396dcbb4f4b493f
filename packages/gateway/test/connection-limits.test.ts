import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { OpenSsl } from '../../../test/openssl.ts';
import type { KeyPair } from '../../../test/openssl.ts';
import type { Gateway, GatewayOptions } from '../src/index.ts';
import { closeLater, connectStation, handshake, metric, openStage, portOf } from './harness.ts';
import { certificatesOf, serverKeys, stationKeys } from './tls-stage.ts';

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

function openTls(more: Partial<GatewayOptions> = {}) {
  return openStage({ certificates: certificatesOf(server), ...more });
}

/** Opens a TCP connection to the gateway from a local address of this machine. */
function dial(url: string, from = '127.0.0.1'): Socket {
  const socket = connect({ host: '127.0.0.1', port: portOf(url), localAddress: from });
  closeLater({ close: () => void socket.destroy() });
  socket.on('error', () => {});
  return socket;
}

function upgrade(stationId: string, more: string[] = []): string {
  return [
    `GET /ws/${stationId} HTTP/1.1`,
    'Host: x',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol: ocpp1.6',
    ...more,
    '\r\n',
  ].join('\r\n');
}

/** The status of the answer to a handshake; undefined when the connection closes without one. */
async function statusOf(socket: Socket, bytes: string | Buffer): Promise<number | undefined> {
  socket.write(bytes);
  const answer = await new Promise<string>((resolve) => {
    socket.once('data', (data: Buffer) => resolve(data.toString()));
    socket.once('close', () => resolve(''));
  });
  const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1];
  return status === undefined ? undefined : Number(status);
}

describe('an unfinished connection is closed', () => {
  const limits = { handshakeMs: 500 };

  test.each<[string, string]>([
    ['silent', ''],
    ['headers without end', 'GET /ws/CP1 HTTP/1.1\r\nHost: x\r\nX-Slow: '],
    ['a body without end', 'POST /ws/CP1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n'],
    ['kept alive after its answer', 'GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n'],
    ['the beginning of a PROXY header', 'PROXY TCP4 203.0'],
  ])('%s, over TCP', async (_name, bytes) => {
    for (const trustedProxies of [[], ['127.0.0.1']]) {
      const { gateway } = await openStage({ limits, trustedProxies });
      const socket = dial(gateway.url).resume();
      socket.write(bytes);
      await once(socket, 'close');
    }
  });

  test('also when it sends a header byte now and then', async () => {
    const { gateway } = await openStage({ limits });
    const socket = dial(gateway.url).resume();
    socket.write('GET /ws/CP1 HTTP/1.1\r\n');
    const drip = setInterval(() => socket.write('a'), 50);
    await once(socket, 'close');
    clearInterval(drip);
  });

  test('also on the TLS port', async () => {
    const { gateway } = await openTls({ limits });
    const silent = dial(gateway.secureUrl ?? '').resume();
    const idle = connectTls({
      host: '127.0.0.1',
      port: portOf(gateway.secureUrl ?? ''),
      ca: root.certificate,
    });
    closeLater({ close: () => void idle.destroy() });
    idle.on('error', () => {});
    idle.resume();
    await Promise.all([once(silent, 'close'), once(idle, 'close')]);
  });

  test('but a connected, silent station stays', async () => {
    const { gateway } = await openStage({ limits });
    const station = await connectStation(gateway);
    const silent = dial(gateway.url).resume();
    await once(silent, 'close');
    expect(station.socket.readyState).toBe(station.socket.OPEN);
  });
});

describe('the number of connections', () => {
  test('is limited in total, and a freed place is used again', async () => {
    const { gateway } = await openStage({ limits: { connections: 3 } });
    const stations = [];
    for (let i = 0; i < 3; i++) stations.push(await connectStation(gateway, `CP${i}`));
    expect(await statusOf(dial(gateway.url), upgrade('CP3'))).toBeUndefined();
    expect(await metric(gateway, 'evander_gateway_cut_connections_total')).toBe(1);
    stations[0]?.close();
    await untilAccepted(gateway, 'CP3');
    expect(stations.slice(1).map(({ socket }) => socket.readyState)).toEqual([1, 1]);
  });

  test('per address is limited, including unfinished handshakes; other addresses are served', async () => {
    const { gateway } = await openStage({ limits: { connectionsPerAddress: 3 } });
    await connectStation(gateway, 'CP0');
    await Promise.all([1, 2].map(() => once(dial(gateway.url), 'connect')));
    expect(await statusOf(dial(gateway.url), upgrade('CP1'))).toBeUndefined();
    expect(await statusOf(dial(gateway.url, '127.0.0.2'), upgrade('CP1'))).toBe(101);
  });

  test('of a trusted proxy is not limited, but that of each client behind it is', async () => {
    const { gateway } = await openStage({
      limits: { connectionsPerAddress: 2 },
      trustedProxies: ['127.0.0.1'],
    });
    const from = async (address: string, stationId: string) =>
      statusOf(dial(gateway.url), upgrade(stationId, [`X-Forwarded-For: ${address}`]));
    expect(await from('203.0.113.1', 'CP1')).toBe(101);
    expect(await from('203.0.113.1', 'CP2')).toBe(101);
    expect(await from('203.0.113.1', 'CP3')).toBe(429);
    expect(await from('203.0.113.2', 'CP3')).toBe(101);
    // The same with PROXY protocol.
    const byProxy = async (address: string, stationId: string) =>
      statusOf(dial(gateway.url), `PROXY TCP4 ${address} 192.0.2.1 1 2\r\n${upgrade(stationId)}`);
    expect(await byProxy('203.0.113.1', 'CP4')).toBeUndefined();
    expect(await byProxy('203.0.113.2', 'CP4')).toBe(101);
    expect(await byProxy('203.0.113.2', 'CP5')).toBeUndefined();
  });
});

async function untilAccepted(gateway: Gateway, stationId: string): Promise<void> {
  while ((await statusOf(dial(gateway.url), upgrade(stationId))) !== 101)
    await new Promise((resolve) => setTimeout(resolve, 20));
}

const V2_IPV6 = Buffer.from(
  '0d0a0d0a000d0a515549540a212100242001 0db8000000000000000000000001 20010db8000000000000000000000002 d431245e'.replaceAll(
    ' ',
    '',
  ),
  'hex',
);
const V2_LOCAL = Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex');

describe('PROXY protocol', () => {
  test.each<[string, Buffer, string]>([
    ['version 1', Buffer.from('PROXY TCP4 203.0.113.9 192.0.2.1 54321 9310\r\n'), '203.0.113.9'],
    ['version 2, IPv6', V2_IPV6, '2001:db8::1'],
    ['LOCAL, from the proxy itself', V2_LOCAL, '127.0.0.1'],
    ['none', Buffer.alloc(0), '127.0.0.1'],
  ])(
    "from a trusted load balancer gives the station's address, on ws and wss: %s",
    async (_name, header, remoteAddress) => {
      const { gateway, manager } = await openTls({ trustedProxies: ['127.0.0.1'] });
      expect(await statusOf(dial(gateway.url), Buffer.concat([header, Buffer.from(upgrade('CP1'))]))).toBe(
        101,
      );
      const raw = dial(gateway.secureUrl ?? '');
      raw.write(header);
      const secure = connectTls({
        socket: raw,
        ca: root.certificate,
        cert: client.certificate,
        key: client.key,
      });
      closeLater({ close: () => void secure.destroy() });
      await once(secure, 'secureConnect');
      expect(await statusOf(secure, upgrade('CP2'))).toBe(101);
      for (const stationId of ['CP1', 'CP2'])
        expect(
          await manager.reported('connected', ({ connections }) => connections[0]?.stationId === stationId),
        ).toMatchObject({
          connections: [{ stationId, remoteAddress }],
        });
    },
  );

  test.each(['127.0.0.2', '127.0.0.3'])('from any other peer is not a request: %s', async (from) => {
    const { gateway } = await openStage({ trustedProxies: ['127.0.0.1'] });
    const header = 'PROXY TCP4 203.0.113.9 192.0.2.1 54321 9310\r\n';
    expect(await statusOf(dial(gateway.url, from), header + upgrade('CP1'))).not.toBe(101);
    expect(await statusOf(dial(gateway.url, from), upgrade('CP1'))).toBe(101);
  });

  test('with an invalid header closes the connection, and the next connection is served', async () => {
    const { gateway } = await openStage({ trustedProxies: ['127.0.0.1'] });
    expect(await statusOf(dial(gateway.url), `PROXY TCP4 nobody\r\n${upgrade('CP1')}`)).toBeUndefined();
    expect(await statusOf(dial(gateway.url), upgrade('CP1'))).toBe(101);
  });

  test('means that the station itself sent the headers, so they are not trusted', async () => {
    const { gateway, manager } = await openStage({
      trustedProxies: ['127.0.0.1', '203.0.113.9'],
      clientCertificateHeader: 'client-cert',
      lowestSecurityProfile: 0,
    });
    const lies = ['X-Forwarded-For: 198.51.100.1', 'X-Forwarded-Proto: https'];
    const header = 'PROXY TCP4 203.0.113.9 192.0.2.1 54321 9310\r\n';
    expect(await statusOf(dial(gateway.url), header + upgrade('CP1', lies))).toBe(101);
    expect(await manager.reported('connected')).toMatchObject({
      connections: [{ remoteAddress: '203.0.113.9', securityProfile: 0 }],
    });
  });

  test('counts failures separately for each station behind a load balancer', async () => {
    const { gateway } = await openStage({
      trustedProxies: ['127.0.0.1'],
      credentialsOf: async () => undefined,
    });
    const from = async (address: string) =>
      statusOf(dial(gateway.url), `PROXY TCP4 ${address} 192.0.2.1 1 2\r\n${upgrade('CP1')}`);
    let status = await from('203.0.113.1');
    for (let i = 0; i < 50 && status === 404; i++) status = await from('203.0.113.1');
    expect(status).toBe(429);
    expect(await from('203.0.113.2')).toBe(404);
  });

  test('is not required for health checks that only connect', async () => {
    const { gateway } = await openStage({ trustedProxies: ['127.0.0.1'] });
    for (let i = 0; i < 3; i++) {
      const probe = dial(gateway.url);
      await once(probe, 'connect');
      probe.destroy();
    }
    expect((await handshake(gateway, '/ws/CP1')).status).toBe(101);
    expect(await metric(gateway, 'evander_gateway_cut_connections_total')).toBe(0);
  });
});
