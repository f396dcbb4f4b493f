import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { WebSocketServer } from 'ws';
import { HandshakeRefused } from '../src/index.ts';
import { bootPair, closeLater, startPair } from './setup.ts';

// Numbers 10, 13 and 14 of the list of field quirks, and the csr of 12; 9 is among the tests of certificates.
type Quirks = NonNullable<Parameters<typeof bootPair>[0]>['quirks'];

/** A port of its own, closed when the test ends. */
async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  closeLater({ close: async () => void server.close() });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('10. a station that supports only FTP does not upload by HTTP', async () => {
  const { manager } = await bootPair({ quirks: { fileTransfer: 'FTP' } });
  await manager.command('GetDiagnostics', { location: 'http://files.example/dir' });
  await manager.until(
    () => manager.requests('DiagnosticsStatusNotification').at(-1)?.status === 'UploadFailed',
  );
});

test('10. the name of a file is appended to the path', async () => {
  const paths: string[] = [];
  const host = await listen(
    createServer((request, response) => {
      paths.push(request.url ?? '');
      request.resume().on('end', () => response.end());
    }),
  );
  const { manager } = await bootPair({ quirks: { glueFileName: true }, transfers: 'real' });
  const { fileName } = await manager.command('GetDiagnostics', { location: `http://${host}/dir` });
  await manager.until(() => manager.requests('DiagnosticsStatusNotification').at(-1)?.status === 'Uploaded');
  expect(paths).toEqual([`/dir${fileName ?? ''}`]);
});

test('12. the csr is not PEM', async () => {
  const { manager } = await bootPair({ quirks: { csrWithoutPem: true } });
  manager.answers.SignCertificate = () => ({ status: 'Accepted' });
  await manager.command('ExtendedTriggerMessage', { requestedMessage: 'SignChargePointCertificate' });
  await manager.until(() => manager.requests('SignCertificate').length > 0);
  // Base64 of DER, whose first element is a sequence.
  expect(manager.requests('SignCertificate')[0]?.csr).toMatch(/^MI[A-Za-z0-9+/]+=*$/);
});

/** The headers with which such a station asks for its socket. */
async function handshakeOf(quirks: Quirks): Promise<IncomingMessage['headers']> {
  const server = createServer();
  const host = await listen(server);
  const upgrade = once(server, 'upgrade') as Promise<[IncomingMessage, NodeJS.WritableStream]>;
  const { station } = await startPair({
    url: `ws://${host}`,
    stationId: 'CP1',
    password: 'pw',
    ...(quirks && { quirks }),
  });
  const refused = expect(station.connect()).rejects.toBeInstanceOf(HandshakeRefused);
  const [{ headers }, socket] = await upgrade;
  socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n');
  await refused;
  return headers;
}

test('13. compression, subprotocols and the user name are offered as configured', async () => {
  const plain = await handshakeOf({});
  expect(plain['sec-websocket-protocol']).toBe('ocpp1.6');
  expect(plain['sec-websocket-extensions']).toBeUndefined();
  expect(plain.authorization).toBe(`Basic ${btoa('CP1:pw')}`);
  const odd = await handshakeOf({
    compression: true,
    subprotocols: ['ocpp2.0.1', 'ocpp1.6'],
    userName: 'me',
  });
  expect(odd['sec-websocket-protocol']).toBe('ocpp2.0.1,ocpp1.6');
  expect(odd['sec-websocket-extensions']).toContain('permessage-deflate');
  expect(odd.authorization).toBe(`Basic ${btoa('me:pw')}`);
});

test('13. WebSocket pings are sent', async () => {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  const host = await listen(server);
  const { station } = await startPair({ url: `ws://${host}`, quirks: { pingEverySeconds: 0.005 } });
  const connection = once(sockets, 'connection') as Promise<[NodeJS.EventEmitter]>;
  await station.connect();
  const [socket] = await connection;
  for (let i = 0; i < 2; i++) await once(socket, 'ping');
});

test('14. the keys of a payload are in alphabetical order', async () => {
  const { station } = await bootPair({ quirks: { sortKeys: true } });
  const frames: string[] = [];
  station.on('sent', (data) => frames.push(data.toString()));
  await station.chargeSession({ idTag: 'TAG', meterValues: 1, energyWh: 500 });
  const keys = frames.map((frame) => Object.keys((JSON.parse(frame) as object[])[3] ?? {}));
  expect(keys.length).toBeGreaterThan(5);
  for (const those of keys) expect(those).toEqual([...those].sort());
});
