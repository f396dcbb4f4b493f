import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';

const ANSWER_TIMEOUT_MS = 2000;
const EMPTY_PID_FILE_AFTER_MS = 10_000;
// Length 8, code 80877103: the one message that every PostgreSQL answers before authentication.
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

export interface RunningPostgres {
  pid: number;
  port: number;
  isReady: boolean;
}

/** Finds the server that runs on this data directory, from its postmaster.pid. Removes a file left by a crash. */
export async function findRunning(data: string): Promise<RunningPostgres | undefined> {
  const path = join(data, 'postmaster.pid');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const [pid, , , port, , , , status] = text.split('\n').map((line) => line.trim());
  if (isAlive(Number(pid)) && runsIn(Number(pid), data)) {
    return { pid: Number(pid), port: Number(port), isReady: status === 'ready' };
  }
  removeStale(path, text);
  return undefined;
}

export function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether PostgreSQL answers on this port. */
export async function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: ANSWER_TIMEOUT_MS }, () => socket.write(SSL_REQUEST));
    const settle = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('data', (answer) => settle(answer.toString() === 'N' || answer.toString() === 'S'));
    for (const fault of ['timeout', 'error', 'close']) socket.once(fault, () => settle(false));
  });
}

// The process id of a crashed server may belong to another process (in a container it soon does), or to its zombie.
function runsIn(pid: number, data: string): boolean {
  if (process.platform !== 'linux') return true;
  try {
    if (!/ \(postgres\) [^ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return false;
    const [cwd, directory] = [statSync(`/proc/${pid}/cwd`), statSync(data)];
    return cwd.ino === directory.ino && cwd.dev === directory.dev;
  } catch (error) {
    // Root in a container may not inspect other users' processes: then the name must suffice.
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

/**
 * Ends the remaining processes of a killed server on this data directory: a process in a long query does not notice that its parent is
 * gone, and no server starts while it uses the shared memory. Returns whether there were any.
 */
export function endOrphans(data: string): boolean {
  if (process.platform !== 'linux') return false;
  const orphans = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && isOrphan(Number(pid), data));
  for (const pid of orphans) {
    try {
      process.kill(Number(pid), 'SIGQUIT');
    } catch (error) {
      if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  return orphans.length > 0;
}

// Child processes are titled `postgres: …`, the server itself is not.
function isOrphan(pid: number, data: string): boolean {
  try {
    if (!readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('postgres: ')) return false;
    const parent = / \(postgres\) [^ZX] (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1];
    const [cwd, directory] = [statSync(`/proc/${pid}/cwd`), statSync(data)];
    const isHere = cwd.ino === directory.ino && cwd.dev === directory.dev;
    return isHere && parent !== undefined && !runsIn(Number(parent), data);
  } catch {
    // The process has just ended or belongs to another user.
    return false;
  }
}

/** PostgreSQL refuses to start if the pid file is empty or names a living process. */
function removeStale(path: string, text: string): void {
  try {
    const age = Date.now() - statSync(path).mtimeMs;
    if (text.trim() === '' && age < EMPTY_PID_FILE_AFTER_MS) return;
    if (readFileSync(path, 'utf8') === text) rmSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
