import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmbeddedPostgres } from '../packages/evander/src/embedded-postgres.ts';
import type { EmbeddedPostgres } from '../packages/evander/src/embedded-postgres.ts';
import { isAlive } from '../packages/evander/src/running-postgres.ts';
import { prepareTemplate } from './database.ts';

const PREFIX = 'evander-jest-';
const MEMORY = '/dev/shm';
const ROOM_BYTES = 2 * 1024 ** 3;
// Test data need no durability; many databases are open at the same time.
const SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: 300,
  max_wal_size: '512MB',
};

/** Passed to global-teardown.ts; unset for an external server. */
export interface TestPostgres {
  evanderTestPostgres?: { dataDir: string; server: EmbeddedPostgres };
}

/** Prepares compiled packages for the processes that tests start, and PostgreSQL. */
export default async function setUp(): Promise<void> {
  compile();
  await startPostgres();
}

/** Takes half a second if nothing has changed. Type errors fail `pnpm check`, not this step. */
function compile(): void {
  const compiler = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  spawnSync(process.execPath, [compiler, '-b', fileURLToPath(new URL('..', import.meta.url))], {
    stdio: 'inherit',
  });
}

/** Starts one PostgreSQL for the whole run; EVANDER_TEST_DATABASE_URL names another server to use instead. */
async function startPostgres(): Promise<void> {
  if (process.env.EVANDER_TEST_DATABASE_URL === undefined) {
    await removeServersOfDeadRuns();
    const dataDir = await mkdtemp(join(await directory(), `${PREFIX}${process.pid}-`));
    const server = await startEmbeddedPostgres({ dataDir, settings: SETTINGS });
    (globalThis as TestPostgres).evanderTestPostgres = { dataDir, server };
    process.env.EVANDER_TEST_DATABASE_URL = server.url;
  }
  await prepareTemplate();
}

/** A directory in memory if there is space: copying a database there takes a tenth of the time. */
async function directory(): Promise<string> {
  const memory = await statfs(MEMORY).catch(() => undefined);
  return memory !== undefined && memory.bavail * memory.bsize > ROOM_BYTES ? MEMORY : tmpdir();
}

/** A killed run leaves its server running: attach to it, then stop it. */
async function removeServersOfDeadRuns(): Promise<void> {
  for (const parent of [tmpdir(), MEMORY]) {
    const names = (await readdir(parent).catch(() => [])).filter((name) => name.startsWith(PREFIX));
    for (const name of names) {
      if (!isAlive(Number(name.slice(PREFIX.length).split('-')[0]))) await removeServer(join(parent, name));
    }
  }
}

async function removeServer(dataDir: string): Promise<void> {
  try {
    await (await startEmbeddedPostgres({ dataDir, settings: SETTINGS })).stop();
    await rm(dataDir, { recursive: true, force: true });
  } catch {
    // Another run is removing it, or it belongs to another user.
  }
}
