import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(async () => {
  await manager.rows('TRUNCATE station_jobs, status_notifications');
  await boot('1.0');
});

const request = { location: 'https://files.example/fw.bin', retrieveDate: '2026-11-20T10:00:00Z' };

async function boot(firmwareVersion: string): Promise<void> {
  await manager.ask('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M', firmwareVersion });
}

async function report(...statuses: string[]): Promise<void> {
  for (const status of statuses)
    expect((await manager.ask('FirmwareStatusNotification', { status })).response).toEqual({});
}

async function jobs(): Promise<Record<string, unknown>[]> {
  return manager.rows('SELECT * FROM station_jobs ORDER BY job_id');
}

test('UpdateFirmware starts a job; the versions before and after the boot are recorded', async () => {
  await manager.command('UpdateFirmware', request, {});
  expect(await jobs()).toMatchObject([
    { kind: 'firmware', outcome: 'running', location: request.location, firmware_version_before: '1.0' },
  ]);
  await report('Downloading', 'Downloaded', 'Installing');
  await boot('2.0');
  expect(await jobs()).toMatchObject([
    { outcome: 'running', status: 'Installing', firmware_version_after: '2.0' },
  ]);
  await report('Installed');
  expect(await jobs()).toMatchObject([
    { outcome: 'succeeded', firmware_version_before: '1.0', firmware_version_after: '2.0' },
  ]);
});

test('FirmwareStatusNotification Installed may arrive before the boot', async () => {
  await manager.command('UpdateFirmware', request, {});
  await report('Installed');
  await boot('2.0');
  expect(await jobs()).toMatchObject([{ outcome: 'succeeded', firmware_version_after: '2.0' }]);
  // A boot on another day is unrelated.
  await manager.rows("UPDATE station_jobs SET ended_at = ended_at - interval '2 hours'");
  await boot('3.0');
  expect(await jobs()).toMatchObject([{ firmware_version_after: '2.0' }]);
});

test('a boot before the update is accepted does not affect it', async () => {
  await manager.command('UpdateFirmware', request);
  await boot('1.0');
  expect(await jobs()).toMatchObject([{ outcome: 'requested', firmware_version_after: null }]);
  const call = manager.sent().at(-1);
  if (call) await manager.answer(call, { error: 'NotSupported' });
  await boot('1.1');
  expect(await jobs()).toMatchObject([{ outcome: 'failed', firmware_version_after: null }]);
});

test.each(['DownloadFailed', 'InstallationFailed'])(
  'FirmwareStatusNotification %s ends the job; a later Installed still counts',
  async (status) => {
    await manager.command('UpdateFirmware', request, {});
    await report('Downloading', status);
    expect(await jobs()).toMatchObject([
      { outcome: 'failed', reason: status, ended_at: expect.any(Date) as unknown },
    ]);
    await report('Installed');
    expect(await jobs()).toMatchObject([{ outcome: 'succeeded', reason: null }]);
    const recorded = await manager.rows('SELECT status FROM status_notifications ORDER BY received_at');
    expect(recorded.map(({ status: one }) => one)).toEqual(['Downloading', status, 'Installed']);
  },
);

test('a status does not change a job that ended long ago', async () => {
  await manager.command('UpdateFirmware', request, {});
  await report('InstallationFailed');
  await manager.rows("UPDATE station_jobs SET ended_at = ended_at - interval '2 days'");
  await report('Installed');
  expect(await jobs()).toMatchObject([{ outcome: 'failed', status: 'InstallationFailed' }]);
  expect(await manager.rows('SELECT job_id FROM status_notifications WHERE job_id IS NULL')).toHaveLength(1);
});

test('the newer of two UpdateFirmware continues', async () => {
  await manager.command('UpdateFirmware', request, {});
  await manager.command('UpdateFirmware', request, {});
  await report('Downloading');
  expect(await jobs()).toMatchObject([
    { outcome: 'cancelled', status: null },
    { outcome: 'running', status: 'Downloading' },
  ]);
});

test('an answer after a newer job was accepted does not reopen the older one', async () => {
  await manager.command('UpdateFirmware', request);
  const first = manager.sent().at(-1);
  manager.setNow(new Date(Date.now() + 60_000));
  await manager.callMaker.sweep();
  await manager.command('UpdateFirmware', request, {});
  if (first) await manager.answer(first, {});
  manager.setNow(undefined);
  expect(await jobs()).toMatchObject([{ outcome: 'cancelled' }, { outcome: 'running' }]);
});

test('UpdateFirmware with a location that is not a URL, or negative retries, is not sent', async () => {
  const call = { stationId: 'CP1', action: 'UpdateFirmware' } as const;
  const odd = [{ location: 'mailto:fw' }, { retries: -1 }];
  for (const more of odd)
    await expect(
      manager.callMaker.request({ ...call, request: { ...request, ...more } }),
    ).rejects.toMatchObject({
      rule: expect.stringMatching(/^GetDiagnostics\.[13]$/) as unknown,
    });
});
