import { silentLog } from '@evander/process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { errorCodes } from 'fastify';
import type { FastifyError } from 'fastify';
import { once } from 'node:events';
import { connect } from 'node:net';
import pg from 'pg';
import { COMMAND_ACTIONS } from '../../src/commands/commands.routes.ts';
import { problemOf } from '../../src/http/problem.ts';
import { KEYS, openApi } from './harness.ts';
import type { Answer, TestApi } from './harness.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

function cursorOf(key: unknown[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

test.each([
  ['PUT', '/tags/T', '{"status":', 400, 'JSON'],
  ['PUT', '/tags/T', { status: 'Gold' }, 400, 'status'],
  ['PUT', '/tags/T', { colour: 'red' }, 400, 'body: colour is not known; known are status, parentIdTag'],
  ['PUT', '/tags/T', { concurrentTransactionLimit: '5' }, 400, 'must be integer'],
  ['PUT', '/tags/T', 'null', 400, 'object'],
  ['PUT', '/tags/T', { expiryDate: 'soon' }, 400, 'expiryDate must be an RFC 3339 time'],
  ['PUT', '/tags/T', { concurrentTransactionLimit: 0 }, 400, 'concurrentTransactionLimit'],
  ['PUT', '/tags/T', { note: 'a\u0000b' }, 400, 'note must not contain the character U+0000'],
  ['PUT', '/tags/T', '{"note":"a\\ud800b"}', 400, 'note must not contain a lone surrogate'],
  ['PUT', `/tags/${'x'.repeat(21)}`, {}, 400, 'idTag'],
  ['PUT', '/tags/T', [], 400, 'object'],
  ['PUT', '/tags/T', JSON.stringify({ note: 'x'.repeat(1_100_000) }), 413, 'large'],
  ['PUT', '/tags/T', `{"note":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, 400, 'nested'],
  ['PUT', '/stations/S', { securityProfile: 4 }, 400, 'securityProfile'],
  ['PUT', '/stations/S', { securityProfile: 1 }, 400, 'password'],
  ['PUT', '/stations/S', { password: 'short' }, 400, 'password'],
  ['PUT', '/stations/a%00b', {}, 400, 'stationId must not contain'],
  ['PUT', '/stations/a%0Ab', {}, 400, 'control'],
  ['PUT', `/stations/${'x'.repeat(256)}`, {}, 400, 'stationId'],
  ['PUT', '/stations/%zz', {}, 400, '%zz'],
  ['PUT', '/stations/S', { password: 12345678 }, 400, 'password'],
  ['PUT', '/stations/S', { password: 'x'.repeat(41) }, 400, 'password'],
  ['GET', '/stations/nobody', undefined, 404, 'PUT /api/v1/stations/nobody'],
  ['GET', '/tags/nobody', undefined, 404, 'PUT /api/v1/tags/nobody'],
  ['GET', '/transactions/999', undefined, 404, 'transaction 999'],
  ['GET', '/transactions/abc', undefined, 400, 'transactionId'],
  ['GET', '/transactions/99999999999', undefined, 400, 'transactionId'],
  ['GET', '/tags?limit=0', undefined, 400, 'limit'],
  ['GET', '/tags?limit=501', undefined, 400, 'limit'],
  ['GET', '/tags?cursor=nonsense', undefined, 400, 'cursor'],
  ['GET', '/transactions?cursor=WyJ4Il0', undefined, 400, 'cursor'],
  ['GET', '/tags?colour=red', undefined, 400, 'query: colour is not known; known are limit, cursor'],
  ['GET', '/transactions?from=yesterday', undefined, 400, 'from must be an RFC 3339 time'],
  ['POST', '/api-keys', { name: 'x', role: 'god' }, 400, 'role'],
  ['GET', '/nowhere', undefined, 404, '/docs'],
  ['GET', '/stations?connected=maybe', undefined, 400, 'connected must be boolean'],
  ['GET', '/stations?prefix=a%00', undefined, 400, 'prefix'],
  ['GET', `/stations?cursor=${cursorOf(['a\u0000'])}`, undefined, 400, 'cursor'],
  ['GET', `/transactions?cursor=${cursorOf([1e14])}`, undefined, 400, 'range'],
  ['GET', `/stations/CP1/messages?cursor=${cursorOf(['x', 'in', 2, ''])}`, undefined, 400, 'cursor'],
  ['GET', '/tags?limit=5&limit=6', undefined, 400, 'limit'],
  ['PATCH', '/tags', '{"', 405, 'GET'],
] satisfies [string, string, unknown, number, string][])(
  'an invalid %s %s gets a problem that names the error',
  async (...fault) => {
    const [method, path, body, status, expected] = fault;
    const answer = await api.send(method, `/api/v1${path}`, body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ type: 'about:blank', status });
    expect(answer.body.detail).toContain(expected);
  },
);

/** Requests that the server rejects before they reach a route, as sent. */
const RAW: [string, number, string][] = [
  ['PUT /api/v1/tags/T HTTP/1.1|content-type: application/json|content-length: 0||', 400, 'omit the header'],
  ['PUT /api/v1/tags/T HTTP/1.1|content-type: application/json|content-length: 1||{', 400, 'not valid JSON'],
  [
    'PUT /api/v1/tags/T HTTP/1.1|content-type: application/json|content-length: 23||{"__proto__":{"a":"b"}}',
    400,
    'JSON',
  ],
  [
    'PUT /api/v1/tags/T HTTP/1.1|content-type: application/json; charset=utf-16|content-length: 2||{}',
    201,
    '',
  ],
  ['PUT /api/v1/tags/T HTTP/1.1|content-type: text/plain|content-length: 2||{}', 415, 'application/json'],
  ['PUT /api/v1/tags/T HTTP/1.1|content-type: ;;;|content-length: 2||{}', 415, 'application/json'],
  ['PUT /api/v1/tags/T HTTP/1.1|content-length: 2||{}', 415, 'application/json'],
  ['PUT /api/v1/tags/T HTTP/1.1|content-type: application/json|content-length: 9999999||{', 413, '1 MiB'],
  ['PUT /api/v1/tags/T HTTP/1.1|content-length: x||{}', 400, 'HTTP/1.1'],
  ['GET /api/v1/tags/%zz HTTP/1.1||', 400, 'percent-encoding'],
  [`GET /api/v1/tags/${'x'.repeat(4000)} HTTP/1.1||`, 414, 'too long'],
  [`GET /api/v1/tags?${'x'.repeat(17_000)} HTTP/1.1||`, 431, '16 KiB'],
  ['BREW /api/v1/tags HTTP/1.1||', 400, 'HTTP/1.1'],
  ['GET nonsense HTTP/1.1||', 400, ''],
];

test.each(RAW)("%.60s gets Evander's own message", async (text, status, expected) => {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  const [start = '', ...rest] = text.split('|');
  const own = ['host: evander', `authorization: Bearer ${KEYS.admin}`, 'connection: close'];
  socket.write([start, ...own, ...rest].join('\r\n'));
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  expect(answer.split(' ')[1]).toBe(String(status));
  expect(answer).not.toMatch(/FST_|fastify|Body is not valid|Body cannot be empty|url component|max param/i);
  if (status < 300) return;
  expect(answer).toContain('content-type: application/problem+json');
  const { detail } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))) as Answer['body'];
  expect(detail).toContain(expected);
});

test('no error message of Fastify that a request can cause reaches the client', () => {
  const errors = Object.values(errorCodes).map(
    (Code) => new (Code as new (...args: unknown[]) => FastifyError)('a', 'b'),
  );
  const refusals = errors.filter(({ statusCode = 500 }) => statusCode >= 400 && statusCode < 500);
  expect(refusals.length).toBeGreaterThan(5);
  for (const error of refusals) expect(problemOf(error, silentLog()).message).not.toBe(error.message);
});

test('an unknown command gets a list of the known ones', async () => {
  const unknown = await api.send('POST', '/api/v1/stations/CP1/commands/Restart', {});
  expect([unknown.status, unknown.body]).toEqual([
    404,
    expect.objectContaining({
      detail: `Restart is not a command; the commands are: ${COMMAND_ACTIONS.join(', ')}`,
      field: 'action',
    }),
  ]);
  expect(COMMAND_ACTIONS).toHaveLength(26);
  const misspelt = await api.send('POST', '/api/v1/stations/CP1/commands/remotestarttransaction', {});
  expect(misspelt.body.detail).toContain('did you mean RemoteStartTransaction?');
  expect((await api.send('POST', '/api/v1/stations/CP1/commands/Restart', {}, KEYS.viewer)).status).toBe(403);
});

test('a stopping manager rejects new requests with a problem document', async () => {
  const stopping = await openApi();
  const { hostname, port } = new URL(stopping.url);
  const socket = connect(Number(port), hostname);
  const head = `\r\nhost: evander\r\nauthorization: Bearer ${KEYS.admin}\r\n`;
  const body = '{"type":"Soft"}';
  socket.write(
    `POST /api/v1/stations/CP1/commands/Reset?ttlSeconds=60&waitSeconds=5 HTTP/1.1${head}` +
      `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  let answer = '';
  socket.on('data', (chunk) => (answer += String(chunk)));
  const ended = once(socket, 'close');
  while (stopping.manager.sent().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const [reset] = stopping.manager.sent();
  const closed = stopping.close();
  // It is stopping once it accepts no new connections.
  while (await fetch(stopping.url).catch(() => undefined))
    await new Promise((resolve) => setTimeout(resolve, 5));
  socket.write(`GET /api/v1/tags HTTP/1.1${head}\r\n`);
  await new Promise((resolve) => setTimeout(resolve, 50));
  if (reset) await stopping.manager.answer(reset, { status: 'Accepted' });
  await Promise.all([closed, ended]);
  expect(answer).toMatch(/HTTP\/1.1 503[^]*application\/problem\+json[^]*this manager is stopping/);
});

test('a problem names the invalid field', async () => {
  const { body } = await api.send('PUT', '/api/v1/tags/T', { status: 'Gold' });
  expect(body).toEqual({
    type: 'about:blank',
    title: 'Bad Request',
    status: 400,
    detail: 'body: status must be one of Accepted, Blocked',
    field: 'status',
  });
});

test('an unsupported method gets a list of the supported ones', async () => {
  const { status, headers } = await api.send('POST', '/api/v1/stations/CP1', {});
  expect(status).toBe(405);
  expect(headers.get('allow')?.split(', ').sort()).toEqual(['DELETE', 'GET', 'HEAD', 'PUT']);
});

test.each(['text/plain', 'application/x-www-form-urlencoded'])('a body of %s is rejected', async (type) => {
  const response = await fetch(`${api.url}/api/v1/tags/T`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${KEYS.admin}`, 'content-type': type },
    body: '{}',
  });
  expect(response.status).toBe(415);
  expect(await response.json()).toMatchObject({
    detail: expect.stringContaining('application/json') as unknown,
  });
});

test('rejected requests store nothing', async () => {
  expect((await api.send('PUT', '/api/v1/stations/HALF', { securityProfile: 2 })).status).toBe(400);
  expect((await api.send('GET', '/api/v1/stations/HALF')).status).toBe(404);
});

test('an internal error reveals no internals', async () => {
  const sick = await openApi();
  await sick.manager.rows('ALTER TABLE tags RENAME TO gone');
  const { status, body } = await sick.send('GET', '/api/v1/tags');
  expect(status).toBe(500);
  expect(JSON.stringify(body)).not.toMatch(/tags|relation|select/i);
  await sick.manager.rows('ALTER TABLE gone RENAME TO tags');
  await sick.close();
});

test('while the database is unavailable, requests get 503 with Retry-After', async () => {
  const sick = await openApi();
  const [{ name } = {}] = await sick.manager.rows('SELECT current_database() AS name');
  const maintenance = new pg.Client({ connectionString: process.env.EVANDER_TEST_DATABASE_URL });
  await maintenance.connect();
  await maintenance.query(`ALTER DATABASE ${String(name)} ALLOW_CONNECTIONS false`);
  await maintenance.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
    name,
  ]);
  const { status, headers } = await sick.send('GET', '/api/v1/tags');
  expect(status).toBe(503);
  expect(headers.get('retry-after')).toBe('5');
  expect((await sick.send('GET', '/health/ready', undefined, null)).status).toBe(503);
  await maintenance.query(`ALTER DATABASE ${String(name)} ALLOW_CONNECTIONS true`);
  await maintenance.end();
  expect((await sick.send('GET', '/api/v1/tags')).status).toBe(200);
  await sick.close();
});
