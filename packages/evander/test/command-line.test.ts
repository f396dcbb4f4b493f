import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './system/processes.ts';

async function outcome(
  args: string[],
  variables: Record<string, string | number> = {},
): Promise<{ code: number | null; output: string }> {
  const process = run(args, variables);
  if (process.child.exitCode === null) await once(process.child, 'exit');
  return { code: process.child.exitCode, output: process.output() };
}

test.each([
  [[], 'a command is missing'],
  [['strat'], 'there is no command "strat"'],
  [['start', '--dmo'], 'there is no option "--dmo"'],
])('says what is wrong with the arguments %j', async (args, fault) => {
  const { code, output } = await outcome(args);
  expect(code).toBe(2);
  expect(output).toContain(fault);
  expect(output).toContain('Usage: evander');
});

test('a bad value is named before anything is started', async () => {
  const { code, output } = await outcome(['start'], { EVANDER_WS_PORT: 'http', EVANDER_MQTT_PREFIX: 'a/b' });
  expect(code).toBe(2);
  expect(output.trim().split('\n')).toEqual([
    expect.stringContaining('EVANDER_WS_PORT must be a port'),
    expect.stringContaining('EVANDER_MQTT_PREFIX must be one topic level'),
  ]);
});

test.each(['gateway', 'manager'])('%s says which variable it cannot do without', async (command) => {
  const { code, output } = await outcome([command]);
  expect(code).toBe(2);
  expect(output).toMatch(/EVANDER_(SECRET|GATEWAY_SECRET|DATABASE_URL|MQTT_URL) is not set/);
});

test('help lists the variables that a command reads', async () => {
  const { code, output } = await outcome(['gateway', '--help']);
  expect(code).toBe(0);
  expect(output).toContain('EVANDER_WS_PORT [9310]');
  expect(output).toContain('EVANDER_GATEWAY_SECRET');
  expect(output).not.toMatch(/^ *EVANDER_(DATABASE_URL|SECRET)\b/m);
});

test('a port that is taken ends the start with its name, and leaves nothing running', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const dataDir = await mkdtemp(join(tmpdir(), 'evander-cli-'));
  const variables = {
    EVANDER_DATA_DIR: dataDir,
    EVANDER_API_PORT: 0,
    EVANDER_GATEWAY_STATUS_PORT: 0,
    EVANDER_WS_PORT: port,
    EVANDER_WSS_PORT: '0',
  };
  const { code, output } = await outcome(['start'], variables);
  expect(code).toBe(1);
  expect(output).toContain(`EADDRINUSE`);
  expect(output).toContain(String(port));
  taken.close();
  await rm(dataDir, { recursive: true, force: true });
}, 60_000);
