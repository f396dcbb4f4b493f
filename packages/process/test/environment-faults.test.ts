import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { explained, explainFault, OperationalError } from '../src/environment-faults.ts';
import { setting, SHARED_SETTINGS } from '../src/index.ts';

const TABLE = {
  ...SHARED_SETTINGS,
  wsPort: setting('EVANDER_WS_PORT', 'port', undefined, ''),
  apiPort: setting('EVANDER_API_PORT', 'port', undefined, ''),
  tlsCertificateFiles: setting('EVANDER_TLS_CERTIFICATE_FILES', 'text', undefined, ''),
  databaseUrl: setting('EVANDER_DATABASE_URL', 'postgresUrl', undefined, ''),
  managerUrl: setting('EVANDER_MANAGER_URL', 'httpUrls', undefined, ''),
  dataDir: setting('EVANDER_DATA_DIR', 'text', undefined, ''),
};

/** Real Node.js errors, each with its settings and the expected explanation. */
const listen = (port: number, host: string) => async () => {
  const server = createServer().listen(port, host);
  await once(server, 'listening');
};
const dial = (port: number, host: string) => async () => {
  await once(connect(port, host), 'connect');
};

async function thrownBy(work: () => Promise<unknown>): Promise<unknown> {
  return work().then(
    () => undefined,
    (error: unknown) => error,
  );
}

test('a taken port names its variable, or both if two have the same value', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const error = await thrownBy(listen(port, '127.0.0.1'));
  expect(explainFault(error, { wsPort: port, apiPort: 9410 }, TABLE)).toMatch(
    new RegExp(`^port ${port} of 127.0.0.1 is taken .*EADDRINUSE.* set EVANDER_WS_PORT to another`),
  );
  expect(explainFault(error, { wsPort: port, apiPort: port }, TABLE)).toContain(
    'EVANDER_WS_PORT or EVANDER_API_PORT',
  );
  taken.close();
});

test.each([
  [listen(0, '192.0.2.1'), { host: '192.0.2.1' }, /192\.0\.2\.1.*EVANDER_HOST/],
  [
    listen(0, 'no-such.invalid'),
    { host: 'no-such.invalid' },
    /"no-such.invalid" cannot be resolved.*EVANDER_HOST/,
  ],
  [
    dial(1, '127.0.0.1'),
    { databaseUrl: 'postgres://u:hush@127.0.0.1:1/d' },
    /nothing listens at 127.0.0.1:1 .*EVANDER_DATABASE_URL/,
  ],
  [dial(1, 'localhost'), { mqttUrl: 'mqtt://localhost:1' }, /nothing listens at .*:1 .*EVANDER_MQTT_URL/],
  [
    dial(5432, 'db.invalid'),
    { databaseUrl: 'postgres://u:hush@db.invalid/d' },
    /"db.invalid" cannot be resolved.*EVANDER_DATABASE_URL/,
  ],
  [
    () => readFile('/nowhere/cert.pem'),
    { tlsCertificateFiles: '/a.pem, /nowhere/cert.pem' },
    /does not exist.*EVANDER_TLS_CERTIFICATE_FILES/,
  ],
  [
    () => readFile('/nowhere/ca.pem'),
    { databaseUrl: 'postgres://u:hush@h/d?sslrootcert=/nowhere/ca.pem' },
    /EVANDER_DATABASE_URL/,
  ],
  [() => readFile('/proc/1/nothing/x'), { dataDir: '/proc/1/nothing' }, /EVANDER_DATA_DIR/],
  [dial(1, '127.0.0.1'), { managerUrl: 'http://127.0.0.1:2, http://127.0.0.1:1' }, /EVANDER_MANAGER_URL/],
] as const)('%# names the variable', async (work, values, expected) => {
  const error = await thrownBy(work);
  const text = explainFault(error, values, TABLE);
  expect(text).toMatch(expected);
  expect(text).not.toContain('hush');
});

test.each([
  ['28P01', 'password authentication failed for user "u"'],
  ['28000', 'role "u" does not exist'],
  ['3D000', 'database "d" does not exist'],
  ['53300', 'sorry, too many clients already'],
  ['42501', 'permission denied for schema public'],
])('PostgreSQL’s %s names EVANDER_DATABASE_URL', (code, message) => {
  const error = Object.assign(new Error(message), { code, severity: 'FATAL' });
  expect(explainFault(error, { databaseUrl: 'postgres://u:hush@h/d' }, TABLE)).toMatch(
    new RegExp(`${message}.*${code}.*EVANDER_DATABASE_URL`),
  );
  expect(explainFault(error, {}, TABLE)).toBeUndefined();
});

test('other errors stay unchanged', () => {
  const own = new TypeError('undefined is not a function');
  expect(explained(own, { databaseUrl: 'postgres://h/d' }, TABLE)).toBe(own);
  const bug = Object.assign(new Error('syntax error'), { code: '42601', severity: 'ERROR' });
  expect(explained(bug, { databaseUrl: 'postgres://h/d' }, TABLE)).toBe(bug);
});

test('an explained error has its cause', () => {
  const cause = Object.assign(new Error('x'), { code: 'ECONNREFUSED', address: '127.0.0.1', port: 5 });
  const error = explained(cause, { mqttUrl: 'mqtt://h:5' }, TABLE);
  expect(error).toBeInstanceOf(OperationalError);
  expect((error as Error).cause).toBe(cause);
});
