import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readFile, rename, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from './postgres-binaries.ts';

/** Directories and account of the embedded PostgreSQL. */
export interface PostgresHome {
  /** Contains the log, and files with the owner's process id and the port. */
  dir: string;
  data: string;
  binaries: string;
  account: Account | undefined;
}

/** Runs a PostgreSQL tool on a data directory and returns its exit code; its output goes to the log file. */
export async function run(
  home: PostgresHome,
  tool: 'initdb' | 'pg_ctl',
  data: string,
  args: string[],
): Promise<number | null> {
  // As root, this works in a directory that another user may own: never follow links, and leave no files of root there.
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
  const output = await openForOwner(home, 'postgres.log', flags);
  try {
    // The working directory is entered before root is given up, so that the server also reaches data below a 0700 directory.
    const isEntered = home.account !== undefined && process.platform === 'linux';
    const child = spawn(join(home.binaries, tool), ['-D', isEntered ? '/proc/self/cwd' : data, ...args], {
      cwd: data,
      ...home.account,
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(EVANDER_|PG)/.test(name))),
      stdio: ['ignore', output.fd, output.fd],
      // A separate session: Ctrl-C is for this process, which stops the server last.
      detached: true,
      windowsHide: true,
    });
    return await new Promise((exited, failed) => child.once('exit', exited).once('error', failed));
  } finally {
    await output.close();
  }
}

/** Reads a number from a file; 0 if there is none. */
export async function readNumber(home: PostgresHome, file: 'owner' | 'port'): Promise<number> {
  return Number(await readFile(join(home.dir, file), 'utf8').catch(() => 0)) || 0;
}

export async function writeNumber(home: PostgresHome, file: 'owner' | 'port', value: number): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  const handle = await openForOwner(home, draft, 'wx');
  await handle.writeFile(`${value}\n`).finally(() => handle.close());
  await rename(join(home.dir, draft), join(home.dir, file));
}

async function openForOwner(home: PostgresHome, file: string, flags: string | number): Promise<FileHandle> {
  const handle = await open(join(home.dir, file), flags, 0o600);
  const { uid, gid } = await stat(home.dir);
  if (home.account !== undefined) await handle.chown(uid, gid);
  return handle;
}

/** Quotes an argument for the shell through which pg_ctl starts the server. */
export function shellQuote(text: string): string {
  return process.platform === 'win32' ? `"${text}"` : `'${text.replaceAll("'", `'\\''`)}'`;
}
