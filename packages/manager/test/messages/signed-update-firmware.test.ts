import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { ROOT_ONE } from '../certificates/certificates.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(() => manager.rows('TRUNCATE station_jobs, status_notifications'));

const firmware = {
  location: 'https://evander:secret@files.example/fw.bin',
  retrieveDateTime: '2026-11-20T10:00:00Z',
  signingCertificate: ROOT_ONE,
  // Not a valid signature: a wrong one must be sent too (TC_081).
  signature: 'AAECAwQ=',
};

async function update(answer: object = { status: 'Accepted' }): Promise<number> {
  await manager.command('SignedUpdateFirmware', { firmware }, answer);
  return (await jobs()).at(-1)?.['request_id'] as number;
}

async function report(requestId: number | undefined, ...statuses: string[]): Promise<void> {
  for (const status of statuses) {
    const request = { status, ...(requestId !== undefined && { requestId }) };
    expect((await manager.ask('SignedFirmwareStatusNotification', request)).response).toEqual({});
  }
}

async function jobs(): Promise<Record<string, unknown>[]> {
  return manager.rows('SELECT * FROM station_jobs ORDER BY job_id');
}

test('SignedUpdateFirmware with all its statuses', async () => {
  const requestId = await update();
  expect(manager.sent().at(-1)?.request).toMatchObject({ requestId, firmware });
  await report(
    requestId,
    'DownloadScheduled',
    'Downloading',
    'DownloadPaused',
    'Downloaded',
    'SignatureVerified',
  );
  await report(requestId, 'InstallScheduled', 'Installing', 'InstallRebooting');
  expect(await jobs()).toMatchObject([
    {
      kind: 'signedFirmware',
      location: 'https://evander:***@files.example/fw.bin',
      outcome: 'running',
      status: 'InstallRebooting',
    },
  ]);
  await manager.ask('BootNotification', {
    chargePointVendor: 'V',
    chargePointModel: 'M',
    firmwareVersion: '9',
  });
  await report(requestId, 'Installed');
  // Around the reboot the order varies (TC_080).
  await report(requestId, 'InstallRebooting');
  expect(await jobs()).toMatchObject([{ outcome: 'succeeded', firmware_version_after: '9' }]);
  const recorded = await manager.rows('SELECT DISTINCT job_id FROM status_notifications');
  expect(recorded).toEqual([{ job_id: (await jobs())[0]?.['job_id'] }]);
});

test.each([
  'DownloadFailed',
  'InvalidSignature',
  'InstallVerificationFailed',
  'InstallationFailed',
  // Edition 1 of the security extension.
  'InvalidCertificate',
  'RevokedCertificate',
])('SignedFirmwareStatusNotification %s ends the job as failed', async (status) => {
  const requestId = await update();
  await report(requestId, 'Downloading', 'CertificateVerified');
  expect(await jobs()).toMatchObject([{ outcome: 'running', status: 'CertificateVerified' }]);
  await report(requestId, status);
  expect(await jobs()).toMatchObject([{ outcome: 'failed', reason: status }]);
});

test.each(['Rejected', 'InvalidCertificate', 'RevokedCertificate'])(
  'SignedUpdateFirmware answered with %s has failed',
  async (status) => {
    await update({ status });
    expect(await jobs()).toMatchObject([
      { outcome: 'failed', reason: status, accepted_at: null, ended_at: expect.any(Date) as unknown },
    ]);
  },
);

test('AcceptedCanceled closes the previous update', async () => {
  const older = await update();
  const newer = await update({ status: 'AcceptedCanceled' });
  await report(older, 'DownloadFailed');
  await report(newer, 'Downloading');
  expect(await jobs()).toMatchObject([
    { outcome: 'cancelled', status: 'DownloadFailed' },
    { outcome: 'running', status: 'Downloading' },
  ]);
});

test('Idle without a requestId, and a status of an unknown update, change nothing', async () => {
  const requestId = await update();
  await report(undefined, 'Idle', 'Installed');
  await report(requestId + 1, 'Installed');
  expect(await jobs()).toMatchObject([{ outcome: 'running', status: null }]);
  expect(await manager.rows('SELECT FROM status_notifications WHERE job_id IS NULL')).toHaveLength(3);
});

test.each([
  ['a certificate that is not PEM', { signingCertificate: '308201' }, 'SignedUpdate.1'],
  ['a signature that is not base64', { signature: 'not base64!' }, 'SignedUpdate.1'],
  ['an empty signature', { signature: '' }, 'SignedUpdate.1'],
  ['a location that is not a URL', { location: 'fw.bin' }, 'GetDiagnostics.1'],
])('SignedUpdateFirmware with %s is not sent', async (_name, more, rule) => {
  const request = { firmware: { ...firmware, ...more } };
  await expect(manager.command('SignedUpdateFirmware', request)).rejects.toMatchObject({ rule });
  expect(await jobs()).toEqual([]);
});

test('a requestId that another job has used is not sent', async () => {
  const requestId = await update();
  await expect(manager.command('SignedUpdateFirmware', { requestId, firmware })).rejects.toMatchObject({
    rule: 'SignedUpdate.1',
  });
});
