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

test('GetDiagnostics starts a job that its statuses end', async () => {
  const { commandId } = await manager.command('GetDiagnostics', { location }, { fileName: 'log.zip' });
  expect(await jobs()).toMatchObject([
    {
      station_id: 'CP1',
      kind: 'diagnostics',
      command_id: commandId,
      request_id: null,
      location: 'ftp://evander:***@files.example/logs',
      file_name: 'log.zip',
      outcome: 'running',
      status: null,
      accepted_at: expect.any(Date) as unknown,
      started_at: null,
      ended_at: null,
    },
  ]);
  expect(await report('Uploading')).toEqual({});
  expect(await jobs()).toMatchObject([{ outcome: 'running', status: 'Uploading', ended_at: null }]);
  expect(await report('Uploaded')).toEqual({});
  const [job] = await jobs();
  expect(job).toMatchObject({
    outcome: 'succeeded',
    status: 'Uploaded',
    ended_at: expect.any(Date) as unknown,
  });
  expect(job?.['ended_at']).toEqual(job?.['status_at']);
  expect(await history()).toEqual([
    ['Uploading', job?.['job_id']],
    ['Uploaded', job?.['job_id']],
  ]);
});

test('no password of a GetDiagnostics is stored anywhere', async () => {
  await manager.command('GetDiagnostics', { location }, { fileName: 'log.zip' });
  await manager.idle();
  const kept = await manager.rows(
    'SELECT (SELECT json_agg(j) FROM station_jobs j) AS jobs, (SELECT json_agg(c) FROM commands c) AS commands, (SELECT json_agg(f) FROM frames f) AS frames',
  );
  expect(JSON.stringify(kept)).toContain('files.example');
  expect(JSON.stringify(kept)).not.toContain('secret');
});

test('an answer without a file name means that there is nothing to upload', async () => {
  await manager.command('GetDiagnostics', { location }, {});
  await manager.command('GetDiagnostics', { location }, { fileName: '' });
  expect(await jobs()).toMatchObject([
    { outcome: 'nothingToDo', ended_at: expect.any(Date) as unknown },
    { outcome: 'nothingToDo', ended_at: expect.any(Date) as unknown },
  ]);
});

test('the job fails with a CALLERROR, and if the station does not connect', async () => {
  await manager.command('GetDiagnostics', { location }, { error: 'NotSupported' });
  await manager.rows('UPDATE connections SET disconnected_at = now()');
  await manager.callMaker.request({
    stationId: 'CP1',
    action: 'GetDiagnostics',
    request: { location },
    ttlSeconds: 1,
  });
  manager.setNow(new Date(Date.now() + 5000));
  await manager.callMaker.sweep();
  manager.setNow(undefined);
  await manager.rows('UPDATE connections SET disconnected_at = NULL');
  expect(await jobs()).toMatchObject([
    { outcome: 'failed', reason: 'NotSupported: no' },
    { outcome: 'failed', reason: 'the station did not connect in time' },
  ]);
});

test('a newer accepted GetDiagnostics replaces the older one', async () => {
  await manager.command('GetDiagnostics', { location }, { fileName: 'one.zip' });
  await manager.command('GetDiagnostics', { location }, { error: 'InternalError' });
  expect(await jobs()).toMatchObject([{ outcome: 'running' }, { outcome: 'failed' }]);
  // A status cannot be about the refused one.
  await report('Uploading');
  expect(await jobs()).toMatchObject([{ status: 'Uploading' }, { status: null }]);
  await manager.command('GetDiagnostics', { location }, { fileName: 'two.zip' });
  await report('Uploaded');
  expect(await jobs()).toMatchObject([
    { outcome: 'cancelled', reason: 'superseded', status: 'Uploading' },
    { outcome: 'failed' },
    { outcome: 'succeeded', file_name: 'two.zip' },
  ]);
});

test.each([
  ['a location that cannot hold files', { location: 'mailto:files@example.org' }, 'GetDiagnostics.1'],
  ['negative retries', { location, retries: -1 }, 'GetDiagnostics.3'],
  ['a negative retryInterval', { location, retryInterval: -1 }, 'GetDiagnostics.3'],
])('GetDiagnostics with %s is not sent', async (_name, request, rule) => {
  const sent = manager.callMaker.request({ stationId: 'CP1', action: 'GetDiagnostics', request });
  await expect(sent).rejects.toMatchObject({ rule });
  expect(await jobs()).toEqual([]);
});

test('GetDiagnostics must use a protocol that the station supports, if known', async () => {
  await manager.rows(
    `INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at)
     VALUES ('CP1', 'supportedfiletransferprotocols', 'SupportedFileTransferProtocols', 'HTTP, ftps', now())`,
  );
  await expect(manager.command('GetDiagnostics', { location })).rejects.toMatchObject({
    rule: 'GetDiagnostics.1',
  });
  await manager.command('GetDiagnostics', { location: 'FTPS://files.example/' }, { fileName: 'x' });
  expect(await jobs()).toHaveLength(1);
});
