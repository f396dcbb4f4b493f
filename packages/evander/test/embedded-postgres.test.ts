// Long: starts and kills PostgreSQL.
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../src/embedded-postgres.ts';
import type { EmbeddedPostgres } from '../src/embedded-postgres.ts';
import { runSource } from '../../../test/run-source.ts';

const SETTINGS = { fsync: 'off' };

let dataDir: string;
const servers: EmbeddedPostgres[] = [];

// One directory for all tests: creating the cluster takes longer than all the starts. With this name, test/global-setup.ts can end whatever
// a killed run leaves.
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), `evander-jest-${process.pid}-`));
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

afterAll(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

test('keeps data, password and port across a stop', async () => {
  const first = await start();
  await query(first.url, 'CREATE TABLE kept_on_stop AS SELECT 7 AS seven');
  await first.stop();
  await first.stop();
  await expect(query(first.url, 'SELECT 1')).rejects.toThrow();

  const second = await start();
  expect(second.url).toBe(first.url);
  expect(await query(second.url, 'SELECT seven FROM kept_on_stop')).toEqual([{ seven: 7 }]);
});

test('requires the password, which only the owner of its file can read', async () => {
  const { url } = await start();
  await expect(query(url.replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1')).rejects.toThrow(/password/);
  expect((await stat(join(dataDir, 'cluster', 'password'))).mode & 0o777).toBe(0o600);
  expect(await query(url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
});

test('passes settings on, including quotes', async () => {
  const server = await start({ ...SETTINGS, max_connections: 17, 'app.note': `it's "a" $HOME` });
  expect(await query(server.url, 'SHOW max_connections')).toEqual([{ max_connections: '17' }]);
  expect(await query(server.url, `SELECT current_setting('app.note') AS note`)).toEqual([
    { note: `it's "a" $HOME` },
  ]);
});

test('takes over the server of a process that was killed', async () => {
  const { url, pid } = await startInChildAndKillIt();
  await query(url, 'CREATE TABLE kept_on_takeover AS SELECT 7 AS seven');

  const server = await start();
  expect(server.url).toBe(url);
  expect(await postmasterPid()).toBe(pid);
  expect(await query(server.url, 'SELECT seven FROM kept_on_takeover')).toEqual([{ seven: 7 }]);
  await server.stop();
  await expect(query(url, 'SELECT 1')).rejects.toThrow();
});

test('restarts after PostgreSQL itself was killed, and keeps committed data', async () => {
  const first = await start();
  await query(first.url, 'CREATE TABLE kept_on_crash AS SELECT 7 AS seven');
  process.kill(await postmasterPid(), 'SIGKILL');

  const second = await start();
  expect(await query(second.url, 'SELECT seven FROM kept_on_crash')).toEqual([{ seven: 7 }]);
});

test('restarts after PostgreSQL was killed during a query that does not notice', async () => {
  const first = await start();
  const client = new pg.Client({ connectionString: first.url });
  client.on('error', () => {});
  await client.connect();
  const busy = client.query('SELECT count(*) FROM generate_series(1, 1000000000000)').catch(() => {});
  const isBusy =
    "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%generate_series(1, 1%'";
  while ((await query(first.url, isBusy)).length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  process.kill(await postmasterPid(), 'SIGKILL');

  const second = await start();
  expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await busy;
}, 60_000);

test.each([
  ['the id of another living process', String(process.pid)],
  ['an unused process id', '99999999'],
])('starts despite a pid file with %s', async (_, pid) => {
  await (await start()).stop();
  await writeFile(pidFile(), `${pid}\n${dataDir}\n1\n5432\n\n127.0.0.1\n1 1\nready\n`);
  const server = await start();
  expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('several concurrent starts share one server, and only its owner stops it', async () => {
  const started = await Promise.all([start(), start(), start()]);
  expect(new Set(started.map(({ url }) => url)).size).toBe(1);

  const guest = await runChild(
    `await (await startEmbeddedPostgres({ dataDir })).stop(); console.log('done');`,
  );
  expect(guest).toContain('done');
  expect(await query(started[0].url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('chooses another port if its own has been taken', async () => {
  const first = await start();
  await first.stop();
  const taken = createServer().listen(Number(new URL(first.url).port), '127.0.0.1');
  await once(taken, 'listening');
  const second = await start();
  expect(new URL(second.url).port).not.toBe(new URL(first.url).port);
  taken.close();
});

test('a failed start explains why', async () => {
  await expect(start({ max_connections: 'many' })).rejects.toThrow(/did not start[^]*max_connections/);
});

test('says what to do if there is no PostgreSQL for the machine', async () => {
  const message = await runChild(
    `Object.defineProperty(process, 'arch', { value: 'riscv64' });
     await startEmbeddedPostgres({ dataDir }).catch((error) => console.log(error.message));`,
  );
  expect(message).toMatch(/no embedded PostgreSQL for \w+-riscv64.*EVANDER_DATABASE_URL/);
});

async function start(settings: Record<string, string | number> = SETTINGS): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, settings });
  servers.push(server);
  return server;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

async function startInChildAndKillIt(): Promise<{ url: string; pid: number }> {
  const url = await runChild(
    `console.log((await startEmbeddedPostgres({ dataDir, settings: { fsync: 'off' } })).url);
     process.kill(process.pid, 'SIGKILL');`,
  );
  return { url: url.trim(), pid: await postmasterPid() };
}

/** Runs `body` in a separate process and returns its output. */
async function runChild(body: string): Promise<string> {
  const source = `const { startEmbeddedPostgres } = await import(${JSON.stringify(new URL('../src/embedded-postgres.ts', import.meta.url).href)});
    const dataDir = ${JSON.stringify(dataDir)};
    ${body}`;
  return (await runSource(source)).output;
}

async function postmasterPid(): Promise<number> {
  return Number((await readFile(pidFile(), 'utf8')).split('\n')[0]);
}

function pidFile(): string {
  return join(dataDir, 'cluster', 'data', 'postmaster.pid');
}
