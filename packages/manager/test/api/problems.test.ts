import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { openApi } from './harness.ts';
import type { TestApi } from './harness.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

test.each([
  ['PUT', '/tags/T', '{"status":', 400, 'JSON'],
  ['PUT', '/tags/T', { status: 'Gold' }, 400, 'status'],
  ['PUT', '/tags/T', { colour: 'red' }, 400, 'additional'],
  ['PUT', '/tags/T', { expiryDate: 'soon' }, 400, 'expiryDate must be a time'],
  ['PUT', '/tags/T', { concurrentTransactionLimit: 0 }, 400, 'concurrentTransactionLimit'],
  ['PUT', '/tags/T', { note: 'a\u0000b' }, 400, 'range'],
  ['PUT', `/tags/${'x'.repeat(21)}`, {}, 400, 'idTag'],
  ['PUT', '/tags/T', [], 400, 'object'],
  ['PUT', '/tags/T', JSON.stringify({ note: 'x'.repeat(1_100_000) }), 413, 'large'],
  ['PUT', '/stations/S', { securityProfile: 4 }, 400, 'securityProfile'],
  ['PUT', '/stations/S', { securityProfile: 1 }, 400, 'password'],
  ['PUT', '/stations/S', { password: 'short' }, 400, 'password'],
  ['PUT', '/stations/a%00b', {}, 400, 'control'],
  ['GET', '/stations/nobody', undefined, 404, 'PUT /api/v1/stations/nobody'],
  ['GET', '/tags/nobody', undefined, 404, 'PUT /api/v1/tags/nobody'],
  ['GET', '/transactions/999', undefined, 404, 'transaction 999'],
  ['GET', '/transactions/abc', undefined, 400, 'transactionId'],
  ['GET', '/transactions/99999999999', undefined, 400, 'transactionId'],
  ['GET', '/tags?limit=0', undefined, 400, 'limit'],
  ['GET', '/tags?limit=501', undefined, 400, 'limit'],
  ['GET', '/tags?cursor=nonsense', undefined, 400, 'cursor'],
  ['GET', '/transactions?cursor=WyJ4Il0', undefined, 400, 'cursor'],
  ['GET', '/tags?colour=red', undefined, 400, 'additional'],
  ['GET', '/transactions?from=yesterday', undefined, 400, 'from must be a time'],
  ['POST', '/api-keys', { name: 'x', role: 'god' }, 400, 'role'],
  ['GET', '/nowhere', undefined, 404, '/docs'],
  ['PATCH', '/tags', {}, 404, 'PATCH /api/v1/tags'],
])('%s %s with a fault names it', async (...fault) => {
  const [method, path, body, status, words] = fault;
  const answer = await api.send(method, `/api/v1${path}`, body);
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body).toMatchObject({ type: 'about:blank', status });
  expect(answer.body.detail).toContain(words);
});

test('a fault of ours says nothing of our insides', async () => {
  const sick = await openApi();
  await sick.desk.rows('ALTER TABLE tags RENAME TO gone');
  const { status, body } = await sick.send('GET', '/api/v1/tags');
  expect(status).toBe(500);
  expect(JSON.stringify(body)).not.toMatch(/tags|relation|select/i);
  await sick.desk.rows('ALTER TABLE gone RENAME TO tags');
  await sick.close();
});

test('a database that is away is 503, and tells when to try again', async () => {
  const sick = await openApi();
  const [{ name } = {}] = await sick.desk.rows('SELECT current_database() AS name');
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
