import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { HandshakeRefused } from '../src/index.ts';
import { bootPair, startPair } from './setup.ts';

test('boots again until accepted, and sends nothing else before', async () => {
  const { manager, station } = await startPair();
  const statuses = ['Rejected', 'Pending', 'Accepted'];
  const currentTime = new Date().toISOString();
  manager.answers.BootNotification = () => ({ status: statuses.shift(), interval: 0, currentTime });
  await station.connect();
  await expect(station.boot()).resolves.toMatchObject({ status: 'Accepted' });
  expect(manager.calls.map(({ method }) => method)).toEqual([
    'BootNotification',
    'BootNotification',
    'BootNotification',
    'StatusNotification',
    'StatusNotification',
  ]);
  expect(station.registrationStatus).toBe('Accepted');
});

test('a Pending station waits for the interval unless the manager triggers the boot', async () => {
  const { manager, station } = await startPair();
  let status = 'Pending';
  const currentTime = new Date().toISOString();
  manager.answers.BootNotification = () => ({ status, interval: 3600, currentTime });
  await station.connect();
  const pending = once(station, 'booted');
  const booted = station.boot();
  await pending;
  await expect(manager.command('RemoteStartTransaction', { idTag: 'TAG' })).resolves.toEqual({
    status: 'Rejected',
  });
  status = 'Accepted';
  const trigger = await manager.command('TriggerMessage', { requestedMessage: 'BootNotification' });
  expect(trigger).toEqual({ status: 'Accepted' });
  await booted;
  expect(manager.requests('BootNotification')).toHaveLength(2);
});

test('after a lost connection it reconnects without another boot', async () => {
  const { manager, station } = await bootPair();
  const back = once(station, 'connected');
  station.drop();
  await back;
  await station.call('Heartbeat', {});
  expect(manager.requests('BootNotification')).toHaveLength(1);
});

test('sets its clock from the manager and never returns the same instant twice', async () => {
  const { station } = await bootPair({ now: () => 0 });
  const [first, second] = [station.timestamp(), station.timestamp()];
  expect(Math.abs(Date.parse(first) - Date.now())).toBeLessThan(60_000);
  expect(Date.parse(second)).toBe(Date.parse(first) + 1);
});

test('authenticates with the bytes of its password', async () => {
  const password = Buffer.from('000102ff3a00fe', 'hex');
  const { manager, station } = await startPair({ password, stationId: 'AL1000' });
  await station.connect();
  expect(manager.passwords).toEqual([password]);
});

test('escapes its id in the URL', async () => {
  const { manager, station } = await startPair({ stationId: 'RDAM 1/ä' });
  await station.connect();
  await station.boot();
  expect(manager.calls[0]?.stationId).toBe('RDAM 1/ä');
});

test('sends heartbeats at the interval of the boot answer and stops when it is closed', async () => {
  const { manager, station } = await startPair();
  const currentTime = new Date().toISOString();
  manager.answers.BootNotification = () => ({ status: 'Accepted', interval: 1, currentTime });
  await station.connect();
  await station.boot();
  await manager.until(() => manager.requests('Heartbeat').length === 1);
  expect(station.configuration.integer('HeartbeatInterval')).toBe(1);
});

test('reports the status of a refused handshake, or keeps trying', async () => {
  const { manager, station } = await startPair();
  manager.refuseWith = 401;
  await expect(station.connect()).rejects.toBeInstanceOf(HandshakeRefused);
  await expect(station.connect()).rejects.toMatchObject({ status: 401 });
  const connecting = station.connect({ keepTrying: true });
  await once(station, 'refused');
  manager.refuseWith = undefined;
  await connecting;
  expect(station.isConnected).toBe(true);
});
