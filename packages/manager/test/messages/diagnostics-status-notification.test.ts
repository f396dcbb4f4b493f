import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(async () => {
  await manager.rows('TRUNCATE station_jobs, status_notifications, configuration_keys');
  await manager.rows("UPDATE commands SET status = 'timedOut' WHERE status IN ('queued', 'sent')");
});

const location = 'ftp://evander:secret@files.example/logs';

let second = 0;
async function report(status: string, question: object = {}): Promise<unknown> {
  const receivedAt = new Date(Date.UTC(2026, 10, 20, 10, 0, second++)).toISOString();
  const { response } = await manager.ask(
    'DiagnosticsStatusNotification',
    { status },
    { receivedAt, ...question },
  );
  return response;
}

async function jobs(): Promise<Record<string, unknown>[]> {
  return manager.rows('SELECT * FROM station_jobs ORDER BY job_id');
}

async function history(): Promise<unknown[]> {
  const rows = await manager.rows('SELECT status, job_id FROM status_notifications ORDER BY received_at');
  return rows.map(({ status, job_id: jobId }) => [status, jobId]);
}

test('DiagnosticsStatusNotification after a failure, as the upload is retried: the last status counts, and the history contains all', async () => {
  await manager.command('GetDiagnostics', { location, retries: 1 }, { fileName: 'log.zip' });
  await report('Uploading');
  await report('UploadFailed');
  expect(await jobs()).toMatchObject([
    { outcome: 'failed', reason: 'UploadFailed', ended_at: expect.any(Date) as unknown },
  ]);
  await report('Uploading');
  expect(await jobs()).toMatchObject([{ outcome: 'running', reason: null, ended_at: null }]);
  await report('Uploaded');
  // Out of order: does not undo a success.
  await report('Uploading');
  expect(await jobs()).toMatchObject([{ outcome: 'succeeded', status: 'Uploading' }]);
  expect(await history()).toHaveLength(5);
});

test('a repeated DiagnosticsStatusNotification has one effect', async () => {
  await manager.command('GetDiagnostics', { location }, { fileName: 'log.zip' });
  const question = { id: 'd1', receivedAt: '2026-11-20T11:00:00.000Z' };
  await Promise.all([
    report('Uploading', question),
    report('Uploading', question),
    report('Uploading', question),
  ]);
  await report('Uploaded', { receivedAt: '2026-11-20T11:00:01.000Z' });
  await report('Uploading', question);
  expect(await jobs()).toMatchObject([{ outcome: 'succeeded', status: 'Uploaded' }]);
  expect(await history()).toHaveLength(2);
});

test('a repeated status of the previous job does not change the new job', async () => {
  const question = { id: 'd2', receivedAt: '2026-11-20T11:10:00.000Z' };
  await manager.command('GetDiagnostics', { location }, { fileName: 'one.zip' });
  await report('Uploaded', question);
  await manager.command('GetDiagnostics', { location }, { fileName: 'two.zip' });
  await report('Uploaded', question);
  expect(await jobs()).toMatchObject([{ outcome: 'succeeded' }, { outcome: 'running', status: null }]);
});

test('a status that is older than the last one only goes to the history', async () => {
  await manager.command('GetDiagnostics', { location }, { fileName: 'log.zip' });
  await report('Uploaded', { receivedAt: '2026-11-20T11:20:01.000Z' });
  await report('UploadFailed', { receivedAt: '2026-11-20T11:20:00.000Z' });
  expect(await jobs()).toMatchObject([{ outcome: 'succeeded', status: 'Uploaded' }]);
  expect((await history()).map((entry) => (entry as unknown[])[0])).toEqual(['UploadFailed', 'Uploaded']);
});

test('a status may arrive before the answer', async () => {
  await manager.command('GetDiagnostics', { location });
  await report('Uploading');
  await report('Uploaded');
  const call = manager.sent().at(-1);
  if (call) await manager.answer(call, { fileName: 'log.zip' });
  expect(await jobs()).toMatchObject([{ outcome: 'succeeded', file_name: 'log.zip', status: 'Uploaded' }]);
});

test('a status after a failure is about the failed job, not about one that the station refused', async () => {
  await manager.command('GetDiagnostics', { location }, { fileName: 'one.zip' });
  const now = new Date().toISOString();
  await report('UploadFailed', { receivedAt: now });
  await manager.command('GetDiagnostics', { location }, { error: 'InternalError' });
  await report('Uploaded', { receivedAt: now });
  expect(await jobs()).toMatchObject([{ outcome: 'succeeded' }, { outcome: 'failed', status: null }]);
});

test('a status is not about a queued command', async () => {
  await manager.command('GetDiagnostics', { location }, { fileName: 'one.zip' });
  await manager.command('ClearCache', {});
  await manager.command('GetDiagnostics', { location });
  await report('Uploaded');
  expect(await jobs()).toMatchObject([{ outcome: 'succeeded' }, { outcome: 'requested', status: null }]);
});

test('Idle and statuses of unrequested jobs are stored and change nothing', async () => {
  for (const status of ['Idle', 'Uploading', 'Uploaded', 'Whatever'])
    expect(await report(status)).toEqual({});
  await manager.command('GetDiagnostics', { location }, { fileName: 'log.zip' });
  await report('Idle');
  const [job] = await jobs();
  expect(job).toMatchObject({ outcome: 'running', status: 'Idle', started_at: null });
  expect(await history()).toEqual([
    ['Idle', null],
    ['Uploading', null],
    ['Uploaded', null],
    ['Whatever', null],
    ['Idle', job?.['job_id']],
  ]);
});
