// Long: starts a process for each case.
// Slow: starts a process for each case.
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './system/fixture.ts';
import { freePorts, isServing, run } from './system/processes.ts';

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
])('explains what is wrong with the arguments %j', async (args, fault) => {
  const { code, output } = await outcome(args);
  expect(code).toBe(2);
  expect(output).toContain(fault);
  expect(output).toContain('Usage: evander');
});

test('an invalid value is reported before anything starts', async () => {
  const { code, output } = await outcome(['start'], { EVANDER_WS_PORT: 'http', EVANDER_MQTT_PREFIX: 'a/b' });
  expect(code).toBe(2);
  expect(output.trim().split('\n')).toEqual([
    expect.stringContaining('EVANDER_WS_PORT must be a port'),
    expect.stringContaining('EVANDER_MQTT_PREFIX must be one topic level'),
  ]);
});

test.each([
  ['gateway', ['EVANDER_MQTT_URL', 'EVANDER_GATEWAY_SECRET']],
  ['manager', ['EVANDER_DATABASE_URL', 'EVANDER_MQTT_URL', 'EVANDER_SECRET']],
])('%s lists all missing and invalid variables together', async (command, missing) => {
  const { code, output } = await outcome([command], { EVANDER_PING_SECONDS: 'x', EVANDER_API_PORT: 'x' });
  expect(code).toBe(2);
  const lines = output.trim().split('\n');
  for (const name of missing) expect(lines).toContainEqual(expect.stringMatching(`^${name} is not set: .`));
  expect(lines).toContainEqual(expect.stringMatching(/^EVANDER_(PING_SECONDS|API_PORT) must be/));
  expect(lines).toHaveLength(missing.length + 1);
});

/** The tests' PostgreSQL URL with a part changed. */
function databaseUrl(
  change: Partial<Pick<URL, 'password' | 'username' | 'pathname' | 'port' | 'hostname'>>,
): string {
  return Object.assign(new URL(process.env.EVANDER_TEST_DATABASE_URL ?? ''), change).href;
}

test.each([
  [{ port: '1' }, 'nothing listens at 127.0.0.1:1 (ECONNREFUSED)'],
  [{ hostname: 'no-such-host.invalid' }, 'the host name \\"no-such-host.invalid\\" cannot be resolved'],
  [{ password: 'wrong-password' }, '(28P01)'],
  [{ pathname: '/no_such_database' }, '(3D000)'],
  [{ pathname: '/postgres?sslmode=verify-full' }, 'does not support SSL'],
])(
  'an unreachable database (%j) is reported in one line that names the variable',
  async (change, expected) => {
    const { code, output } = await outcome(['manager'], {
      EVANDER_DATABASE_URL: decodeURIComponent(databaseUrl(change)),
      EVANDER_MQTT_URL: 'mqtt://127.0.0.1:1',
      EVANDER_SECRET: 'a secret of at least thirty-two characters',
      EVANDER_API_PORT: 0,
    });
    expect(code).toBe(1);
    const fatal = output
      .trim()
      .split('\n')
      .filter((line) => line.includes('"level":60'));
    expect(fatal).toEqual([expect.stringContaining(expected)]);
    expect(fatal[0]).toContain('EVANDER_DATABASE_URL');
    expect(output).not.toMatch(/"stack"|wrong-password|\n +at /);
  },
  60_000,
);

test('an unreachable broker is reported once, in a line that names the variable', async () => {
  const [api = 0, nobody = 0] = await freePorts(2);
  const started = run(['gateway'], {
    EVANDER_MQTT_URL: 'mqtt://localhost:1',
    EVANDER_GATEWAY_SECRET: 'a secret of at least thirty-two characters',
    EVANDER_MANAGER_URL: `http://127.0.0.1:${nobody}`,
    EVANDER_WS_PORT: 0,
    EVANDER_WSS_PORT: 0,
    EVANDER_GATEWAY_STATUS_PORT: api,
  });
  const lines = (): string[] =>
    started
      .output()
      .split('\n')
      .filter((line) => line.includes('broker error'));
  await isServing(`http://127.0.0.1:${api}/health/live`, started);
  await eventually(() => expect(lines()).not.toEqual([]));
  // Time for three more attempts.
  await new Promise((resolve) => setTimeout(resolve, 2000));
  await started.stop();
  expect(lines()).toEqual([
    expect.stringMatching(/nothing listens at .*:1 \(ECONNREFUSED\).*EVANDER_MQTT_URL/),
  ]);
  expect(started.output()).not.toContain('"stack"');
}, 60_000);

test('help lists the variables that a command reads', async () => {
  const { code, output } = await outcome(['gateway', '--help']);
  expect(code).toBe(0);
  expect(output).toContain('EVANDER_WS_PORT [9310]');
  expect(output).toContain('EVANDER_GATEWAY_SECRET');
  expect(output).not.toMatch(/^ *EVANDER_(DATABASE_URL|SECRET)\b/m);
});

test('a taken port ends the start with a message that names it, and leaves nothing running', async () => {
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
  expect(output).toContain(`port ${port} of 127.0.0.1 is taken by another process (EADDRINUSE)`);
  expect(output).toContain('EVANDER_WS_PORT');
  expect(output).not.toContain('"stack"');
  taken.close();
  await rm(dataDir, { recursive: true, force: true });
}, 60_000);
