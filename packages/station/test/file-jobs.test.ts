import { expect, test } from '@jest/globals';
import type { Requests } from '@evander/ocpp';
import { bootPair } from './setup.ts';
import type { Manager } from './manager.ts';

const LOCATION = 'http://files.example/dir';
const SOON = { retrieveDate: '2026-01-01T00:00:00Z' };
type StatusAction = Extract<keyof Requests, `${string}StatusNotification`>;

/** The statuses that came, once so many are there. */
async function statuses(manager: Manager, action: StatusAction, count: number): Promise<string[]> {
  await manager.until(() => manager.requests(action).length >= count);
  return manager.requests(action).map(({ status }) => status);
}

test('GetDiagnostics uploads and reports it', async () => {
  const { manager } = await bootPair();
  const { fileName } = await manager.command('GetDiagnostics', { location: LOCATION });
  expect(fileName).toBeTruthy();
  expect(await statuses(manager, 'DiagnosticsStatusNotification', 2)).toEqual(['Uploading', 'Uploaded']);
});

test('a scripted failure of an upload happens', async () => {
  const { manager, station } = await bootPair();
  station.jobs.setOutcome('diagnostics', 'UploadFailed');
  await manager.command('GetDiagnostics', { location: LOCATION });
  expect(await statuses(manager, 'DiagnosticsStatusNotification', 2)).toEqual(['Uploading', 'UploadFailed']);
});

test('GetLog repeats its requestId; a second one replaces the first', async () => {
  const { manager } = await bootPair({ jobStepMs: 3_600_000 });
  const getLog = (requestId: number) =>
    manager.command('GetLog', { logType: 'SecurityLog', requestId, log: { remoteLocation: LOCATION } });
  expect(await getLog(1)).toMatchObject({ status: 'Accepted' });
  await statuses(manager, 'LogStatusNotification', 1);
  expect(await getLog(2)).toMatchObject({ status: 'AcceptedCanceled' });
  await statuses(manager, 'LogStatusNotification', 2);
  expect(manager.requests('LogStatusNotification')).toEqual([
    { status: 'Uploading', requestId: 1 },
    { status: 'Uploading', requestId: 2 },
  ]);
});

test('UpdateFirmware restarts the station with its new version', async () => {
  const { manager, station } = await bootPair({ nextFirmwareVersion: '2.0.0' });
  await expect(manager.command('UpdateFirmware', { location: LOCATION, ...SOON })).resolves.toEqual({});
  expect(await statuses(manager, 'FirmwareStatusNotification', 4)).toEqual([
    'Downloading',
    'Downloaded',
    'Installing',
    'Installed',
  ]);
  expect(manager.requests('BootNotification').at(-1)?.firmwareVersion).toBe('2.0.0');
  expect(manager.requests('StatusNotification').map(({ status }) => status)).toContain('Unavailable');
  expect(station.violations).toEqual([]);
});

test.each(['DownloadFailed', 'InstallationFailed'] as const)('an update ends with %s', async (failure) => {
  const { manager, station } = await bootPair();
  station.jobs.setOutcome('firmware', failure);
  await manager.command('UpdateFirmware', { location: LOCATION, ...SOON });
  await manager.until(() => manager.requests('FirmwareStatusNotification').at(-1)?.status === failure);
  expect(manager.requests('BootNotification')).toHaveLength(1);
});

test('SignedUpdateFirmware reports a bad signature', async () => {
  const { manager, station } = await bootPair();
  station.jobs.setOutcome('firmware', 'InvalidSignature');
  const firmware = { location: LOCATION, signingCertificate: 'x', signature: 'x' };
  await manager.command('SignedUpdateFirmware', {
    requestId: 7,
    firmware: { ...firmware, retrieveDateTime: SOON.retrieveDate },
  });
  await manager.until(
    () => manager.requests('SignedFirmwareStatusNotification').at(-1)?.status === 'InvalidSignature',
  );
  expect(manager.requests('SignedFirmwareStatusNotification')[0]).toEqual({
    status: 'Downloading',
    requestId: 7,
  });
  await manager.until(() => manager.requests('SecurityEventNotification').length === 1);
});

const signed = (requestId: number) => ({
  requestId,
  firmware: {
    location: LOCATION,
    retrieveDateTime: SOON.retrieveDate,
    signingCertificate: 'x',
    signature: 'x',
  },
});

test('a signed update goes through all its steps; installation waits for the sessions', async () => {
  const { manager, station } = await bootPair({ firmwareReboot: 'sameSocket' });
  station.connector(1).start('TAG');
  await expect(manager.command('SignedUpdateFirmware', signed(9))).resolves.toEqual({ status: 'Accepted' });
  const before = ['Downloading', 'Downloaded', 'SignatureVerified'];
  expect(await statuses(manager, 'SignedFirmwareStatusNotification', 3)).toEqual(before);
  station.connector(1).stop();
  expect(await statuses(manager, 'SignedFirmwareStatusNotification', 6)).toEqual([
    ...before,
    'Installing',
    'InstallRebooting',
    'Installed',
  ]);
  expect(manager.requests('SignedFirmwareStatusNotification').every(({ requestId }) => requestId === 9)).toBe(
    true,
  );
  expect(manager.passwords).toHaveLength(1);
  expect(manager.requests('BootNotification').at(-1)?.firmwareVersion).toBe('1.0.1');
});

test("triggers report a job's status, and Idle without one", async () => {
  const { manager } = await bootPair({ jobStepMs: 3_600_000 });
  const trigger = () =>
    manager.command('ExtendedTriggerMessage', { requestedMessage: 'FirmwareStatusNotification' });
  const told = () => manager.requests('SignedFirmwareStatusNotification');
  await trigger();
  await statuses(manager, 'SignedFirmwareStatusNotification', 1);
  await manager.command('SignedUpdateFirmware', signed(3));
  await statuses(manager, 'SignedFirmwareStatusNotification', 2);
  await trigger();
  await statuses(manager, 'SignedFirmwareStatusNotification', 3);
  expect(told()).toEqual([
    { status: 'Idle' },
    { status: 'Downloading', requestId: 3 },
    { status: 'Downloading', requestId: 3 },
  ]);
  const others = ['DiagnosticsStatusNotification', 'FirmwareStatusNotification'] as const;
  await manager.command('TriggerMessage', { requestedMessage: others[0] });
  expect(await statuses(manager, others[0], 1)).toEqual(['Idle']);
  await manager.command('ExtendedTriggerMessage', { requestedMessage: 'LogStatusNotification' });
  expect(await statuses(manager, 'LogStatusNotification', 1)).toEqual(['Idle']);
});

test('a job follows its script, or is silent', async () => {
  const script = ['DownloadScheduled', 'DownloadPaused', 'InstallationFailed'] as const;
  const { manager, station } = await bootPair({ jobs: { firmware: script, log: 'silence' } });
  await manager.command('GetLog', {
    logType: 'SecurityLog',
    requestId: 1,
    log: { remoteLocation: LOCATION },
  });
  await manager.command('SignedUpdateFirmware', signed(4));
  expect(await statuses(manager, 'SignedFirmwareStatusNotification', 3)).toEqual(script);
  expect(manager.requests('LogStatusNotification')).toEqual([]);
  expect(station.firmwareVersion).toBe('1.0.0');
});

test('a notification on a lost connection is sent again', async () => {
  const { manager, station } = await bootPair();
  station.faults.next('dropSocketBeforeAnswer', 'DiagnosticsStatusNotification');
  await manager.command('GetDiagnostics', { location: LOCATION });
  await manager.until(() => manager.requests('DiagnosticsStatusNotification').at(-1)?.status === 'Uploaded');
});
