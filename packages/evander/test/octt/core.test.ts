import { expect, test } from '@jest/globals';
import { eventually } from '../system/fixture.ts';
import { certification, now, TAGS } from './tool.ts';
import type { Tool } from './tool.ts';

const cases = certification();

async function booted(caseId: string, options = {}): Promise<Tool> {
  const tool = await cases.open(caseId, options);
  await tool.boot();
  return tool;
}

test('TC_001_CSMS Cold Boot Charge Point', async () => {
  const tool = await booted('TC_001');
  expect(tool.answersOfCsms('BootNotification')).toMatchObject([{ status: 'Accepted' }]);
  await tool.station.call('Heartbeat', {});
  expect(await tool.shown()).toMatchObject({
    registrationStatus: 'Accepted',
    connectors: [0, 1, 2].map((connectorId) => ({ connectorId, status: 'Available' })),
  });
});

test('TC_003_CSMS Regular Charging Session - Plugin First', async () => {
  const tool = await booted('TC_003');
  await tool.status(1, 'Preparing');
  await tool.authorize();
  await tool.start();
  await tool.status(1, 'Charging');
  expect(await tool.transactions()).toMatchObject([{ idTag: TAGS.valid, stoppedAt: null }]);
});

test('TC_004_1_CSMS Regular Charging Session - Identification First', async () => {
  const tool = await booted('TC_004_1');
  await tool.charge();
  expect(await tool.transactions()).toHaveLength(1);
});

test('TC_004_2_CSMS Regular Charging Session - Identification First - ConnectionTimeOut', async () => {
  const tool = await booted('TC_004_2');
  await tool.authorize();
  await tool.status(1, 'Preparing');
  await tool.status(1, 'Available');
  expect(await tool.transactions()).toEqual([]);
});

test('TC_005_1_CSMS EV Side Disconnected', async () => {
  const tool = await booted('TC_005_1');
  const transactionId = await tool.charge();
  await tool.status(1, 'SuspendedEV');
  await tool.stop(transactionId, { reason: 'EVDisconnected' });
  await tool.status(1, 'Finishing');
  await tool.status(1, 'Available');
  expect(await tool.transactions()).toMatchObject([{ stopReason: 'EVDisconnected', energyWh: 1000 }]);
});

test('TC_007_CSMS Regular Start Charging Session - Cached Id', async () => {
  const tool = await booted('TC_007');
  await tool.status(1, 'Preparing');
  await tool.start();
  await tool.status(1, 'Charging');
});

const REMOTE = { meterValues: 1, intervalMs: 3_600_000, energyWh: 1000 };

test.each([
  ['TC_010_CSMS Remote Start Charging Session - Cable Plugged in First', 'TC_010', true],
  ['TC_011_1_CSMS Remote Start Charging Session - Remote Start First', 'TC_011_1', false],
] as const)('%s', async (_name, caseId, isPluggedFirst) => {
  const tool = await booted(caseId, {
    configuration: { AuthorizeRemoteTxRequests: 'true' },
    speed: 1,
    remoteSession: REMOTE,
  });
  if (isPluggedFirst) await tool.station.connector(1).plugIn();
  const command = await tool.send('RemoteStartTransaction', { idTag: TAGS.valid, connectorId: 1 });
  expect(command).toMatchObject({ status: 'answered', response: { status: 'Accepted' } });
  await tool.until('StartTransaction');
  await eventually(() => expect(tool.station.connector(1).status).toBe('Charging'));
  expect(tool.answersOfCsms('Authorize')).toMatchObject([{ idTagInfo: { status: 'Accepted' } }]);
  expect(tool.answersOfCsms('StartTransaction')).toMatchObject([{ idTagInfo: { status: 'Accepted' } }]);
  expect(await tool.transactions()).toMatchObject([{ remoteStartCommandId: command.commandId }]);
});

test('TC_011_2_CSMS Remote Start Charging Session - Time Out', async () => {
  const tool = await booted('TC_011_2');
  tool.station.answers.next('RemoteStartTransaction', { response: { status: 'Accepted' } });
  await tool.send('RemoteStartTransaction', { idTag: TAGS.valid });
  await tool.authorize();
  await tool.status(1, 'Preparing');
  await tool.status(1, 'Available');
  expect(await tool.transactions()).toEqual([]);
});

test('TC_012_CSMS Remote Stop Charging Session', async () => {
  const tool = await booted('TC_012', { speed: 1, remoteSession: REMOTE });
  await tool.send('RemoteStartTransaction', { idTag: TAGS.valid });
  await tool.until('StartTransaction');
  const [{ transactionId } = {}] = await tool.transactions();
  expect(await tool.send('RemoteStopTransaction', { transactionId })).toMatchObject({
    response: { status: 'Accepted' },
  });
  await tool.until('StopTransaction');
  expect(await tool.transactions()).toMatchObject([{ transactionId, stopReason: 'Remote' }]);
});

test.each([
  ['TC_013_CSMS Hard Reset', 'TC_013', 'Hard'],
  ['TC_014_CSMS Soft Reset', 'TC_014', 'Soft'],
] as const)('%s', async (_name, caseId, type) => {
  const tool = await booted(caseId);
  expect(await tool.send('Reset', { type })).toMatchObject({ response: { status: 'Accepted' } });
  expect(tool.sentByCsms('Reset')).toEqual([{ type }]);
  await tool.until('BootNotification', 2);
  expect(tool.answersOfCsms('BootNotification').at(-1)).toMatchObject({ status: 'Accepted' });
  await tool.until('StatusNotification', 6);
  expect(await tool.shown()).toMatchObject({ resetPendingSince: null });
});

test.each([
  ['TC_017_1_CSMS Unlock connector - no charging session running (Not fixed cable)', 'TC_017_1', 'Unlocked'],
  ['TC_017_2_CSMS Unlock connector - no charging session running (Fixed cable)', 'TC_017_2', 'NotSupported'],
  ['TC_030_CSMS Unlock Connector - Unlock Failure', 'TC_030', 'UnlockFailed'],
  ['TC_031_CSMS Unlock Connector - Unknown Connector', 'TC_031', 'NotSupported'],
])('%s', async (_name, caseId, status) => {
  const tool = await booted(caseId);
  tool.station.answers.next('UnlockConnector', { response: { status } });
  const connectorId = caseId === 'TC_031' ? 99 : 1;
  expect(await tool.send('UnlockConnector', { connectorId })).toMatchObject({
    status: 'answered',
    response: { status },
  });
  expect(tool.sentByCsms('UnlockConnector')).toEqual([{ connectorId }]);
});

test('TC_018_1_CSMS Unlock Connector - With Charging Session (Not fixed cable)', async () => {
  const tool = await booted('TC_018_1');
  const transactionId = await tool.charge();
  expect(await tool.send('UnlockConnector', { connectorId: 1 })).toMatchObject({
    response: { status: 'Unlocked' },
  });
  await tool.status(1, 'Finishing');
  await tool.stop(transactionId, { reason: 'UnlockCommand' });
  await tool.status(1, 'Available');
  expect(await tool.transactions()).toMatchObject([{ stopReason: 'UnlockCommand' }]);
});

test('TC_019_1_CSMS Retrieve all configuration keys', async () => {
  const tool = await booted('TC_019_1');
  await tool.send('GetConfiguration', {});
  expect(tool.sentByCsms('GetConfiguration')).toEqual([{}]);
  const keys = await tool.listed('/configuration?limit=500');
  expect(keys.map(({ key }) => key).sort()).toEqual([...tool.station.configuration.names].sort());
  expect(keys).toContainEqual(
    expect.objectContaining({ key: 'NumberOfConnectors', readonly: true, value: '2' }),
  );
  expect(keys).toContainEqual(expect.objectContaining({ key: 'HeartbeatInterval', readonly: false }));
});

test('TC_019_2_CSMS Retrieve Specific Configuration Key', async () => {
  const tool = await booted('TC_019_2');
  await tool.send('GetConfiguration', { key: ['SupportedFeatureProfiles'] });
  expect(tool.sentByCsms('GetConfiguration')).toEqual([{ key: ['SupportedFeatureProfiles'] }]);
  expect(await tool.listed('/configuration')).toMatchObject([{ key: 'SupportedFeatureProfiles' }]);
});

test('TC_021_CSMS Change/set Configuration', async () => {
  const tool = await booted('TC_021');
  await tool.send('ChangeConfiguration', { key: 'MeterValueSampleInterval', value: '60' });
  expect(tool.sentByCsms('ChangeConfiguration')).toEqual([{ key: 'MeterValueSampleInterval', value: '60' }]);
  expect(await tool.listed('/configuration')).toMatchObject([
    { key: 'MeterValueSampleInterval', value: '60' },
  ]);
});

test.each([
  ['TC_023_1_CSMS Start Charging Session - Authorize invalid', 'TC_023_1', TAGS.invalid, 'Invalid'],
  ['TC_023_2_CSMS Start Charging Session - Authorize expired', 'TC_023_2', TAGS.expired, 'Expired'],
  ['TC_023_3_CSMS Start Charging Session - Authorize blocked', 'TC_023_3', TAGS.blocked, 'Blocked'],
])('%s', async (...[, caseId, idTag, status]) => {
  const tool = await booted(caseId);
  expect(await tool.station.call('Authorize', { idTag })).toMatchObject({ idTagInfo: { status } });
});

test('TC_024_CSMS Start Charging Session Lock Failure', async () => {
  const tool = await booted('TC_024');
  await tool.authorize();
  await tool.status(1, 'Preparing');
  await tool.status(1, 'Faulted', { errorCode: 'ConnectorLockFailure' });
  expect((await tool.shown()).connectors).toContainEqual(
    expect.objectContaining({ connectorId: 1, status: 'Faulted', errorCode: 'ConnectorLockFailure' }),
  );
});

test('TC_026_CSMS Remote Start Charging Session - Rejected', async () => {
  const tool = await booted('TC_026');
  tool.station.answers.next('RemoteStartTransaction', { response: { status: 'Rejected' } });
  expect(await tool.send('RemoteStartTransaction', { idTag: TAGS.valid })).toMatchObject({
    status: 'answered',
    response: { status: 'Rejected' },
  });
});

test('TC_028_CSMS Remote Stop Transaction - Rejected', async () => {
  const tool = await booted('TC_028');
  const transactionId = await tool.charge();
  const unknown = transactionId + 1000;
  expect(await tool.send('RemoteStopTransaction', { transactionId: unknown })).toMatchObject({
    response: { status: 'Rejected' },
  });
  expect(await tool.transactions()).toMatchObject([{ transactionId, stoppedAt: null }]);
});

test('TC_032_1_CSMS Power failure boot charging point-configured to stop transaction(s)', async () => {
  const tool = await booted('TC_032_1');
  const transactionId = await tool.charge();
  await tool.station.disconnect();
  await tool.boot();
  expect(await tool.transactions()).toMatchObject([{ transactionId, stoppedAt: null }]);
  await tool.status(1, 'Finishing');
  await tool.status(2, 'Available');
  await tool.stop(transactionId, { reason: 'PowerLoss' });
  expect(await tool.transactions()).toMatchObject([{ transactionId, stopReason: 'PowerLoss' }]);
});

const EARLIER = '2026-11-20T10:00:00.000Z';
const LATER = '2026-11-20T11:00:00.000Z';

async function afterOffline(caseId: string): Promise<Tool> {
  const tool = await booted(caseId);
  await tool.station.disconnect();
  await tool.station.connect();
  return tool;
}

test('TC_037_1_CSMS Offline Start Transaction - Valid IdTag', async () => {
  const tool = await afterOffline('TC_037_1');
  await tool.start({ timestamp: EARLIER });
  await tool.status(1, 'Charging');
  expect(await tool.transactions()).toMatchObject([{ startedAt: EARLIER, idTagStatus: 'Accepted' }]);
});

test('TC_037_3_CSMS Offline Start Transaction - Invalid IdTag - StopTransactionOnInvalidId = true', async () => {
  const tool = await afterOffline('TC_037_3');
  const start = { connectorId: 1, idTag: TAGS.invalid, meterStart: 0, timestamp: EARLIER };
  const { idTagInfo, transactionId } = await tool.station.call('StartTransaction', start);
  expect(idTagInfo.status).toBe('Invalid');
  await tool.status(1, 'Charging');
  await tool.stop(transactionId, { reason: 'DeAuthorized' });
  await tool.status(1, 'Finishing');
  expect(await tool.transactions()).toMatchObject([{ transactionId, stopReason: 'DeAuthorized' }]);
});

test('TC_039_CSMS Offline Transaction', async () => {
  const tool = await afterOffline('TC_039');
  const transactionId = await tool.start({ timestamp: EARLIER });
  await tool.stop(transactionId, { timestamp: LATER, reason: 'Local' });
  expect(await tool.transactions()).toMatchObject([{ startedAt: EARLIER, stoppedAt: LATER }]);
});

test('TC_040_1_CSMS Configuration keys - NotSupported', async () => {
  const tool = await booted('TC_040_1');
  expect(await tool.send('ChangeConfiguration', { key: 'NoSuchKey', value: '1' })).toMatchObject({
    response: { status: 'NotSupported' },
  });
  expect(await tool.listed('/configuration')).toEqual([]);
});

test('TC_040_2_CSMS Configuration keys - Invalid value', async () => {
  const tool = await booted('TC_040_2');
  const key = 'MeterValueSampleInterval';
  await tool.send('GetConfiguration', { key: [key] });
  const before = await tool.listed('/configuration');
  expect(await tool.send('ChangeConfiguration', { key, value: '-1' }, '?skipRules=true')).toMatchObject({
    response: { status: 'Rejected' },
  });
  expect(await tool.listed('/configuration')).toEqual(before);
});

test('TC_061_CSMS Clear Authorization Data in Authorization Cache', async () => {
  const tool = await booted('TC_061');
  expect(await tool.send('ClearCache', {})).toMatchObject({ response: { status: 'Accepted' } });
});

test('TC_064_CSMS Data Transfer to a Central System', async () => {
  const tool = await booted('TC_064');
  expect(
    await tool.station.call('DataTransfer', { vendorId: 'no.such.vendor', messageId: 'M', data: now() }),
  ).toEqual({ status: 'UnknownVendorId' });
});
