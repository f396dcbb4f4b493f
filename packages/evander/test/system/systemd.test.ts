import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SETTINGS } from '@evander/evander';
import { Station } from '@evander/station';
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { apiOf, eventually, startServices } from './fixture.ts';
import type { Services } from './fixture.ts';
import { freePorts } from './processes.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const UNITS = ['evander-manager', 'evander-gateway'] as const;
const SECRET = 'a-secret-of-at-least-thirty-two-characters';
const ADMIN_KEY = 'evk_an-admin-key-of-more-than-32-characters';

let services: Services;
const children: ChildProcess[] = [];
beforeAll(async () => {
  services = await startServices();
});
afterAll(async () => {
  for (const child of children) {
    child.kill();
    await once(child, 'exit');
  }
  await services.close();
});

function unit(name: string): Map<string, string[]> {
  return assignments(readFileSync(`${ROOT}deploy/systemd/${name}.service`, 'utf8'));
}

/** Lines `name=value` of units and environment files; a name may occur more than once. */
function assignments(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [, name = '', value = ''] of text.matchAll(/^(\w+)=(.*)$/gm))
    found.set(name, [...(found.get(name) ?? []), value]);
  return found;
}

function environmentFile(name: string): Record<string, string> {
  const [path = ''] = unit(name).get('EnvironmentFile') ?? [];
  const text = readFileSync(path.replace('/etc/evander/', `${ROOT}deploy/systemd/`), 'utf8');
  return Object.fromEntries([...assignments(text)].map(([variable, [value = '']]) => [variable, value]));
}

/** Starts a unit's command with its environment file and these machine-specific values. */
function startUnit(name: string, values: Record<string, string>): ChildProcess {
  const [command = ''] = unit(name).get('ExecStart') ?? [];
  const [program = '', ...args] = command.replace('/opt/evander/', ROOT).split(' ');
  expect(program).toBe('/usr/bin/node');
  const file = environmentFile(name);
  expect(Object.keys(file)).toEqual(expect.arrayContaining(Object.keys(values)));
  // A separate environment, as systemd provides.
  const child = spawn(process.execPath, args, { cwd: '/', env: { ...file, ...values }, stdio: 'ignore' });
  children.push(child);
  return child;
}

test('systemd accepts the units', () => {
  for (const name of UNITS) {
    const file = `${ROOT}deploy/systemd/${name}.service`;
    const { error, status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], {
      encoding: 'utf8',
    });
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') continue;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  }
});

test.each(UNITS)('%s uses known variables and is hardened', (name) => {
  const known = Object.values(SETTINGS).map(({ variable }) => variable);
  expect(known).toEqual(expect.arrayContaining(Object.keys(environmentFile(name))));
  const directives = unit(name);
  for (const directive of ['DynamicUser', 'NoNewPrivileges', 'PrivateDevices', 'ProtectHome'])
    expect(directives.get(directive)).toEqual(['yes']);
  expect(directives.get('ProtectSystem')).toEqual(['strict']);
  expect(directives.get('Restart')).toEqual(['always']);
});

test("the units' processes serve a station", async () => {
  expect(existsSync(`${ROOT}packages/evander/dist/main.js`)).toBe(true);
  const [api = 0, ws = 0, wss = 0, status = 0] = await freePorts(4);
  startUnit('evander-manager', {
    EVANDER_DATABASE_URL: services.databaseUrl,
    EVANDER_MQTT_URL: services.mqttUrlOf('manager'),
    EVANDER_SECRET: SECRET,
    EVANDER_ADMIN_KEY: ADMIN_KEY,
    EVANDER_API_PORT: String(api),
  });
  const gatewaySecret = spawnSync('sh', [`${ROOT}deploy/gateway-secret`], {
    env: { PATH: process.env.PATH, EVANDER_SECRET: SECRET },
    encoding: 'utf8',
  }).stdout.trim();
  startUnit('evander-gateway', {
    EVANDER_MQTT_URL: services.mqttUrlOf('gateway'),
    EVANDER_MANAGER_URL: `http://127.0.0.1:${api}`,
    EVANDER_GATEWAY_SECRET: gatewaySecret,
    EVANDER_WS_PORT: String(ws),
    EVANDER_WSS_PORT: String(wss),
    EVANDER_GATEWAY_STATUS_PORT: String(status),
  });
  const send = apiOf(`http://127.0.0.1:${api}`, ADMIN_KEY);
  await eventually(async () =>
    expect((await send('PUT', '/stations/UNIT1', { securityProfile: 0 })).status).toBeLessThan(300),
  );
  const station = new Station({ stationId: 'UNIT1', url: `ws://127.0.0.1:${ws}/ws` });
  await station.connect({ keepTrying: true });
  expect((await station.boot()).status).toBe('Accepted');
  await station.close();
}, 60_000);
