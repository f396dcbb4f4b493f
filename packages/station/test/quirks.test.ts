import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import type { ErrorCode } from '@evander/ocpp';
import type { Station } from '../src/index.ts';
import { bootPair } from './setup.ts';

// By the numbers of the list of field quirks; 9 to 14 have files of their own.
const NEW_KEY = 'ff01020304050607fff90a0b0c0d0e0f10111213';
const session = { idTag: 'TAG', meterValues: 1, energyWh: 500 };

/** What the station sends from now on. */
function framesOf(station: Station): unknown[][] {
  const frames: unknown[][] = [];
  station.on('sent', (data) => frames.push(JSON.parse(data.toString()) as unknown[]));
  return frames;
}

test('1. the hex text of AuthorizationKey is the password', async () => {
  const { manager, station } = await bootPair({
    stationId: 'CP1',
    password: 'old',
    quirks: { hexTextAsPassword: true },
  });
  const back = once(station, 'connected');
  await manager.command('ChangeConfiguration', { key: 'AuthorizationKey', value: NEW_KEY });
  await back;
  expect(manager.passwords.at(-1)?.toString()).toBe(NEW_KEY);
});

test('1. a new AuthorizationKey is used after the reset', async () => {
  const { manager, station } = await bootPair({
    stationId: 'CP1',
    password: 'old',
    quirks: { passwordAfterReset: true },
  });
  const change = { key: 'AuthorizationKey', value: NEW_KEY };
  await expect(manager.command('ChangeConfiguration', change)).resolves.toEqual({ status: 'RebootRequired' });
  station.drop();
  await once(station, 'connected');
  expect(manager.passwords.at(-1)?.toString()).toBe('old');
  // The manager commands over the new socket once it has heard from it.
  await station.call('Heartbeat', {});
  await manager.command('Reset', { type: 'Soft' });
  await manager.until(() => manager.requests('BootNotification').length === 2);
  expect(manager.passwords.at(-1)).toEqual(Buffer.from(NEW_KEY, 'hex'));
});

test('2. two StopTransactions, one with a reason and one without', async () => {
  const { manager, station } = await bootPair({ quirks: { doubleStop: true } });
  await station.chargeSession(session);
  await manager.until(() => manager.requests('StopTransaction').length === 2);
  const [first, second] = manager.requests('StopTransaction');
  expect(second).toEqual({ ...first, reason: 'Local' });
  expect(first?.reason).toBeUndefined();
  expect(new Set(manager.ids('StopTransaction')).size).toBe(2);
});

test('3. HeartbeatInterval=abc causes a storm of heartbeats', async () => {
  const { manager } = await bootPair({ quirks: { heartbeatStorm: true } });
  const change = { key: 'HeartbeatInterval', value: 'abc' };
  await expect(manager.command('ChangeConfiguration', change)).resolves.toEqual({ status: 'Accepted' });
  await manager.until(() => manager.requests('Heartbeat').length >= 20);
});

test('4. meter values of 1970 come before the first boot', async () => {
  const { manager } = await bootPair({ quirks: { clockOf1970: true } });
  expect(manager.calls.map(({ method }) => method).slice(0, 2)).toEqual(['MeterValues', 'BootNotification']);
  expect(manager.requests('MeterValues')[0]?.meterValue[0]?.timestamp).toMatch(/^1970-01-01T/);
});

test('5. Reset closes the socket without an answer', async () => {
  const { manager } = await bootPair({ quirks: { reset: 'closeWithoutAnswer' } });
  await expect(manager.command('Reset', { type: 'Hard' })).rejects.toThrow();
  await manager.until(() => manager.requests('BootNotification').length === 2);
});

test('5. Reset boots on the same socket before it is answered', async () => {
  const { manager, station } = await bootPair({ quirks: { reset: 'bootBeforeAnswer' } });
  const frames = framesOf(station);
  let closed = 0;
  station.on('disconnected', () => closed++);
  await expect(manager.command('Reset', { type: 'Soft' })).resolves.toEqual({ status: 'Accepted' });
  expect(frames.slice(0, 2)).toEqual([
    [2, expect.any(String), 'BootNotification', expect.anything()],
    [3, expect.any(String), { status: 'Accepted' }],
  ]);
  expect(closed).toBe(0);
});

test('5. Reset closes with 1005, and the station reconnects immediately', async () => {
  const { manager, station } = await bootPair({ quirks: { reset: 'close1005' } });
  const closed = new Promise((resolve) => manager.client?.on('close', resolve));
  const back = once(station, 'connected');
  await manager.command('Reset', { type: 'Hard' });
  await expect(closed).resolves.toMatchObject({ code: 1005 });
  await back;
  await manager.until(() => manager.requests('BootNotification').length === 2);
});

test('5. Reset is accepted, and nothing happens', async () => {
  const { manager, station } = await bootPair({ quirks: { reset: 'neverReboots' } });
  const running = station.connector(1).start('TAG');
  await expect(manager.command('Reset', { type: 'Hard' })).resolves.toEqual({ status: 'Accepted' });
  await station.call('Heartbeat', {});
  expect(manager.requests('BootNotification')).toHaveLength(1);
  expect(station.connector(1).session).toBe(running);
});

test.each<ErrorCode>([
  'NotImplemented',
  'NotSupported',
  'FormationViolation',
  'TypeConstraintViolation',
  'OccurenceConstraintViolation',
])('6. an unknown action is answered %s', async (error) => {
  const { manager } = await bootPair({ quirks: { unknownTo: ['GetLog'], unknownActions: { error } } });
  const getLog = {
    logType: 'SecurityLog',
    requestId: 1,
    log: { remoteLocation: 'http://a.example/' },
  } as const;
  await expect(manager.command('GetLog', getLog)).rejects.toMatchObject({ rpcErrorCode: error });
});

test('6. an unknown action is answered with a plain Rejected, or not at all, or the station crashes', async () => {
  const quirks = { unknownActions: { response: { status: 'Rejected' } } };
  const { manager, station } = await bootPair({ quirks });
  const frames = framesOf(station);
  manager.client?.sendRaw('[2,"x1","MakeCoffee",{}]');
  await once(station, 'command');
  expect(frames).toEqual([[3, 'x1', { status: 'Rejected' }]]);
  station.answers.next('MakeTea', 'silence');
  manager.client?.sendRaw('[2,"x2","MakeTea",{}]');
  await once(station, 'received');
  await station.call('Heartbeat', {});
  expect(frames.map(([, id]) => id)).not.toContain('x2');
  station.answers.next('MakeTea', 'crash');
  manager.client?.sendRaw('[2,"x3","MakeTea",{}]');
  await manager.until(() => manager.requests('BootNotification').length === 2);
});

test('7. an invented action follows an accepted trigger, and its rejection does no harm', async () => {
  const { manager, station } = await bootPair({ quirks: { inventedAction: 'CustomOperation' } });
  const refused = new Promise<void>((resolve) =>
    station.on('answered', ({ action, isError }) => action === 'CustomOperation' && isError && resolve()),
  );
  await manager.command('TriggerMessage', { requestedMessage: 'Heartbeat' });
  await refused;
  await station.call('Heartbeat', {});
});

test('8. a profile in A is rejected, and so is the remote start that contains it', async () => {
  const { manager } = await bootPair({ quirks: { wattsOnly: true } });
  const key = ['ChargingScheduleAllowedChargingRateUnit'];
  const { configurationKey } = await manager.command('GetConfiguration', { key });
  expect(configurationKey).toMatchObject([{ value: 'Power' }]);
  const profile = (unit: 'A' | 'W', purpose: 'TxProfile' | 'TxDefaultProfile') => ({
    chargingProfileId: 1,
    stackLevel: 0,
    chargingProfilePurpose: purpose,
    chargingProfileKind: 'Relative' as const,
    chargingSchedule: { chargingRateUnit: unit, chargingSchedulePeriod: [{ startPeriod: 0, limit: 16 }] },
  });
  const set = (unit: 'A' | 'W') =>
    manager.command('SetChargingProfile', {
      connectorId: 1,
      csChargingProfiles: profile(unit, 'TxDefaultProfile'),
    });
  await expect(set('A')).resolves.toEqual({ status: 'Rejected' });
  await expect(set('W')).resolves.toEqual({ status: 'Accepted' });
  const chargingProfile = profile('A', 'TxProfile');
  await expect(manager.command('RemoteStartTransaction', { idTag: 'TAG', chargingProfile })).resolves.toEqual(
    { status: 'Rejected' },
  );
});
