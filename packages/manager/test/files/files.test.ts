import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { createHash, createSign, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ROOT_ONE } from '../certificates/certificates.ts';
import { KEYS, openApi } from '../http/harness.ts';
import type { Answer, TestApi } from '../http/harness.ts';
import type { StationAnswer } from '../test-manager.ts';

const run = promisify(execFile);
const LIMIT = 3_000_000;
const TRANSFERS = 8;

let api: TestApi;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'evander-files-'));
  api = await openApi({
    fileOptions: { maxFirmwareBytes: LIMIT, maxUploadBytes: 100_000, maxTransfers: TRANSFERS },
  });
});
afterAll(async () => {
  await api.close();
  await rm(dir, { recursive: true, force: true });
});
afterEach(() => api.manager.setNow(undefined));

async function bring(bytes: Buffer, query = 'name=fw.bin', key = KEYS.operator): Promise<Response> {
  return fetch(`${api.url}/api/v1/files?${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/octet-stream' },
    body: bytes,
  });
}

async function firmware(bytes: Buffer, query?: string): Promise<Record<string, unknown>> {
  const response = await bring(bytes, query);
  expect(response.status).toBe(201);
  return (await response.json()) as Record<string, unknown>;
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

function operator(method: string, path: string, body?: object): Promise<Answer> {
  return api.send(method, `/api/v1${path}`, body, KEYS.operator);
}

/** Sends a command to CP1, which answers it. */
async function order(path: string, body: object): Promise<Answer> {
  const sent = await operator('POST', `/stations/CP1/${path}?waitSeconds=0`, body);
  const call = api.manager.sent().at(-1);
  expect({ status: sent.status, id: call?.id }).toEqual({ status: 202, id: sent.body['commandId'] });
  const answers: Record<string, object> = {
    diagnostics: { fileName: 'd.zip' },
    'firmware-updates': {},
    logs: { status: 'Accepted', filename: 'l.log' },
  };
  if (call) await api.manager.answer(call, answers[path] ?? { status: 'Accepted' });
  return sent;
}

/** The location in the last command that was published. */
function lastLocation(): string {
  const text = JSON.stringify(api.manager.sent().at(-1)?.request);
  return /"(?:l|remoteL)ocation":"([^"]+)"/.exec(text)?.[1] ?? '';
}

test('firmware is stored in chunks with its hash, and read back completely', async () => {
  const bytes = randomBytes(1_000_003);
  const file = await firmware(bytes, 'name=../../etc/fw%20v2.bin&firmwareVersion=2.0&note=first');
  expect(file).toMatchObject({
    kind: 'firmware',
    name: 'fw v2.bin',
    sizeBytes: bytes.length,
    sha256: sha256(bytes),
    firmwareVersion: '2.0',
    note: 'first',
    uploadedBy: 'operator',
  });
  const [{ chunks } = {}] = await api.manager.rows(
    'SELECT count(*)::int AS chunks FROM file_chunks WHERE file_id = $1',
    [file['fileId']],
  );
  expect(chunks).toBe(4);
  const content = await fetch(`${api.url}/api/v1/files/${String(file['fileId'])}/content`, {
    headers: { authorization: `Bearer ${KEYS.viewer}` },
  });
  expect(content.headers.get('content-length')).toBe(String(bytes.length));
  expect(sha256(Buffer.from(await content.arrayBuffer()))).toBe(sha256(bytes));
  expect((await api.send('GET', `/api/v1/files/${String(file['fileId'])}`)).body).toEqual(file);
  expect((await api.send('GET', '/api/v1/files?kind=firmware')).body.items).toContainEqual(file);
});

/** Sends a form with curl, as users would; each option is the value of -F. */
async function bringForm(
  options: string[],
  query = '',
): Promise<{ status: number; body: Record<string, unknown> }> {
  const { stdout } = await run('curl', [
    ...['-s', '-w', '\n%{http_code}', '-H', `Authorization: Bearer ${KEYS.operator}`],
    ...options.flatMap((option) => ['-F', option]),
    `${api.url}/api/v1/files${query}`,
  ]);
  const [text = '', status = ''] = stdout.split(/\n(?=\d+$)/);
  return { status: Number(status), body: JSON.parse(text) as Record<string, unknown> };
}

test('firmware can be uploaded with a form; its name and fields count, or those of the query', async () => {
  const bytes = randomBytes(700_001);
  const path = join(dir, 'fw 3.bin');
  await writeFile(path, bytes);
  const fields = ['firmwareVersion=3.0', 'note=by form'];
  const whole = await bringForm([...fields, `file=@"${path}"`]);
  expect(whole).toMatchObject({
    status: 201,
    body: {
      ...{ name: 'fw 3.bin', firmwareVersion: '3.0', note: 'by form', kind: 'firmware' },
      ...{ sha256: sha256(bytes), sizeBytes: bytes.length, uploadedBy: 'operator' },
    },
  });
  const named = await bringForm([...fields, 'name=form', `file=@"${path}"`], '?name=query&note=of%20query');
  expect(named).toMatchObject({
    status: 201,
    body: { name: 'query', firmwareVersion: '3.0', note: 'of query' },
  });
});

test.each([
  [['firmwareVersion=1'], 400, 'the form contains no file'],
  [['file=;filename=empty.bin'], 400, 'the file is empty'],
  [['file=x;filename=a.bin', 'other=x;filename=b.bin'], 400, 'more than one file'],
  [['file=x;filename=a.bin', 'firmwareVersion=1'], 400, 'send the field firmwareVersion before the file'],
  [['colour=red', 'file=x;filename=a.bin'], 400, 'form: colour is not known; known are name, kind'],
  [['kind=log', 'file=x;filename=a.bin'], 400, 'form: kind must be one of firmware'],
  [['note=a\u2028b', `sha256=${'0'.repeat(64)}`, 'file=x;filename=a.bin'], 422, 'SHA-256'],
])(
  'an invalid form such as %j is rejected with a reason, and stores nothing',
  async (options, status, expected) => {
    const before = await api.manager.rows('SELECT count(*) FROM files');
    const answer = await bringForm(options);
    expect(answer).toMatchObject({ status, body: { detail: expect.stringContaining(expected) as unknown } });
    expect(await api.manager.rows('SELECT count(*) FROM files')).toEqual(before);
  },
);

test('a form that is too large or incomplete is rejected, and stores nothing', async () => {
  const before = await api.manager.rows('SELECT count(*) FROM files');
  const path = join(dir, 'large.bin');
  await writeFile(path, Buffer.alloc(LIMIT + 1));
  expect(await bringForm([`file=@${path}`])).toMatchObject({ status: 413 });
  const head = '--B\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n';
  const broken = await fetch(`${api.url}/api/v1/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEYS.operator}`, 'content-type': 'multipart/form-data; boundary=B' },
    body: `${head}half a file`,
  });
  expect([broken.status, ((await broken.json()) as Answer['body']).detail]).toEqual([
    400,
    expect.stringContaining('the form cannot be read'),
  ]);
  expect(await api.manager.rows('SELECT count(*) FROM files')).toEqual(before);
});

test.each([
  ['', 201, undefined],
  [
    'application/x-www-form-urlencoded',
    415,
    'send the bytes of the file as application/octet-stream, or as multipart/form-data',
  ],
  ['application/json', 415, 'application/json is not accepted'],
  ['nonsense', 415, 'nonsense is not accepted'],
])('a file of the type "%s" gets %d and a hint what to send', async (type, status, expected) => {
  const { stdout } = await run('curl', [
    ...['-s', '-w', '\n%{http_code}', '-H', `Authorization: Bearer ${KEYS.operator}`],
    ...['-H', type === '' ? 'Content-Type:' : `Content-Type: ${type}`, '--data-binary', '{}'],
    `${api.url}/api/v1/files?name=typed.bin`,
  ]);
  expect(stdout.trimEnd().endsWith(`\n${status}`)).toBe(true);
  if (expected !== undefined) expect(stdout).toContain(expected);
  expect(stdout).not.toContain('JSON at');
});

test('a file that is too large, empty, of another type or with another hash is rejected, and stores nothing', async () => {
  const before = await api.manager.rows('SELECT count(*) FROM files');
  expect((await bring(Buffer.alloc(LIMIT + 1))).status).toBe(413);
  expect((await bring(Buffer.alloc(0))).status).toBe(400);
  expect((await bring(Buffer.from('x'), `name=a&sha256=${'0'.repeat(64)}`)).status).toBe(422);
  expect((await bring(Buffer.from('x'), 'kind=firmware')).status).toBe(400);
  expect((await bring(Buffer.from('x'), 'name=a&kind=log')).status).toBe(400);
  expect((await bring(Buffer.from('x'), undefined, KEYS.viewer)).status).toBe(403);
  expect(await api.send('POST', '/api/v1/files?name=a', { a: 1 })).toMatchObject({ status: 415 });
  // Without a Content-Length.
  const chunked = await run('curl', [
    ...[
      '-s',
      '-o',
      join(dir, 'answer'),
      '-w',
      '%{http_code}',
      '-H',
      `Authorization: Bearer ${KEYS.operator}`,
    ],
    ...['-H', 'Content-Type: application/octet-stream', '-H', 'Transfer-Encoding: chunked'],
    ...['--data-binary', `@${await fileWith(Buffer.alloc(LIMIT + 1))}`, `${api.url}/api/v1/files?name=a`],
  ]);
  expect(chunked.stdout).toBe('413');
  expect(await api.manager.rows('SELECT count(*) FROM files')).toEqual(before);
});

async function fileWith(bytes: Buffer): Promise<string> {
  const path = join(dir, 'sent');
  await writeFile(path, bytes);
  return path;
}

test('a station downloads firmware by its link; an interrupted download resumes where it stopped', async () => {
  const bytes = randomBytes(700_001);
  const { fileId } = await firmware(bytes);
  const sent = await order('firmware-updates', { fileId });
  expect(sent).toMatchObject({ status: 202, body: { action: 'UpdateFirmware', jobId: expect.any(Number) } });
  const url = lastLocation();
  expect(url).toMatch(/\/files\/evl_[\w-]{24}\/fw\.bin$/);
  // Lists and records do not reveal the link.
  for (const path of [`/commands/${String(sent.body['commandId'])}`, '/stations/CP1/jobs'])
    expect(JSON.stringify((await operator('GET', path)).body)).toContain('/files/***/fw.bin');
  const target = join(dir, 'fetched');
  const head = await fetch(url, { method: 'HEAD' });
  expect(head.status).toBe(200);
  expect(head.headers.get('content-length')).toBe('700001');
  expect(head.headers.get('accept-ranges')).toBe('bytes');
  await writeFile(target, bytes.subarray(0, 300_000));
  const { stdout } = await run('curl', ['-s', '-C', '-', '-w', '%{http_code}', '-o', target, url]);
  expect(stdout).toBe('206');
  expect(sha256(await readFile(target))).toBe(sha256(bytes));
});

test('ranges comply with RFC 9110', async () => {
  const bytes = randomBytes(600_000);
  const { fileId } = await firmware(bytes);
  await order('firmware-updates', { fileId });
  const url = lastLocation();
  const get = async (headers: Record<string, string>): Promise<[number, string | null, Buffer]> => {
    const response = await fetch(url, { headers });
    const body = Buffer.from(await response.arrayBuffer());
    return [response.status, response.headers.get('content-range'), body];
  };
  const part = async (range: string): Promise<[number, string | null, boolean]> => {
    const [status, where, body] = await get({ range });
    const [, from = 0, to = 0] = /bytes (\d+)-(\d+)/.exec(where ?? '') ?? [];
    return [status, where, body.equals(bytes.subarray(Number(from), Number(to) + 1))];
  };
  expect(await part('bytes=262143-262144')).toEqual([206, 'bytes 262143-262144/600000', true]);
  expect(await part('bytes=599999-')).toEqual([206, 'bytes 599999-599999/600000', true]);
  expect(await part('bytes=-7')).toEqual([206, 'bytes 599993-599999/600000', true]);
  expect(await part('bytes=0-9999999')).toEqual([206, 'bytes 0-599999/600000', true]);
  expect((await get({ range: 'bytes=600000-' })).slice(0, 2)).toEqual([416, 'bytes */600000']);
  for (const range of ['bytes=5-2', 'lines=1-2', 'bytes=0-1,5-6', 'bytes=-'])
    expect((await get({ range }))[0]).toBe(200);
  const tag = `"${sha256(bytes)}"`;
  expect((await get({ range: 'bytes=0-1', 'if-range': tag }))[0]).toBe(206);
  expect((await get({ range: 'bytes=0-1', 'if-range': '"another"' }))[0]).toBe(200);
  expect((await get({ 'if-none-match': tag }))[0]).toBe(304);
});

test('a wrong or expired link, an upload link and the link of a removed file get the same 404', async () => {
  const { fileId } = await firmware(Buffer.from('firmware'));
  await order('firmware-updates', { fileId });
  const url = lastLocation();
  await order('diagnostics', {});
  const uploadUrl = lastLocation();
  const answerOf = async (link: string, method = 'GET'): Promise<unknown> => {
    const response = await fetch(link, { method });
    return [response.status, await response.text()];
  };
  const forged = await answerOf(url.replace(/evl_.{4}/, 'evl_AAAA'));
  expect(forged).toMatchObject([404, expect.stringContaining('wrong or has expired')]);
  expect(await answerOf(url.replace(/evl_[\w-]+/, 'evl_short'))).toEqual(forged);
  expect(await answerOf(uploadUrl.replace('/uploads/', '/files/') + 'x')).toEqual(forged);
  expect(await answerOf(url.replace('/files/', '/uploads/'), 'PUT')).toEqual(forged);
  expect((await fetch(url)).status).toBe(200);
  api.manager.setNow(new Date(Date.now() + 24 * 3_600_000 + 1000));
  expect(await answerOf(url)).toEqual(forged);
  expect(await answerOf(`${uploadUrl}x`, 'PUT')).toEqual(forged);
  api.manager.setNow(undefined);
  expect((await fetch(url)).status).toBe(200);
  expect(await operator('DELETE', `/files/${String(fileId)}`)).toMatchObject({ status: 204 });
  expect(await answerOf(url)).toEqual(forged);
  expect(await operator('GET', `/files/${String(fileId)}`)).toMatchObject({ status: 404 });
  expect(await api.manager.rows('SELECT FROM file_chunks WHERE file_id = $1', [fileId])).toEqual([]);
});

test('signed firmware is sent with its certificate; the API shows whether the signature is valid', async () => {
  const bytes = randomBytes(300_000);
  const { fileId } = await firmware(bytes);
  const [key, certificate] = [join(dir, 'key.pem'), join(dir, 'certificate.pem')];
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', '/CN=maker', '-keyout', key, '-out', certificate],
  ]);
  const signingCertificate = await readFile(certificate, 'utf8');
  const sign = (of: Buffer): string => createSign('sha256').update(of).sign(awaitKey, 'base64');
  const awaitKey = await readFile(key, 'utf8');
  const put = (body: object): Promise<Answer> => operator('PUT', `/files/${String(fileId)}`, body);
  const signed = { fileId, signed: true };
  expect(await operator('POST', '/stations/CP1/firmware-updates', signed)).toMatchObject({ status: 422 });
  expect((await put({ signature: sign(Buffer.from('other')), signingCertificate })).body).toMatchObject({
    signatureIsValid: false,
  });
  expect((await put({ signature: sign(bytes) })).body).toMatchObject({ signatureIsValid: true });
  expect(await put({ signature: '*' })).toMatchObject({ status: 422, body: { field: 'signature' } });
  expect(await put({ signingCertificate: 'x' })).toMatchObject({ status: 422 });
  const sent = await order('firmware-updates', signed);
  expect(sent.body).toMatchObject({ action: 'SignedUpdateFirmware' });
  expect(api.manager.sent().at(-1)?.request).toMatchObject({
    firmware: { signature: sign(bytes).length > 0 ? expect.any(String) : '', signingCertificate },
  });
  expect((await fetch(lastLocation())).status).toBe(200);
  expect((await put({ signature: null, signingCertificate: null })).body).toMatchObject({
    signature: null,
    signatureIsValid: null,
  });
});

test('diagnostics are uploaded by PUT or form and belong to their job; names are never paths', async () => {
  const sent = await order('diagnostics', {
    from: '2026-11-01T00:00:00Z',
    retries: 2,
  });
  const { jobId } = sent.body;
  expect(api.manager.sent().at(-1)?.request).toMatchObject({
    startTime: '2026-11-01T00:00:00.000Z',
    retries: 2,
  });
  const url = lastLocation();
  const path = await fileWith(randomBytes(90_000));
  const curl = async (...options: string[]): Promise<string> =>
    (await run('curl', ['-s', '-o', join(dir, 'answer'), '-w', '%{http_code}', '--path-as-is', ...options]))
      .stdout;
  expect(await curl('-T', path, `${url}diag.zip`)).toBe('201');
  expect(await curl('-F', `file=@${path};filename=form.zip`, url)).toBe('201');
  // One appends its file name without a slash, one doubles the slash, one tries a path traversal, one sends no name.
  expect(await curl('-T', path, `${url.slice(0, -1)}glued.zip`)).toBe('201');
  expect(await curl('-T', path, `${url}/doubled.zip`)).toBe('201');
  expect(await curl('-T', path, `${url}../../..%2f..%2fetc/passwd`)).toBe('201');
  expect(await curl('-F', `file=@${path};filename=..\\..\\boot.ini`, url)).toBe('201');
  expect(await curl('-T', path, `${url}..%5c..%5cautoexec.bat`)).toBe('201');
  expect(await curl('-X', 'POST', '--data-binary', `@${path}`, url)).toBe('201');
  const { items } = (await operator('GET', `/files?jobId=${String(jobId)}`)).body;
  expect(items.map(({ name }) => name).reverse()).toEqual([
    ...[
      'diag.zip',
      'form.zip',
      'glued.zip',
      'doubled.zip',
      'passwd',
      'boot.ini',
      'autoexec.bat',
      'CP1-diagnostics',
    ],
  ]);
  const bytes = await readFile(path);
  for (const item of items)
    expect(item).toMatchObject({
      kind: 'diagnostics',
      stationId: 'CP1',
      jobId,
      sizeBytes: 90_000,
      sha256: sha256(bytes),
    });
  const content = await fetch(`${api.url}/api/v1/files/${String(items[0]?.['fileId'])}/content`, {
    headers: { authorization: `Bearer ${KEYS.viewer}` },
  });
  expect(Buffer.from(await content.arrayBuffer()).equals(bytes)).toBe(true);
});

describe('a station that does not know SignedUpdateFirmware', () => {
  let fileId: unknown;
  beforeAll(async () => {
    ({ fileId } = await firmware(randomBytes(100)));
    await api.manager.rows(
      `UPDATE files SET signature = 'AAAA', signing_certificate = $1, signature_is_valid = false WHERE file_id = $2`,
      [ROOT_ONE, fileId],
    );
    // This suggests that the station supports the security extension.
    await api.manager.ask('SecurityEventNotification', {
      type: 'StartupOfTheDevice',
      timestamp: '2026-11-20T10:00:00Z',
    });
  });

  /** An update that waits for its outcome, with the answers to the commands that it causes. */
  async function update(body: object, ...answers: StationAnswer[]): Promise<Answer> {
    let sent = api.manager.sent().length;
    const pending = operator('POST', '/stations/CP1/firmware-updates?waitSeconds=10', { fileId, ...body });
    for (const answer of answers) {
      const untilMs = Date.now() + 4000;
      while (api.manager.sent().length <= sent && Date.now() < untilMs) await delay(5);
      const call = api.manager.sent()[sent++];
      if (call) await api.manager.answer(call, answer);
    }
    return pending;
  }

  test.each(['NotImplemented', 'NotSupported'])(
    'and answers %s gets the plain command with the same link',
    async (error) => {
      const body = { retries: 2, retrieveAt: '2026-11-20T10:00:00.000Z' };
      const updated = await update(body, { error }, {});
      const [signed, plain] = api.manager.sent().slice(-2);
      expect(signed?.action).toBe('SignedUpdateFirmware');
      const { location } = signed?.request.firmware as { location: string };
      expect(plain).toMatchObject({
        action: 'UpdateFirmware',
        request: { location, retrieveDate: '2026-11-20T10:00:00.000Z', retries: 2 },
      });
      expect(updated).toMatchObject({
        status: 200,
        body: { commandId: plain?.id, action: 'UpdateFirmware' },
      });
      expect((await fetch(location)).status).toBe(200);
      expect(await jobOf(updated.body['jobId'])).toMatchObject({ kind: 'firmware', outcome: 'running' });
      const { items } = (await operator('GET', '/stations/CP1/jobs?kind=signedFirmware&limit=1')).body;
      expect(items).toMatchObject([{ outcome: 'failed', otherCommandId: plain?.id }]);
    },
  );

  test('or the plain one gets no more commands', async () => {
    const before = api.manager.sent().length;
    const updated = await update({}, { error: 'NotSupported' }, { error: 'NotSupported' });
    expect(updated.body).toMatchObject({ action: 'UpdateFirmware', status: 'failed' });
    expect(api.manager.sent()).toHaveLength(before + 2);
  });

  test.each([
    [{ signed: true }, { error: 'NotSupported' }],
    [{ installAt: '2026-12-20T10:00:00Z' }, { error: 'NotSupported' }],
    [{}, { error: 'InternalError' }],
    [{}, { status: 'Rejected' }],
  ])('is not sent the plain one where %j was ordered and it answers %j', async (body, answer) => {
    const before = api.manager.sent().length;
    expect((await update(body, answer)).body).toMatchObject({ action: 'SignedUpdateFirmware' });
    expect(api.manager.sent()).toHaveLength(before + 1);
  });
});

/** Sends a status of a job; returns the job afterwards. */
async function after(
  jobId: unknown,
  action: 'DiagnosticsStatusNotification' | 'LogStatusNotification',
  status: string,
) {
  const { requestId } = (api.manager.sent().at(-1)?.request ?? {}) as { requestId?: number };
  await api.manager.ask(action, { status, ...(requestId !== undefined && { requestId }) });
  return jobOf(jobId);
}
const jobOf = async (jobId: unknown) => (await operator('GET', `/jobs/${String(jobId)}`)).body;

test.each([
  ['diagnostics', {}, 'DiagnosticsStatusNotification', 'diagnostics.status'],
  ['logs', { logType: 'DiagnosticsLog' }, 'LogStatusNotification', 'log.status'],
] as const)(
  '%s that a station reported as uploaded have arrived, or the job shows that they are missing',
  async (path, body, action, kind) => {
    const { jobId } = (await order(path, body)).body;
    const url = lastLocation();
    expect(await jobOf(jobId)).toMatchObject({ filesReceived: 0, hint: null });
    expect(await after(jobId, action, 'Uploaded')).toMatchObject({
      outcome: 'reportedUploaded',
      filesReceived: 0,
      hint: expect.stringContaining('no file has arrived') as unknown,
    });
    const listed = async (outcome: string) =>
      (await operator('GET', `/stations/CP1/jobs?outcome=${outcome}&limit=1`)).body.items.map(
        (job) => job['jobId'],
      );
    expect(await listed('reportedUploaded')).toEqual([jobId]);
    expect(await listed('succeeded')).not.toContain(jobId);
    await fetch(`${url}late.log`, { method: 'PUT', body: 'late' });
    expect(await jobOf(jobId)).toMatchObject({ outcome: 'succeeded', filesReceived: 1, hint: null });
    expect(await listed('succeeded')).toEqual([jobId]);
    // Removing the file later does not change that it was received.
    const [file] = (await operator('GET', `/files?jobId=${String(jobId)}`)).body.items;
    await operator('DELETE', `/files/${String(file?.['fileId'])}`);
    expect(await jobOf(jobId)).toMatchObject({ outcome: 'succeeded', filesReceived: 1 });
    await after(jobId, action, 'Uploaded');
    const events = await api.manager.rows(
      `SELECT data -> 'job' ->> 'filesReceived' AS files FROM
         (SELECT 0 AS place, id, kind, data FROM events UNION ALL SELECT 1, intake_id, kind, data FROM event_intake) AS e
       WHERE kind = $1 AND data -> 'job' ->> 'jobId' = $2 ORDER BY place, id`,
      [kind, String(jobId)],
    );
    expect(events).toEqual([{ files: '0' }, { files: '1' }]);
  },
);

test('a failed transfer over HTTP hints at FTP, unless the protocols of the station are known', async () => {
  const upload = await order('diagnostics', {});
  const hint = 'set EVANDER_FTP_URL, then repeat the request with "transport": "ftp"';
  expect(await after(upload.body['jobId'], 'DiagnosticsStatusNotification', 'UploadFailed')).toMatchObject({
    outcome: 'failed',
    hint: expect.stringContaining(hint) as unknown,
  });
  const { fileId } = await firmware(randomBytes(10));
  const download = await order('firmware-updates', { fileId });
  await api.manager.ask('FirmwareStatusNotification', { status: 'DownloadFailed' });
  expect((await jobOf(download.body['jobId']))['hint']).toContain(hint);
  const elsewhere = await operator('POST', '/stations/CP1/commands/GetDiagnostics?waitSeconds=0', {
    location: 'http://elsewhere.example/uploads/',
  });
  const call = api.manager.sent().at(-1);
  if (call) await api.manager.answer(call, { fileName: 'd.zip' });
  await api.manager.ask('DiagnosticsStatusNotification', { status: 'UploadFailed' });
  const [job] = (await operator('GET', '/stations/CP1/jobs?limit=1')).body.items;
  expect(job).toMatchObject({ commandId: elsewhere.body['commandId'], outcome: 'failed', hint: null });
  await api.manager.rows(
    `INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at)
     VALUES ('CP1', 'supportedfiletransferprotocols', 'SupportedFileTransferProtocols', 'HTTP,FTP', now())`,
  );
  expect((await jobOf(upload.body['jobId']))['hint']).toBeNull();
  await api.manager.rows('TRUNCATE configuration_keys');
});

test('uploads are limited in size, number and form', async () => {
  await order('logs', { logType: 'SecurityLog' });
  expect(api.manager.sent().at(-1)).toMatchObject({ action: 'GetLog', request: { logType: 'SecurityLog' } });
  const url = lastLocation();
  const put = async (body: Buffer | FormData, headers = {}, method = 'PUT'): Promise<number> =>
    (await fetch(`${url}a.log`, { method, headers, body })).status;
  expect(await put(Buffer.alloc(100_001))).toBe(413);
  const form = new FormData();
  form.append('file', new Blob([Buffer.alloc(100_001)]), 'a.log');
  expect(await put(form, {}, 'POST')).toBe(413);
  expect(await put(new FormData(), {}, 'POST')).toBe(400);
  expect(await put(Buffer.from('x'), { 'content-type': 'multipart/form-data' }, 'POST')).toBe(400);
  expect(await put(Buffer.from('x'), { 'content-range': 'bytes 0-0/5' })).toBe(400);
  expect((await fetch(url, { method: 'GET' })).status).toBe(405);
  for (let i = 0; i < 10; i++) expect(await put(Buffer.from(`log ${i}`))).toBe(201);
  expect(await put(Buffer.from('one more'))).toBe(409);
  expect((await operator('GET', '/files?kind=log&stationId=CP1')).body.items).toHaveLength(10);
  expect(await api.manager.rows('SELECT FROM files WHERE completed_at IS NULL')).toEqual([]);
});

test('the number of concurrent transfers is limited', async () => {
  const { fileId } = await firmware(randomBytes(1000));
  await order('firmware-updates', { fileId });
  const fileUrl = lastLocation();
  await order('diagnostics', {});
  const url = lastLocation();
  // These transfers have begun and do not end.
  const open = Array.from({ length: TRANSFERS }, () => {
    const upload = request(`${url}slow.zip`, { method: 'PUT' });
    const answered = once(upload, 'response') as Promise<[IncomingMessage]>;
    upload.write('part');
    return { upload, answered };
  });
  const begun = 'SELECT FROM files WHERE completed_at IS NULL';
  while ((await api.manager.rows(begun)).length < TRANSFERS);
  const refused = await fetch(fileUrl);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10']);
  // An incomplete file is not visible.
  expect((await operator('GET', '/files?kind=diagnostics&limit=500')).body.items).not.toContainEqual(
    expect.objectContaining({ name: 'slow.zip' }),
  );
  const [broken, ...others] = open;
  broken?.answered.catch(() => {});
  broken?.upload.destroy();
  for (const { upload } of others) upload.end(' and the rest');
  for (const { answered } of others) expect((await answered)[0].resume().statusCode).toBe(201);
  while ((await api.manager.rows(begun)).length > 0);
  const { items } = (await operator('GET', '/files?kind=diagnostics&limit=500')).body;
  expect(items.filter(({ name }) => name === 'slow.zip')).toHaveLength(TRANSFERS - 1);
  expect((await fetch(fileUrl)).status).toBe(200);
});
