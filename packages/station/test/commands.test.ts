import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { bootPair } from './setup.ts';

const slow = { meterValues: 1, intervalMs: 3_600_000, energyWh: 1000 };

test('configuration is read and changed by case-insensitive names', async () => {
  const { manager, station } = await bootPair();
  const change = (key: string, value: string) => manager.command('ChangeConfiguration', { key, value });
  await expect(change('meterVALUEsampleInterval', '15')).resolves.toEqual({ status: 'Accepted' });
  await expect(change('MeterValueSampleInterval', 'abc')).resolves.toEqual({ status: 'Rejected' });
  await expect(change('NumberOfConnectors', '9')).resolves.toEqual({ status: 'Rejected' });
  await expect(change('MeterValuesSampledData', 'Voltage,Nonsense')).resolves.toEqual({ status: 'Rejected' });
  await expect(change('Nothing', '1')).resolves.toEqual({ status: 'NotSupported' });
  const key = ['MeterValueSampleInterval', 'AuthorizationKey', 'Nothing'];
  await expect(manager.command('GetConfiguration', { key })).resolves.toEqual({
    configurationKey: [
      { key: 'MeterValueSampleInterval', readonly: false, value: '15' },
      { key: 'AuthorizationKey', readonly: false },
    ],
    unknownKey: ['Nothing'],
  });
  const all = await manager.command('GetConfiguration', {});
  expect(all.configurationKey?.length).toBeGreaterThan(20);
  expect(station.violations).toEqual([]);
});

test('a new AuthorizationKey takes effect immediately', async () => {
  const { manager, station } = await bootPair({ stationId: 'CP1', password: 'old' });
  const back = once(station, 'connected');
  const value = '00'.repeat(15) + 'ff';
  await manager.command('ChangeConfiguration', { key: 'AuthorizationKey', value });
  await back;
  expect(manager.passwords.at(-1)).toEqual(Buffer.from(value, 'hex'));
});

test('a remote start charges and a remote stop ends it', async () => {
  const { manager, station } = await bootPair({ speed: 1, remoteSession: slow });
  await expect(manager.command('RemoteStartTransaction', { idTag: 'TAG' })).resolves.toEqual({
    status: 'Accepted',
  });
  await manager.until(() => manager.requests('StatusNotification').at(-1)?.status === 'Charging');
  await expect(manager.command('RemoteStartTransaction', { idTag: 'TAG' })).resolves.toEqual({
    status: 'Rejected',
  });
  await expect(manager.command('RemoteStopTransaction', { transactionId: 99 })).resolves.toEqual({
    status: 'Rejected',
  });
  await manager.command('RemoteStopTransaction', { transactionId: 1 });
  await manager.until(() => manager.requests('StatusNotification').at(-1)?.status === 'Available');
  expect(manager.requests('StopTransaction')).toMatchObject([{ transactionId: 1, reason: 'Remote' }]);
  expect(station.violations).toEqual([]);
});

for (const type of ['Soft', 'Hard'] as const) {
  test(`a ${type} reset ends the session and boots again`, async () => {
    const { manager, station } = await bootPair();
    const session = station.connector(1).start('TAG');
    await session.answered;
    await expect(manager.command('Reset', { type })).resolves.toEqual({ status: 'Accepted' });
    await manager.until(
      () =>
        manager.requests('BootNotification').length === 2 && manager.requests('StopTransaction').length === 1,
    );
    expect(manager.requests('StopTransaction')).toMatchObject([{ reason: `${type}Reset` }]);
    const order = manager.calls.map(({ method }) => method);
    const isStoppedFirst = order.indexOf('StopTransaction') < order.lastIndexOf('BootNotification');
    expect(isStoppedFirst).toBe(type === 'Soft');
  });
}

test('availability changes immediately, or when the session ends', async () => {
  const { manager, station } = await bootPair({ connectors: 2 });
  const off = (connectorId: number) =>
    manager.command('ChangeAvailability', { connectorId, type: 'Inoperative' });
  await expect(off(2)).resolves.toEqual({ status: 'Accepted' });
  await manager.until(() => station.connector(2).status === 'Unavailable');
  await expect(off(3)).resolves.toEqual({ status: 'Rejected' });
  station.connector(1).start('TAG');
  await expect(off(1)).resolves.toEqual({ status: 'Scheduled' });
  expect(station.connector(1).status).not.toBe('Unavailable');
  await station.connector(1).unplug();
  expect(station.connector(1).status).toBe('Unavailable');
});

test('a triggered message follows the answer', async () => {
  const { manager } = await bootPair({ connectors: 2 });
  const trigger = (requestedMessage: 'MeterValues' | 'Heartbeat' | 'FirmwareStatusNotification') =>
    manager.command('TriggerMessage', { requestedMessage });
  await expect(trigger('FirmwareStatusNotification')).resolves.toEqual({ status: 'Accepted' });
  await manager.until(() => manager.requests('FirmwareStatusNotification').length === 1);
  expect(manager.requests('FirmwareStatusNotification')).toEqual([{ status: 'Idle' }]);
  await expect(trigger('MeterValues')).resolves.toEqual({ status: 'Accepted' });
  await manager.until(() => manager.requests('MeterValues').length === 2);
  expect(manager.requests('MeterValues')[0]?.meterValue[0]?.sampledValue[0]?.context).toBe('Trigger');
  await trigger('Heartbeat');
  await manager.until(() => manager.requests('Heartbeat').length === 1);
});

test('unlocking ends a session, the cache is cleared, and vendors are distinguished', async () => {
  const { manager, station } = await bootPair();
  await station.authorize('TAG');
  station.connector(1).start('TAG');
  await expect(manager.command('UnlockConnector', { connectorId: 1 })).resolves.toEqual({
    status: 'Unlocked',
  });
  await expect(manager.command('UnlockConnector', { connectorId: 5 })).resolves.toEqual({
    status: 'NotSupported',
  });
  await station.queue.drained();
  expect(manager.requests('StopTransaction')).toMatchObject([{ reason: 'UnlockCommand' }]);
  expect(station.authorization.cache.size).toBe(1);
  await expect(manager.command('ClearCache', {})).resolves.toEqual({ status: 'Accepted' });
  expect(station.authorization.cache.size).toBe(0);
  const transfer = (vendorId: string, messageId: string) =>
    manager.command('DataTransfer', { vendorId, messageId, data: 'x' });
  await expect(transfer('Other', 'Echo')).resolves.toEqual({ status: 'UnknownVendorId' });
  await expect(transfer('Evander', 'Other')).resolves.toEqual({ status: 'UnknownMessageId' });
  await expect(transfer('EVANDER', 'echo')).resolves.toEqual({ status: 'Accepted', data: 'x' });
});

test('an unsupported action is NotSupported, an unknown one NotImplemented', async () => {
  const { manager, station } = await bootPair({ configuration: { SupportedFeatureProfiles: 'Core' } });
  await expect(manager.command('CancelReservation', { reservationId: 1 })).rejects.toMatchObject({
    rpcErrorCode: 'NotSupported',
  });
  const sent: string[] = [];
  station.on('sent', (data) => sent.push(data.toString()));
  const answered = once(station, 'sent');
  manager.client?.sendRaw('[2,"x1","MakeCoffee",{}]');
  await answered;
  expect(sent[0]).toContain('"x1","NotImplemented"');
});

test('at most GetConfigurationMaxKeys keys are returned', async () => {
  const { manager } = await bootPair({ configuration: { GetConfigurationMaxKeys: '1' } });
  const key = ['HeartbeatInterval', 'CpoName'];
  await expect(manager.command('GetConfiguration', { key })).rejects.toMatchObject({
    rpcErrorCode: 'OccurenceConstraintViolation',
  });
});

test('the security profile can only increase, up to 3', async () => {
  const { manager } = await bootPair({ configuration: { SecurityProfile: '0' }, password: 'password' });
  const change = (value: string) =>
    manager.command('ChangeConfiguration', { key: 'SecurityProfile', value }).then(({ status }) => status);
  for (const value of ['0', '-1', '4', 'x']) expect(await change(value)).toBe('Rejected');
  expect(await change('1')).toBe('Accepted');
});

test('a warning is reported, and withdrawn by the next status', async () => {
  const { manager, station } = await bootPair();
  const told = () => manager.requests('StatusNotification').at(-1);
  await station.connector(1).setStatus('Available', { errorCode: 'HighTemperature', info: 'sun' });
  expect(told()).toMatchObject({ status: 'Available', errorCode: 'HighTemperature', info: 'sun' });
  await station.connector(1).setStatus('Available');
  expect(told()).toMatchObject({ status: 'Available', errorCode: 'NoError' });
});

test('availability outlives a restart', async () => {
  const { manager, station } = await bootPair();
  await manager.command('ChangeAvailability', { connectorId: 1, type: 'Inoperative' });
  await manager.until(() => station.connector(1).status === 'Unavailable');
  await station.powerCycle();
  expect(manager.requests('StatusNotification').at(-1)).toMatchObject({
    connectorId: 1,
    status: 'Unavailable',
  });
});
