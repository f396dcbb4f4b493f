// Long: a session of whole processes, at the most talkative level.
// Slow: a session of whole processes at the most verbose log level.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { gatewayKeys, gatewaySecretOf, sealingKeyOf } from '@evander/process';
import { createRPCError, NOREPLY } from 'ocpp-rpc';
import type { RPCClient } from 'ocpp-rpc';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { OpenSsl } from '../../../../test/openssl.ts';
import { eventually, startServices } from './fixture.ts';
import type { Services } from './fixture.ts';
import { foreignStation } from './foreign-station.ts';
import { freePorts, isServing, run } from './processes.ts';
import type { Process } from './processes.ts';
import { SecretSearch } from './secret-search.ts';

const search = new SecretSearch();
const SECRET = search.add('EVANDER_SECRET', 'the-secret-of-this-installation-0123456789');
const GATEWAY_SECRET = search.add('EVANDER_GATEWAY_SECRET', gatewaySecretOf(SECRET));
search.add('the sealing key', sealingKeyOf(SECRET));
for (const [name, key] of Object.entries<string>({ ...gatewayKeys(GATEWAY_SECRET) })) search.add(name, key);
const ADMIN_KEY = search.add('the admin key', 'evk_the-admin-key-of-this-installation-01234');
const MQTT_PASSWORD = search.add('the password of the broker', 'mqtt-pa:ss@word/1');
const PASSWORD = search.add("a station's password", 'station-pass:word-1');
const WRONG_PASSWORD = search.add('a wrong password', 'station-pass:word-2');
const WRONG_KEY = search.add('a wrong API key', 'evk_wrong-key-that-is-nearly-right');
const URL_PASSWORD = search.add('a password in a URL', 'ftp-pässword-1');
const DATA = search.add('data of a DataTransfer', 'data-transfer-"secret"-1');
search.add('any private key', 'BEGIN PRIVATE KEY');
search.add('any EC private key', 'BEGIN EC PRIVATE KEY');
const LOCATION = `ftp://user:${encodeURIComponent(URL_PASSWORD)}@files.example/dir`;

let services: Services;
let openssl: OpenSsl;
let ports: number[];
const processes: Process[] = [];

beforeAll(async () => {
  services = await startServices();
  openssl = await OpenSsl.open();
  ports = await freePorts(5);
  const { certificate, key } = await openssl.certificate({ subject: '/CN=localhost' });
  search.add('the private key of the gateway', key.split('\n')[1] ?? '');
  await writeFile(join(openssl.directory, 'server.pem'), certificate);
  await writeFile(join(openssl.directory, 'server.key'), key);
  search.add('the password of the database', new URL(services.databaseUrl).password);
});
afterAll(async () => {
  for (const process of processes) await process.kill();
  await openssl?.close();
  await services?.close();
});

function variables(name: 'manager' | 'gateway'): Record<string, string | number> {
  const [ws = 0, wss = 0, status = 0, api = 0] = ports;
  const mqtt = new URL(services.mqttUrlOf(name));
  mqtt.password = encodeURIComponent(MQTT_PASSWORD);
  return {
    EVANDER_LOG_LEVEL: 'trace',
    EVANDER_WS_PORT: ws,
    EVANDER_WSS_PORT: wss,
    EVANDER_GATEWAY_STATUS_PORT: status,
    EVANDER_API_PORT: api,
    EVANDER_MANAGER_URL: `http://127.0.0.1:${api}`,
    EVANDER_DATABASE_URL: services.databaseUrl,
    EVANDER_MQTT_URL: mqtt.href,
    EVANDER_MQTT_PREFIX: services.mqttPrefix,
    EVANDER_SECRET: SECRET,
    EVANDER_GATEWAY_SECRET: GATEWAY_SECRET,
    EVANDER_ADMIN_KEY: ADMIN_KEY,
    EVANDER_UNKNOWN_STATIONS: 'reject',
    EVANDER_HIDDEN_DATA_TRANSFERS: 'acme/pin',
    EVANDER_TLS_CERTIFICATE_FILES: join(openssl.directory, 'server.pem'),
    EVANDER_TLS_KEY_FILES: join(openssl.directory, 'server.key'),
  };
}

async function start(name: 'manager' | 'gateway', readyUrl: string): Promise<void> {
  const process = run([name], variables(name));
  processes.push(process);
  await isServing(readyUrl, process);
}

/** Searches every API answer; values that are shown once are removed first. */
async function api(
  method: string,
  path: string,
  body?: unknown,
  key = ADMIN_KEY,
): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${ports[3]}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isMade = method === 'POST' && path === '/api/v1/api-keys' && response.status === 201;
  const shown = isMade ? text.replace(/"key":"[^"]*"/, '') : text;
  search.search(`${method} ${path}`, JSON.stringify([...response.headers]) + shown);
  const isJson = text !== '' && response.headers.get('content-type')?.includes('json');
  return { status: response.status, ...(isJson && (JSON.parse(text) as object)) };
}

function command(action: string, body: object, query = ''): Promise<Record<string, unknown>> {
  return api('POST', `/api/v1/stations/SECRETIVE/commands/${action}?waitSeconds=10&${query}`, body);
}

async function connectStation(password: string): Promise<RPCClient> {
  const [ws = 0] = ports;
  const gateway = { url: `ws://127.0.0.1:${ws}/ws` };
  const station = foreignStation(gateway, 'SECRETIVE', { password, strictMode: false });
  await station.connect();
  return station;
}

/** Sends invalid bytes to a server. */
async function send(port: number, text: string): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.end(text);
  await new Promise((resolve) => socket.on('close', resolve).resume());
}

const CASES = ['AuthorizationKey', 'authorizationkey', 'AUTHORIZATIONKEY'];

/** Its types say that it returns no Error, its code does. */
function rpcError(code: string, message: string, details: object): Error {
  return createRPCError(code, message, details) as unknown as Error;
}

/** A station that reveals everything it receives in its answers. */
function revealEverything(station: RPCClient): void {
  type Handler = (call: { params: Record<string, string>; messageId: string }) => unknown;
  // Its types require promises, its code does not.
  const handle = station.handle.bind(station) as unknown as (action: string, handler: Handler) => void;
  let round = 0;
  const answers: Handler[] = [
    ({ params }) => ({ status: 'Rejected', info: JSON.stringify(params) }),
    ({ params }) => {
      throw rpcError('GenericError', `cannot take ${params.value?.toUpperCase()}`, { params });
    },
    // The answer is truncated.
    ({ params, messageId }) => {
      station.sendRaw(`[3,"${messageId}",{"status":"Rejected","was":${JSON.stringify(params)}`);
      station.sendRaw(JSON.stringify([3, messageId, { status: 'Rejected' }]));
      return NOREPLY;
    },
  ];
  handle('ChangeConfiguration', (call) => answers[round++ % answers.length]?.(call));
  handle('GetConfiguration', () => ({
    configurationKey: CASES.map((key) => ({ key, readonly: false, value: PASSWORD })),
  }));
  handle('DataTransfer', ({ params }) => ({ status: 'Accepted', data: params.data }));
  handle('GetDiagnostics', () => ({ fileName: `${LOCATION}/log.zip` }));
  handle('UpdateFirmware', () => {
    throw rpcError('InternalError', `no login with ${LOCATION}`, { password: URL_PASSWORD });
  });
}

async function session(): Promise<void> {
  await api('PUT', '/api/v1/stations/SECRETIVE', { securityProfile: 1, password: PASSWORD });
  const made = await api('POST', '/api/v1/api-keys', { name: 'operator', role: 'operator' });
  search.add('a key that was made', String(made.key));
  await api('GET', '/api/v1/stations', undefined, String(made.key));
  await expect(connectStation(WRONG_PASSWORD)).rejects.toThrow();
  const station = await connectStation(PASSWORD);
  revealEverything(station);
  await station.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
  await eventually(async () =>
    expect(await api('GET', '/api/v1/stations/SECRETIVE')).toMatchObject({ connected: true }),
  );
  for (const [i, key] of [...CASES, ...CASES].entries()) {
    const digits = i % 2 === 0 ? 'A1b2C3d4E5f60718293a4b5C6D7E8F90' : 'ffEEddCCbbAA99887766554433221100';
    const value = search.add(`an ${key} by command (${i})`, `${digits.slice(0, -1)}${i}`);
    expect(await command('ChangeConfiguration', { key, value })).toMatchObject({
      status: expect.anything() as unknown,
    });
  }
  const text = search.add('an AuthorizationKey that is not hex', 'a-password-in-clear-1');
  await command('ChangeConfiguration', { key: 'AuthorizationKey', value: text });
  await command('ChangeConfiguration', { key: 'AuthorizationKey', value: text }, 'skipRules=true');
  await command('GetConfiguration', {});
  await command('GetDiagnostics', { location: LOCATION });
  await command('UpdateFirmware', { location: LOCATION, retrieveDate: '2030-01-01T00:00:00Z' });
  const log = { remoteLocation: LOCATION };
  await command('GetLog', { logType: 'SecurityLog', requestId: 1, log }, 'skipRules=true');
  await command('DataTransfer', { vendorId: 'ACME', messageId: 'Pin', data: DATA });
  await station.call('DataTransfer', { vendorId: 'acme', messageId: 'pin', data: DATA });
  await station.call('StatusNotification', { connectorId: 1, status: 'Available', errorCode: 'NoError' });
  await station.close();
}

async function mistakes(): Promise<void> {
  const [ws = 0, wss = 0, status = 0, apiPort = 0] = ports;
  await api('GET', '/api/v1/stations', undefined, WRONG_KEY);
  await api('GET', `/gateway/stations/SECRETIVE`, undefined, WRONG_KEY);
  await api('PUT', '/api/v1/stations/SECRETIVE', { password: PASSWORD.repeat(10) });
  await api('PUT', '/api/v1/stations/SECRETIVE', { securityProfile: 9, password: PASSWORD });
  await api('PUT', '/api/v1/stations/SECRETIVE', { passwort: PASSWORD });
  await api('PUT', '/api/v1/stations/SECRETIVE', `{"password":"${PASSWORD}"`);
  await api('PUT', '/api/v1/stations/SECRETIVE', { password: [PASSWORD] });
  const basic = Buffer.from(`SECRETIVE:${PASSWORD}`).toString('base64');
  for (const port of [ws, wss, status, apiPort]) {
    await send(port, `GET /ws/X HTTP/1.1\r\nAuthorization: Bearer ${WRONG_KEY}\r\nContent-Length: x\r\n\r\n`);
    await send(port, `GET /ws/X HTTP/1.1\r\nAuthorization: Basic ${basic}\r\n: x\r\n\r\n`);
  }
  // Database connections break, and one process finds neither database nor broker.
  await services.rows(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1',
    ['evander'],
  );
  await eventually(async () => expect(await api('GET', '/api/v1/stations')).toMatchObject({ status: 200 }));
  const [lostPort = 0] = ports.slice(4);
  const database = new URL(services.databaseUrl);
  database.password = search.add('a wrong password of the database', 'wrong-database-password');
  for (const EVANDER_DATABASE_URL of [database.href, `${services.databaseUrl}?sslmode=verify-full`]) {
    const process = run(['manager'], {
      ...variables('manager'),
      EVANDER_API_PORT: lostPort,
      EVANDER_DATABASE_URL,
    });
    processes.push(process);
    await new Promise((resolve) => process.child.once('exit', resolve));
  }
  const EVANDER_MQTT_URL = `mqtts://evander:${encodeURIComponent(MQTT_PASSWORD)}@127.0.0.1:${lostPort}?cafile=/nowhere`;
  const process = run(['gateway'], { ...variables('gateway'), EVANDER_MQTT_URL });
  processes.push(process);
  await new Promise((resolve) => process.child.once('exit', resolve));
}

async function searchEverything(): Promise<void> {
  const [, , status, apiPort] = ports;
  for (const path of [
    'stations',
    'commands',
    'stations/SECRETIVE',
    'stations/SECRETIVE/messages?limit=500',
    'api-keys',
    'stations/SECRETIVE/configuration',
    'stations/SECRETIVE/jobs',
    'security-events',
  ])
    await api('GET', `/api/v1/${path}`);
  for (const url of [`${apiPort}/openapi.json`, `${apiPort}/docs`, `${apiPort}/metrics`, `${status}/metrics`])
    search.search(url, await (await fetch(`http://127.0.0.1:${url}`)).text());
  for (const process of processes.slice(0, 2)) await process.stop();
  for (const [i, process] of processes.entries()) search.search(`the log of process ${i}`, process.output());
  const tables = await services.rows(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  for (const { name } of tables)
    for (const { text } of await services.rows(`SELECT row_to_json(t)::text AS text FROM ${String(name)} t`))
      search.search(`table ${String(name)}`, String(text));
}

test('a whole session with many mistakes leaves no secret in logs, tables, answers or the OpenAPI document', async () => {
  const [, , status = 0, apiPort = 0] = ports;
  await start('manager', `http://127.0.0.1:${apiPort}/health/ready`);
  await start('gateway', `http://127.0.0.1:${status}/health/ready`);
  await session();
  await mistakes();
  await searchEverything();
  // Prove that the search works: traces of the session are present.
  for (const trace of [
    'ChangeConfiguration',
    '"value":"***"',
    'ftp://user:***@',
    '"data":"***"',
    'unreadable frame',
  ])
    expect({ trace, count: search.count(trace) }).not.toEqual({ trace, count: 0 });
  expect(search.findings()).toEqual([]);
}, 120_000);
