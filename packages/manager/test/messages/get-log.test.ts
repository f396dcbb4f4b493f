import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(() => manager.rows('TRUNCATE station_jobs, status_notifications'));

const log = { remoteLocation: 'https://evander:secret@files.example/logs' };
const request = { log, logType: 'SecurityLog' };
const accepted = { status: 'Accepted', filename: 'security.log' };

async function report(payload: object): Promise<void> {
  expect((await manager.ask('LogStatusNotification', payload)).response).toEqual({});
}

async function jobs(): Promise<Record<string, unknown>[]> {
  return manager.rows('SELECT * FROM station_jobs ORDER BY job_id');
}

async function lastRequestId(): Promise<unknown> {
  return (await jobs()).at(-1)?.['request_id'];
}

test('GetLog assigns an id to its job, and LogStatusNotification finds the job by it', async () => {
  await manager.command('GetLog', request, accepted);
  const first = await lastRequestId();
  await manager.command('GetLog', { ...request, logType: 'DiagnosticsLog' }, accepted);
  const second = await lastRequestId();
  expect(second).not.toBe(first);
  expect(manager.sent().at(-1)?.request).toMatchObject({ requestId: second, log });
  await report({ status: 'Uploading', requestId: first });
  await report({ status: 'UploadFailure', requestId: second });
  await report({ status: 'Uploaded', requestId: first });
  expect(await jobs()).toMatchObject([
    {
      kind: 'log',
      log_type: 'SecurityLog',
      location: 'https://evander:***@files.example/logs',
      file_name: 'security.log',
      outcome: 'succeeded',
      status: 'Uploaded',
    },
    { log_type: 'DiagnosticsLog', outcome: 'failed', reason: 'UploadFailure' },
  ]);
});

test.each(['UploadFailure', 'BadMessage', 'PermissionDenied', 'NotSupportedOperation', 'UploadFailed'])(
  'LogStatusNotification %s ends the job as failed',
  async (status) => {
    await manager.command('GetLog', request, accepted);
    await report({ status, requestId: await lastRequestId() });
    expect(await jobs()).toMatchObject([{ outcome: 'failed', reason: status, status }]);
  },
);

test.each([
  ['Rejected', { status: 'Rejected' }, 'failed', 'Rejected'],
  ['a status that OCPP does not define', { status: 'Later' }, 'failed', expect.stringContaining('Later')],
  ['a CALLERROR', { error: 'NotImplemented' }, 'failed', 'NotImplemented: no'],
  ['Accepted without a file', { status: 'Accepted' }, 'nothingToDo', null],
])('GetLog answered with %s', async (_name, answer, outcome, reason) => {
  await manager.command('GetLog', request, answer);
  expect(await jobs()).toMatchObject([{ outcome, reason, ended_at: expect.any(Date) as unknown }]);
});

test('a station that named no file may upload one anyway', async () => {
  await manager.command('GetLog', request, { status: 'Accepted' });
  const requestId = await lastRequestId();
  await report({ status: 'Uploading', requestId });
  expect(await jobs()).toMatchObject([{ outcome: 'running', ended_at: null }]);
  await report({ status: 'Uploaded', requestId });
  expect(await jobs()).toMatchObject([{ outcome: 'succeeded' }]);
});

test('AcceptedCanceled closes the older GetLog and starts the new one', async () => {
  await manager.command('GetLog', request, accepted);
  const older = await lastRequestId();
  await manager.command('GetLog', request, { status: 'AcceptedCanceled', filename: 'new.log' });
  expect(await jobs()).toMatchObject([
    { outcome: 'cancelled', reason: 'superseded' },
    { outcome: 'running', file_name: 'new.log' },
  ]);
  // Further statuses, even a failure, leave it cancelled.
  await report({ status: 'UploadFailure', requestId: older });
  expect(await jobs()).toMatchObject([
    { outcome: 'cancelled', status: 'UploadFailure' },
    { outcome: 'running' },
  ]);
});

test('LogStatusNotification with no requestId, or an unknown or impossible one, is stored without a job', async () => {
  await manager.command('GetLog', request, accepted);
  for (const requestId of [undefined, 999_999, -1, 2 ** 40, 1e300])
    await report({ status: 'Uploaded', ...(requestId !== undefined && { requestId }) });
  await report({ status: 'Idle' });
  expect(await jobs()).toMatchObject([{ outcome: 'running', status: null }]);
  const kept = await manager.rows('SELECT request_id, job_id FROM status_notifications ORDER BY received_at');
  expect(kept.map(({ request_id: id }) => id)).toEqual([null, 999_999, -1, 2 ** 40, null, null]);
  expect(kept.every(({ job_id: jobId }) => jobId === null)).toBe(true);
});

test('GetLog with a used or invalid requestId is not sent', async () => {
  await manager.command('GetLog', request, accepted);
  const requestId = await lastRequestId();
  await expect(manager.command('GetLog', { ...request, requestId })).rejects.toMatchObject({
    rule: 'GetLog.1',
  });
  await expect(manager.command('GetLog', { ...request, requestId: 0 })).rejects.toMatchObject({
    rule: 'GetLog.1',
  });
  await expect(
    manager.command('GetLog', { ...request, log: { remoteLocation: 'anywhere' } }),
  ).rejects.toMatchObject({ rule: 'GetDiagnostics.1' });
  expect(await jobs()).toHaveLength(1);
});

test('only one of several concurrent GetLog with the same requestId is sent', async () => {
  const call = { stationId: 'CP1', action: 'GetLog', request: { ...request, requestId: 5000 } } as const;
  const made = await Promise.allSettled(Array.from({ length: 5 }, () => manager.callMaker.request(call)));
  expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await jobs()).toHaveLength(1);
});
