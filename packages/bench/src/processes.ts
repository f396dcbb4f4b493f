import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

const TICKS_PER_SECOND = 100;

/** A measured process. */
export interface Watched {
  name: string;
  pids(): number[];
  stop(): Promise<void>;
}

export interface Usage {
  /** CPU time in seconds. */
  cpu: number;
  /** In bytes. */
  memory: number;
}

/** Runs a program; resolves once `ready` returns true. */
export async function run(
  name: string,
  command: string[],
  {
    env = {},
    isReady,
  }: { env?: Record<string, string>; isReady(output: string): Promise<boolean> | boolean },
): Promise<Watched> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output = (output + data.toString()).slice(-10_000)));
  child.stderr.on('data', (data: Buffer) => (output = (output + data.toString()).slice(-10_000)));
  const untilMs = Date.now() + 60_000;
  while (!(await isReady(output))) {
    if (child.exitCode !== null || Date.now() > untilMs) throw new Error(`${name} did not start:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { name, pids: () => (child.pid === undefined ? [] : [child.pid]), stop: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

/** The CPU time of processes, their threads and their ended children, and the memory of processes, as Linux reports it; zeros elsewhere. */
export function usageOf(pids: number[]): Usage {
  const total = { cpu: 0, memory: 0 };
  for (const pid of pids) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      // utime, stime, cutime, cstime: the last two cover ended children, such as PostgreSQL backends.
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      total.cpu += ticks / TICKS_PER_SECOND;
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      total.memory += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
    } catch {
      // The process has ended, or this is not Linux.
    }
  }
  return total;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** All descendants of a process. */
export function treeOf(pid: number): number[] {
  const pids = [pid];
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    if (children !== '') pids.push(...children.split(' ').flatMap((child) => treeOf(Number(child))));
  } catch {
    // As above.
  }
  return pids;
}
