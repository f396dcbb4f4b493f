import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

export interface Process {
  child: ChildProcess;
  /** Its output so far. */
  output(): string;
  /** Kills it and waits until it is gone. */
  kill(): Promise<void>;
  /** Sends SIGTERM; returns the exit code. */
  stop(): Promise<number | null>;
}

/**
 * Runs `evander <args>` in a separate process with these variables and no other EVANDER_ variables. It runs the compiled packages
 * (test/global-setup.ts): compiling the sources takes longer than most of these processes run.
 */
export function run(args: string[], variables: Record<string, string | number>): Process {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('EVANDER_')),
  );
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: ROOT,
    env: {
      ...env,
      NODE_OPTIONS: '',
      ...Object.fromEntries(Object.entries(variables).map(([k, v]) => [k, String(v)])),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  const exited = once(child, 'exit');
  return {
    child,
    output: () => output,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      return child.exitCode;
    },
  };
}

/** Resolves when the URL answers 200; rejects with the process's output if it exits first. */
export async function isServing(url: string, process: Process): Promise<void> {
  while (process.child.exitCode === null && process.child.signalCode === null) {
    const response = await fetch(url).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`ended before it served ${url}:\n${process.output()}`);
}

/** Returns `count` ports that are currently free. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
