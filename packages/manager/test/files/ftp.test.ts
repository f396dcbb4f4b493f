import { silentLog } from '@evander/process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FilesByLink } from '../../src/files/by-link.ts';
import { startFtp } from '../../src/files/ftp-server.ts';
import { KEYS, openApi } from '../http/harness.ts';
import type { Answer, TestApi } from '../http/harness.ts';

const run = promisify(execFile);
const TRANSFERS = 3;
const MAX_UPLOAD = 600_000;

let api: TestApi;
let dir: string;
let port: number;
let closeFtp: () => Promise<void>;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'evander-ftp-'));
  port = await freePort();
  const url = `ftp://127.0.0.1:${port}`;
  api = await openApi({ fileOptions: { ftpUrl: url, maxUploadBytes: MAX_UPLOAD, maxTransfers: TRANSFERS } });
  const byLink = new FilesByLink(api.files, api.manager.database);
  const passivePorts = { first: 20_000 + (port % 20_000), last: 65_000 };
  closeFtp = await startFtp({ url, port, passivePorts, host: '127.0.0.1', byLink, log: silentLog() });
});
afterAll(async () => {
  await closeFtp();
  await api.close();
  await rm(dir, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: free } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return free;
}

function operator(method: string, path: string, body?: object): Promise<Answer> {
  return api.send(method, `/api/v1${path}`, body, KEYS.operator);
}

async function firmware(bytes: Buffer): Promise<string> {
  const response = await fetch(`${api.url}/api/v1/files?name=fw.bin`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEYS.operator}`, 'content-type': 'application/octet-stream' },
    body: bytes,
  });
  return ((await response.json()) as { fileId: string }).fileId;
}

/** Sends a command to CP1, which answers it; returns the location in it. */
async function order(path: string, body: object): Promise<string> {
  const sent = await operator('POST', `/stations/CP1/${path}?waitSeconds=0`, body);
  expect(sent).toMatchObject({ status: 202 });
  const call = api.manager.sent().at(-1);
  if (call) await api.manager.answer(call, path === 'logs' ? { status: 'Accepted' } : {});
  return /"(?:l|remoteL)ocation":"([^"]+)"/.exec(JSON.stringify(call?.request))?.[1] ?? '';
}

/** The exit code of curl: 0 for success. */
async function curl(...options: string[]): Promise<number> {
  const args = ['-s', '--max-time', '20', '--path-as-is', ...options];
  return run('curl', args).then(
    () => 0,
    ({ code }: { code: number }) => code,
  );
}

const fetched = () => join(dir, 'fetched');

test('a station downloads firmware over FTP, resumes where it stopped, and sees nothing without its link', async () => {
  const bytes = randomBytes(700_001);
  const fileId = await firmware(bytes);
  const url = await order('firmware-updates', { fileId, transport: 'ftp' });
  expect(url).toMatch(new RegExp(`^ftp://127\\.0\\.0\\.1:${port}/files/evl_[\\w-]{24}/fw\\.bin$`));
  const ways = [
    [],
    ['--disable-epsv'],
    ['--ftp-port', '-'],
    ['--ftp-method', 'nocwd'],
    ['--ftp-method', 'singlecwd'],
  ];
  for (const way of [...ways, ['--user', 'evander:anything']]) {
    await rm(fetched(), { force: true });
    expect({ way, code: await curl(...way, '-o', fetched(), url) }).toEqual({ way, code: 0 });
    expect((await readFile(fetched())).equals(bytes)).toBe(true);
  }
  await writeFile(fetched(), bytes.subarray(0, 300_000));
  expect(await curl('-C', '-', '-o', fetched(), url)).toBe(0);
  expect((await readFile(fetched())).equals(bytes)).toBe(true);
  const { stdout } = await run('curl', ['-s', url.replace('fw.bin', '')]);
  expect(stdout).toMatch(/ 700001 .* fw\.bin/);

  const wrong = url.replace(/evl_[\w-]{24}/, `evl_${'x'.repeat(24)}`);
  for (const path of [
    wrong,
    wrong.replace('/fw.bin', '/'),
    url.replace('/files/', '/uploads/'),
    `${url}/../../x`,
  ])
    expect({ path, code: await curl('-o', fetched(), path) }).not.toEqual({ path, code: 0 });
  expect(await curl('-T', fetched(), url)).not.toBe(0);
  expect(await curl('-Q', `DELE ${new URL(url).pathname}`, url)).not.toBe(0);
  expect((await run('curl', ['-s', `ftp://127.0.0.1:${port}/files/`])).stdout.trim()).toBe('');
  expect(await operator('DELETE', `/files/${fileId}`)).toMatchObject({ status: 204 });
  expect(await curl('-o', fetched(), url)).not.toBe(0);
});

const kept = async (kind: string) =>
  (await operator('GET', `/files?kind=${kind}&limit=500`)).body.items.map(({ name }) => name as string);
const nothingBegun = async () =>
  expect(await api.manager.rows('SELECT FROM files WHERE completed_at IS NULL')).toEqual([]);

test('a station uploads over FTP as over HTTP; names are not paths, and limits apply', async () => {
  const url = await order('diagnostics', { transport: 'ftp' });
  const source = join(dir, 'source');
  const bytes = randomBytes(MAX_UPLOAD);
  await writeFile(source, bytes);
  const put = (to: string, ...way: string[]) => curl(...way, '-T', source, to);
  expect(await put(`${url}diag.zip`)).toBe(0);
  expect(await put(`${url}nocwd.zip`, '--ftp-method', 'nocwd')).toBe(0);
  expect(await put(`${url}active.zip`, '--ftp-port', '-')).toBe(0);
  expect(await put(`${url.slice(0, -1)}glued.zip`, '--ftp-method', 'nocwd')).toBe(0);
  expect(await put(`${url}sub/..%5c..%5cboot.ini`, '--ftp-method', 'nocwd')).toBe(0);
  expect(await put(`${url}%2e%2e/%2e%2e/passwd`, '--ftp-method', 'nocwd')).not.toBe(0);
  expect(await put(`${url}again.zip`, '--append')).not.toBe(0);
  const names = ['diag.zip', 'nocwd.zip', 'active.zip', 'glued.zip', 'boot.ini'];
  expect((await kept('diagnostics')).reverse()).toEqual(names);
  const [{ fileId } = {}] = (await operator('GET', '/files?kind=diagnostics')).body.items;
  const content = await fetch(`${api.url}/api/v1/files/${String(fileId)}/content`, {
    headers: { authorization: `Bearer ${KEYS.viewer}` },
  });
  expect(Buffer.from(await content.arrayBuffer()).equals(bytes)).toBe(true);

  await writeFile(source, randomBytes(MAX_UPLOAD + 1));
  expect(await put(`${url}large.zip`)).not.toBe(0);
  await writeFile(source, 'small');
  for (let i = names.length; i < 10; i++) expect(await put(`${url}${i}.zip`)).toBe(0);
  expect(await put(`${url}eleventh.zip`)).not.toBe(0);
  expect(await kept('diagnostics')).toHaveLength(10);
  await nothingBegun();
});

/** An FTP connection without a client library. */
interface ByHand {
  say(line: string): Promise<string>;
  data(): Promise<Socket>;
  hangUp(): void;
}

async function begin(url: string): Promise<ByHand> {
  const control = connect(port, '127.0.0.1');
  let text = '';
  control.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const answer = async (): Promise<string> => {
    for (;;) {
      const [all, line = ''] = /^(?:\d{3}-.*\r\n)*(\d{3} .*)\r\n/.exec(text) ?? [];
      text = text.slice(all?.length ?? 0);
      if (all !== undefined) return line;
      await once(control, 'data');
    }
  };
  const say = (line: string): Promise<string> => {
    control.write(`${line}\r\n`);
    return answer();
  };
  await answer();
  await say('USER anonymous');
  await say(`CWD ${new URL(url).pathname}`);
  const data = async (): Promise<Socket> => {
    const [, dataPort] = /\|\|\|(\d+)\|/.exec(await say('EPSV')) ?? [];
    const socket = connect(Number(dataPort), '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };
  return { say, data, hangUp: () => control.destroy() };
}

test('an aborted upload stores nothing and frees its transfer slot', async () => {
  const url = await order('logs', { logType: 'DiagnosticsLog', transport: 'ftp' });
  for (let i = 0; i < TRANSFERS * 2; i++) {
    const { say, data, hangUp } = await begin(url);
    const socket = await data();
    expect(await say('STOR broken.log')).toMatch(/^150/);
    socket.write(randomBytes(1000));
    while ((await api.manager.rows('SELECT FROM files WHERE completed_at IS NULL')).length === 0);
    if (i % 2 === 0) {
      socket.resetAndDestroy();
      expect(await say('NOOP')).toMatch(/^550/);
    } else {
      hangUp();
      while ((await api.manager.rows('SELECT FROM files WHERE completed_at IS NULL')).length > 0);
    }
  }
  await nothingBegun();
  expect(await kept('log')).toEqual([]);
  const { say, data } = await begin(url);
  const socket = await data();
  expect(await say('STOR whole.log')).toMatch(/^150/);
  socket.end('all of it');
  expect(await say('NOOP')).toMatch(/^226/);
  expect(await kept('log')).toEqual(['whole.log']);
});

test('FTP is used for stations that support nothing else, or if the operator chooses it', async () => {
  const place = async (protocols: string, body = {}): Promise<string> => {
    await api.manager.rows(
      `INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at)
       VALUES ('CP1', 'supportedfiletransferprotocols', 'SupportedFileTransferProtocols', $1, now())
       ON CONFLICT (station_id, key_lower) DO UPDATE SET value = $1`,
      [protocols],
    );
    return new URL(await order('diagnostics', body)).protocol;
  };
  expect(await place('FTP')).toBe('ftp:');
  expect(await place('FTP, HTTP')).toBe('http:');
  expect(await place('FTP, HTTP', { transport: 'ftp' })).toBe('ftp:');
  expect(await place('')).toBe('http:');
  const none = await openApi();
  const asked = { transport: 'ftp' };
  expect(await none.send('POST', '/api/v1/stations/CP1/diagnostics?waitSeconds=0', asked)).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('EVANDER_FTP_URL') },
  });
  await none.close();
});

test('the FTP library does not interfere with the graceful shutdown at a signal', () => {
  const names = process.listeners('SIGTERM').map(({ name }) => name);
  expect(names).not.toContain('debounced');
});
