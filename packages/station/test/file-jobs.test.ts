import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import type { Requests } from '@evander/ocpp';
import { bootPair, closeLater } from './setup.ts';
import type { Manager } from './manager.ts';

const LOCATION = 'http://files.example/dir';
const SOON = { retrieveDate: '2026-01-01T00:00:00Z' };
type StatusAction = Extract<keyof Requests, `${string}StatusNotification`>;

/** The statuses that came, once so many are there. */
async function statuses(manager: Manager, action: StatusAction, count: number): Promise<string[]> {
  await manager.until(() => manager.requests(action).length >= count);
  return manager.requests(action).map(({ status }) => status);
}

test('GetDiagnostics uploads, and says so', async () => {
  const { manager } = await bootPair();
  const { fileName } = await manager.command('GetDiagnostics', { location: LOCATION });
  expect(fileName).toBeTruthy();
  expect(await statuses(manager, 'DiagnosticsStatusNotification', 2)).toEqual(['Uploading', 'Uploaded']);
});

test('an upload that is to fail does', async () => {
  const { manager, station } = await bootPair();
  station.jobs.setOutcome('diagnostics', 'UploadFailed');
  await manager.command('GetDiagnostics', { location: LOCATION });
  expect(await statuses(manager, 'DiagnosticsStatusNotification', 2)).toEqual(['Uploading', 'UploadFailed']);
});

test('GetLog repeats its requestId; a second one takes the place of the first', async () => {
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

test('SignedUpdateFirmware tells of a bad signature', async () => {
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

test('files really travel when they are to', async () => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method ?? ''} ${request.url ?? ''}`);
    request.resume().on('end', () => response.writeHead(request.url === '/gone' ? 404 : 200).end('file'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeLater({ close: async () => void server.close() });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { manager } = await bootPair({ transfers: 'real' });
  const { fileName } = await manager.command('GetDiagnostics', { location: `${url}/in` });
  await statuses(manager, 'DiagnosticsStatusNotification', 2);
  await manager.command('UpdateFirmware', { location: `${url}/gone`, ...SOON });
  await manager.until(
    () => manager.requests('FirmwareStatusNotification').at(-1)?.status === 'DownloadFailed',
  );
  expect(seen).toEqual([`PUT /in/${fileName ?? ''}`, 'GET /gone']);
});
