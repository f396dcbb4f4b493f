import { OperationalError } from '@evander/process';
import type { Log } from '@evander/process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findBinaries, makeOnce, serverAccount } from './postgres-binaries.ts';
import { readNumber, run, shellQuote, writeNumber } from './postgres-home.ts';
import type { PostgresHome } from './postgres-home.ts';
import { answers, endOrphans, findRunning, isAlive } from './running-postgres.ts';
import type { RunningPostgres } from './running-postgres.ts';

const HOST = '127.0.0.1';
const SUPERUSER = 'evander';
// Crash recovery replays everything since the last checkpoint: seconds, or minutes on a slow disk.
const START_TIMEOUT_SECONDS = 180;
const START_ATTEMPTS = 5;
const LOG_TAIL_BYTES = 2000;

export interface EmbeddedPostgresOptions {
  /** A dedicated directory for the data, the password and the log. */
  dataDir: string;
  /** Unset: picks a free port and reuses it at later starts while it is free. */
  port?: number | undefined;
  /** Server settings (postgresql.conf). A server that is already running keeps its own settings. */
  settings?: PostgresSettings | undefined;
  log?: Log | undefined;
}

export type PostgresSettings = Readonly<Record<string, string | number>>;

export interface EmbeddedPostgres {
  /** The maintenance database `postgres`, as superuser. */
  url: string;
  /** Shuts the server down, unless another living process has started it or taken it over. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL on `dataDir` and creates the cluster if it is new. The server outlives a process that dies without stopping it; the
 * next start finds it and takes it over.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { settings = {}, port, log } = options;
  const dir = resolve(options.dataDir);
  const cluster = join(dir, 'cluster');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const account = await serverAccount([cluster, dir]);
  const binaries = await findBinaries(dir, account);
  const home: PostgresHome = { dir, data: join(cluster, 'data'), binaries, account };

  await makeOnce(cluster, (draft) => createCluster(home, draft, settings));
  const password = (await readFile(join(cluster, 'password'), 'utf8')).trim();
  const { running, isNew } = await attachOrStart(home, settings, port);
  if (isNew || !isAlive(await readNumber(home, 'owner'))) await writeNumber(home, 'owner', process.pid);
  await writeNumber(home, 'port', running.port);
  log?.info({ dataDir: dir, port: running.port, pid: running.pid, isNew }, 'embedded PostgreSQL is running');

  let stopped: Promise<void> | undefined;
  return {
    url: `postgresql://${SUPERUSER}:${password}@${HOST}:${running.port}/postgres`,
    stop: () => (stopped ??= stop(home)),
  };
}

async function createCluster(home: PostgresHome, draft: string, settings: PostgresSettings): Promise<void> {
  const data = join(draft, 'data');
  const password = join(draft, 'password');
  await mkdir(data, { mode: 0o700 });
  await writeFile(password, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
  if (home.account !== undefined) {
    const { uid, gid } = home.account;
    for (const path of [password, data, draft]) await chown(path, uid, gid);
  }
  const code = await run(home, 'initdb', data, [
    `--username=${SUPERUSER}`,
    '--pwfile=../password',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-instructions',
    ...(settings.fsync === 'off' ? ['--no-sync'] : []),
  ]);
  if (code !== 0) throw await fault(home, 'could not be created');
}

/** Waits for a server that is starting or stopping; starts one if there is none. */
async function attachOrStart(
  home: PostgresHome,
  settings: PostgresSettings,
  port: number | undefined,
): Promise<{ running: RunningPostgres; isNew: boolean }> {
  const deadline = Date.now() + START_TIMEOUT_SECONDS * 1000;
  let isNew = false;
  for (let attempts = 0; ;) {
    const running = await findRunning(home.data);
    if (running?.isReady && (await answers(HOST, running.port))) return { running, isNew };
    if (running !== undefined) {
      if (Date.now() > deadline) throw await fault(home, `(process ${running.pid}) does not answer`);
      await delay(20);
      continue;
    }
    if (attempts === START_ATTEMPTS) throw await fault(home, 'did not start');
    attempts += 1;
    if (endOrphans(home.data)) await delay(200);
    isNew = await launch(home, { ...settings, ...(await address(home, port)) });
    // Another start was faster, the port has just been taken, or processes of a crashed server are still running.
    if (!isNew) await delay(200);
  }
}

async function launch(home: PostgresHome, settings: PostgresSettings): Promise<boolean> {
  const options = Object.entries(settings).map(([name, value]) => `-c ${shellQuote(`${name}=${value}`)}`);
  const code = await run(home, 'pg_ctl', home.data, [
    'start',
    '--silent',
    '--wait',
    `--timeout=${START_TIMEOUT_SECONDS}`,
    `--options=${options.join(' ')}`,
  ]);
  return code === 0;
}

// Loopback only and no socket file, whose path may not exceed 107 bytes.
async function address(home: PostgresHome, port: number | undefined): Promise<PostgresSettings> {
  return {
    listen_addresses: HOST,
    unix_socket_directories: '',
    port: port ?? (await freePort(await readNumber(home, 'port'))),
  };
}

async function stop(home: PostgresHome): Promise<void> {
  if ((await readNumber(home, 'owner')) !== process.pid) return;
  const code = await run(home, 'pg_ctl', home.data, ['stop', '--silent', '--wait', '--mode=fast']);
  if (code !== 0 && (await findRunning(home.data)) !== undefined) throw await fault(home, 'did not stop');
}

async function fault(home: PostgresHome, what: string): Promise<Error> {
  const path = join(home.dir, 'postgres.log');
  const text = await readFile(path, 'utf8').catch(() => '');
  return new OperationalError(
    `embedded PostgreSQL in ${home.dir} ${what}; repair it, or set EVANDER_DATABASE_URL to another server. ` +
      `${path} ends with:\n${text.slice(-LOG_TAIL_BYTES).trimEnd()}`,
  );
}

/** The preferred port if it is free, otherwise any free one. */
async function freePort(preferred: number): Promise<number> {
  return new Promise((found, failed) => {
    const probe = createServer().once('error', (error) => {
      if (preferred === 0) failed(error);
      else found(freePort(0));
    });
    probe.listen(preferred, HOST, () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => found(port));
    });
  });
}
