import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startEmbeddedPostgres } from '../src/embedded-postgres.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'evander-postgres-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const settings = { fsync: 'off' };

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function postmasterPid(): Promise<number> {
  return Number((await readFile(join(dataDir, 'cluster', 'data', 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

test('keeps its data over an orderly stop, and its password to itself', async () => {
  const first = await startEmbeddedPostgres({ dataDir, settings });
  await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS n');
  expect((await stat(join(dataDir, 'cluster', 'password'))).mode & 0o077).toBe(0);
  const wrong = first.url.replace(/:[^:@]+@/, ':wrong@');
  await expect(query(wrong, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  await first.stop();
  await first.stop();
  const second = await startEmbeddedPostgres({ dataDir, settings });
  expect(await query(second.url, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
  await second.stop();
});

test('takes over a server whose process was killed', async () => {
  const module = fileURLToPath(new URL('../src/embedded-postgres.ts', import.meta.url));
  const script = `const { startEmbeddedPostgres } = await import(${JSON.stringify(module)});
    console.log((await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, settings: { fsync: 'off' } })).url);
    setInterval(() => {}, 1000);`;
  const args = ['--import', 'tsx', '--conditions=@evander/source', '--input-type=module', '--eval', script];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  await query(line.toString().trim(), 'CREATE TABLE kept AS SELECT 1 AS n');
  const pid = await postmasterPid();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const taken = await startEmbeddedPostgres({ dataDir, settings });
  expect(await postmasterPid()).toBe(pid);
  expect(await query(taken.url, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
  await taken.stop();
});

test('starts again where the server itself was killed', async () => {
  const first = await startEmbeddedPostgres({ dataDir, settings });
  await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS n');
  process.kill(await postmasterPid(), 'SIGKILL');
  const second = await startEmbeddedPostgres({ dataDir, settings });
  expect(await query(second.url, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
  await second.stop();
});
