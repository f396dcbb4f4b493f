// Long: starts and kills PostgreSQL.
// Slow: starts and kills PostgreSQL.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { OperationalError, silentLog } from '@evander/process';
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startOwnPostgres } from '../src/own-postgres.ts';
import { eventually } from './system/fixture.ts';

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), `evander-jest-${process.pid}-`));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

/** Number of connections that hold the lock: one while a process watches this PostgreSQL. */
async function countWatchers(url: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<{ watchers: number }>(
      `SELECT count(*)::int AS watchers FROM pg_locks WHERE locktype = 'advisory' AND granted`,
    );
    return rows[0]?.watchers;
  } finally {
    await client.end();
  }
}

async function killPostmaster(): Promise<void> {
  const text = await readFile(join(dataDir, 'postgres', 'cluster', 'data', 'postmaster.pid'), 'utf8');
  process.kill(Number(text.split('\n')[0]), 'SIGKILL');
}

test("a data directory belongs to one process: a second is rejected with the owner's name, and the first continues", async () => {
  const first = await startOwnPostgres(dataDir, silentLog());
  const second = startOwnPostgres(dataDir, silentLog());
  await expect(second).rejects.toThrow(OperationalError);
  await expect(second).rejects.toThrow(
    `the data directory ${dataDir} is in use by another process (evander start, process ${process.pid})`,
  );
  await expect(second).rejects.toThrow(/EVANDER_DATA_DIR/);
  expect(await countWatchers(first.url)).toBe(1);
  await first.close();

  const next = await startOwnPostgres(dataDir, silentLog());
  expect(await countWatchers(next.url)).toBe(1);
  await next.close();
}, 60_000);

test('killed PostgreSQL is restarted at the same address, every time', async () => {
  const own = await startOwnPostgres(dataDir, silentLog());
  for (let kill = 0; kill < 2; kill++) {
    await killPostmaster();
    // It answers a moment before it is watched again; in between another process could take it.
    await eventually(async () => expect(await countWatchers(own.url)).toBe(1));
    await expect(startOwnPostgres(dataDir, silentLog())).rejects.toThrow('in use');
  }
  await own.close();
  await expect(countWatchers(own.url)).rejects.toThrow();
}, 60_000);

test('if it cannot be restarted, it fails with a reason and stops trying', async () => {
  const own = await startOwnPostgres(dataDir, silentLog(), [0, 10]);
  const control = join(dataDir, 'postgres', 'cluster', 'data', 'global', 'pg_control');
  await rename(control, `${control}.away`);
  await killPostmaster();
  await expect(own.failed).rejects.toThrow(OperationalError);
  await expect(own.failed).rejects.toThrow(/cannot be kept running:[^]*pg_control/);
  await rename(`${control}.away`, control);
  await own.close();
}, 60_000);
