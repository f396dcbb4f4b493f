import { expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { usageOf } from '../src/processes.ts';

const BUSY_SECONDS = 0.3;

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('the CPU time of a process includes that of its ended children', async () => {
  const busy = `while (process.cpuUsage().user < ${BUSY_SECONDS} * 1e6);`;
  // The shell prints when its child has ended, and then waits for the end of its input.
  const script = '"$0" -e "$1"; echo ended; read line';
  const parent = spawn('/bin/sh', ['-c', script, process.execPath, busy], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    await once(parent.stdout, 'data');
    expect(usageOf([parent.pid as number]).cpu).toBeGreaterThanOrEqual(BUSY_SECONDS);
  } finally {
    parent.stdin.end();
    await once(parent, 'exit');
  }
});
