import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { Station } from '../src/index.ts';
import { VENDORS } from '../src/cli/vendors.ts';
import type { Vendor } from '../src/cli/vendors.ts';
import { bootPair, closeLater } from './setup.ts';

function vendorOptions(name: string): Omit<Vendor, 'summary'> {
  const { summary, ...options } = VENDORS[name] ?? { summary: '' };
  expect(summary).not.toBe('');
  return options;
}

test.each(Object.keys(VENDORS))('%s boots, charges and names itself as its make does', async (name) => {
  const options = vendorOptions(name);
  // That id's path is no identity for a CSMS that reads paths by the letter.
  const { manager, station } = await bootPair({
    ...options,
    quirks: { ...options.quirks, doubleSlash: false },
  });
  const [boot] = manager.requests('BootNotification');
  expect(boot).toMatchObject({ chargePointVendor: options.identity?.chargePointVendor });
  await station.chargeSession({ idTag: 'TAG', meterValues: 1, energyWh: 500 });
  expect(manager.requests('StopTransaction')).toHaveLength(1);
  expect(station.violations).toEqual([]);
});

test('abb fills every status, but an error takes precedence', async () => {
  const { manager, station } = await bootPair(vendorOptions('abb'));
  expect(manager.requests('StatusNotification')[0]).toMatchObject({
    info: 'null',
    vendorErrorCode: '0x0000',
  });
  await station.connector(1).setStatus('Faulted', { errorCode: 'GroundFailure', info: 'earth' });
  expect(manager.requests('StatusNotification').at(-1)).toMatchObject({
    ...{ errorCode: 'GroundFailure', info: 'earth', vendorErrorCode: '0x0000' },
  });
});

test('goe reports booleans as 0 and 1, and numbers unchanged', async () => {
  const { manager } = await bootPair(vendorOptions('goe'));
  const { configurationKey = [] } = await manager.command('GetConfiguration', {});
  const valueOf = (name: string) => configurationKey.find(({ key }) => key === name)?.value;
  expect([valueOf('LocalAuthorizeOffline'), valueOf('NumberOfConnectors')]).toEqual(['1', '1']);
  expect(configurationKey.map(({ value }) => value)).not.toContain('true');
});

test.each([
  ['beny', '/ws//VENDOR', true],
  ['enplus', '/ws/VENDOR', false],
])('%s connects to %s; that it answers pings is %s', async (name, path, answersPings) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'ocpp1.6' });
  closeLater({ close: async () => void server.close() });
  const connected = once(sockets, 'connection') as Promise<[WebSocket, IncomingMessage]>;
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
  const station = closeLater(new Station({ stationId: 'VENDOR', url, ...vendorOptions(name) }));
  await station.connect();
  const [socket, request] = await connected;
  expect(request.url).toBe(path);
  let hasPong = false;
  socket.on('pong', () => (hasPong = true));
  socket.ping();
  // What comes after the ping has come after the pong as well.
  const message = once(socket, 'message');
  socket.send('[2,"1","ClearCache",{}]');
  await message;
  expect(hasPong).toBe(answersPings);
});
