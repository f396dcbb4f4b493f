import type { Log } from '@evander/process';
import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { chown, mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findBinaries, makeOnce, serverAccount } from './postgres-binaries.ts';
import type { Account } from './postgres-binaries.ts';
import { answers, findRunning, isAlive } from './running-postgres.ts';
import type { RunningPostgres } from './running-postgres.ts';

const HOST = '127.0.0.1';
const SUPERUSER = 'evander';
// Recovery after a crash replays what was written since the last checkpoint: seconds, on a slow disk minutes.
const START_TIMEOUT_SECONDS = 180;
const START_ATTEMPTS = 5;
const LOG_TAIL_BYTES = 2000;

export interface EmbeddedPostgresOptions {
  /** A directory of its own: holds the data, the password and the log. */
  dataDir: string;
  /** A free one when unset, and the same again at later starts as long as it is free. */
  port?: number | undefined;
  /** Server settings (postgresql.conf). A server found running keeps those it was started with. */
  settings?: PostgresSettings | undefined;
  log?: Log | undefined;
}

export type PostgresSettings = Readonly<Record<string, string | number>>;

export interface EmbeddedPostgres {
  /** The maintenance database `postgres`, as superuser. */
  url: string;
  /** Ends the server in order, unless a process that lives on has started it or taken it over. */
  stop(): Promise<void>;
}

interface Server {
  dir: string;
  data: string;
  binaries: string;
  account: Account | undefined;
}

/**
 * Starts PostgreSQL on `dataDir`, which is made when new. The server outlives a process that dies without stopping it;
 * the next start finds it and takes it over.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { settings = {}, port, log } = options;
  const dir = resolve(options.dataDir);
  const cluster = join(dir, 'cluster');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const account = await serverAccount([cluster, dir]);
  const binaries = await findBinaries(dir, account);
  const server: Server = { dir, data: join(cluster, 'data'), binaries, account };

  await makeOnce(cluster, (draft) => createCluster(server, draft, settings));
  const password = (await readFile(join(cluster, 'password'), 'utf8')).trim();
  const { running, isNew } = await attachOrStart(server, settings, port);
  if (isNew || !isAlive(await readNumber(server, 'owner'))) await writeNumber(server, 'owner', process.pid);
  await writeNumber(server, 'port', running.port);
  log?.info({ dataDir: dir, port: running.port, pid: running.pid, isNew }, 'embedded PostgreSQL is running');

  let stopped: Promise<void> | undefined;
  return {
    url: `postgresql://${SUPERUSER}:${password}@${HOST}:${running.port}/postgres`,
    stop: () => (stopped ??= stop(server)),
  };
}

async function createCluster(server: Server, draft: string, settings: PostgresSettings): Promise<void> {
  const data = join(draft, 'data');
  const password = join(draft, 'password');
  await mkdir(data, { mode: 0o700 });
  await writeFile(password, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
  if (server.account !== undefined) {
    const { uid, gid } = server.account;
    for (const path of [password, data, draft]) await chown(path, uid, gid);
  }
  const code = await run(server, 'initdb', data, [
    `--username=${SUPERUSER}`,
    '--pwfile=../password',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-instructions',
    ...(settings.fsync === 'off' ? ['--no-sync'] : []),
  ]);
  if (code !== 0) throw await fault(server, 'could not be created');
}

/** Waits for a server that is just starting or stopping; starts one when there is none. */
async function attachOrStart(
  server: Server,
  settings: PostgresSettings,
  port: number | undefined,
): Promise<{ running: RunningPostgres; isNew: boolean }> {
  const deadline = Date.now() + START_TIMEOUT_SECONDS * 1000;
  let isNew = false;
  for (let attempts = 0; attempts < START_ATTEMPTS;) {
    const running = await findRunning(server.data);
    if (running?.isReady && (await answers(HOST, running.port))) return { running, isNew };
    if (running !== undefined) {
      if (Date.now() > deadline) throw await fault(server, `(process ${running.pid}) does not answer`);
      await delay(20);
      continue;
    }
    isNew = await launch(server, { ...settings, ...(await address(server, port)) });
    if (isNew) continue;
    // Another start was faster, the port was taken just now, or processes of a crashed server have not ended yet.
    attempts += 1;
    await delay(200);
  }
  throw await fault(server, 'did not start');
}

async function launch(server: Server, settings: PostgresSettings): Promise<boolean> {
  const options = Object.entries(settings).map(([name, value]) => `-c ${shellWord(`${name}=${value}`)}`);
  const code = await run(server, 'pg_ctl', server.data, [
    'start',
    '--silent',
    '--wait',
    `--timeout=${START_TIMEOUT_SECONDS}`,
    `--options=${options.join(' ')}`,
  ]);
  return code === 0;
}

// Loopback only, and no socket file: its path may not exceed 107 bytes.
async function address(server: Server, port: number | undefined): Promise<PostgresSettings> {
  return {
    listen_addresses: HOST,
    unix_socket_directories: '',
    port: port ?? (await freePort(await readNumber(server, 'port'))),
  };
}

async function stop(server: Server): Promise<void> {
  if ((await readNumber(server, 'owner')) !== process.pid) return;
  const code = await run(server, 'pg_ctl', server.data, ['stop', '--silent', '--wait', '--mode=fast']);
  if (code !== 0 && (await findRunning(server.data)) !== undefined) throw await fault(server, 'did not stop');
}

/** Runs a PostgreSQL tool on a data directory and gives its exit code; what it says goes to the log file. */
async function run(
  server: Server,
  tool: 'initdb' | 'pg_ctl',
  data: string,
  args: string[],
): Promise<number | null> {
  // As root we work in a directory that another user may own: never follow or leave anything there that is not theirs.
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
  const output = await openForOwner(server, 'postgres.log', flags);
  try {
    // The working directory is entered before root is given up; so the server reaches its data also below a 0700 directory.
    const isEntered = server.account !== undefined && process.platform === 'linux';
    const child = spawn(join(server.binaries, tool), ['-D', isEntered ? '/proc/self/cwd' : data, ...args], {
      cwd: data,
      ...server.account,
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(EVANDER_|PG)/.test(name))),
      stdio: ['ignore', output.fd, output.fd],
      // A session of its own: Ctrl-C is for us, who stop the server last.
      detached: true,
      windowsHide: true,
    });
    return await new Promise((exited, failed) => child.once('exit', exited).once('error', failed));
  } finally {
    await output.close();
  }
}

async function fault(server: Server, what: string): Promise<Error> {
  const path = join(server.dir, 'postgres.log');
  const text = await readFile(path, 'utf8').catch(() => '');
  return new Error(
    `embedded PostgreSQL in ${server.dir} ${what}; mend it, or set EVANDER_DATABASE_URL to another server. ` +
      `${path} ends with:\n${text.slice(-LOG_TAIL_BYTES).trimEnd()}`,
  );
}

/** The wished port if it is free, else any free one. */
async function freePort(wished: number): Promise<number> {
  return new Promise((found, failed) => {
    const probe = createServer().once('error', (error) => {
      if (wished === 0) failed(error);
      else found(freePort(0));
    });
    probe.listen(wished, HOST, () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => found(port));
    });
  });
}

async function readNumber(server: Server, file: 'owner' | 'port'): Promise<number> {
  return Number(await readFile(join(server.dir, file), 'utf8').catch(() => 0)) || 0;
}

async function writeNumber(server: Server, file: 'owner' | 'port', value: number): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  const handle = await openForOwner(server, draft, 'wx');
  await handle.writeFile(`${value}\n`).finally(() => handle.close());
  await rename(join(server.dir, draft), join(server.dir, file));
}

async function openForOwner(server: Server, file: string, flags: string | number): Promise<FileHandle> {
  const handle = await open(join(server.dir, file), flags, 0o600);
  const { uid, gid } = await stat(server.dir);
  if (server.account !== undefined) await handle.chown(uid, gid);
  return handle;
}

function shellWord(text: string): string {
  return process.platform === 'win32' ? `"${text}"` : `'${text.replaceAll("'", `'\\''`)}'`;
}
