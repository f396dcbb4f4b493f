import { afterAll, beforeAll, expect, test } from '@jest/globals';
import Fastify from 'fastify';
import { ACTIONS } from '@evander/ocpp';
import { KeyRing, requireRoles } from '../../src/api/authentication.ts';
import { PNC_COMMANDS } from '../../src/messages/pnc/index.ts';
import * as apiKeys from '../../src/store/api-keys.ts';
import type { Role } from '../../src/store/api-keys.ts';
import { KEYS, openApi } from './harness.ts';
import type { TestApi } from './harness.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

// Every route of the API and the least role that may use it.
const ROUTES: [string, string, Role][] = [
  ...Object.entries(ACTIONS)
    .filter(([, { sender }]) => sender !== 'station')
    .map(([action]): [string, string, Role] => [
      'POST',
      `/stations/{stationId}/commands/${action}`,
      'operator',
    ]),
  ['GET', '/commands', 'viewer'],
  ['GET', '/commands/{commandId}', 'viewer'],
  ['GET', '/stations', 'viewer'],
  ['GET', '/stations/{stationId}', 'viewer'],
  ['PUT', '/stations/{stationId}', 'operator'],
  ['DELETE', '/stations/{stationId}', 'operator'],
  ['GET', '/stations/{stationId}/messages', 'viewer'],
  ['GET', '/stations/{stationId}/meter-values', 'viewer'],
  ['GET', '/stations/{stationId}/connectors/{connectorId}/statuses', 'viewer'],
  ['GET', '/stations/{stationId}/connectors/{connectorId}/composite-schedule', 'viewer'],
  ['GET', '/stations/{stationId}/charging-profiles', 'viewer'],
  ['GET', '/stations/{stationId}/configuration', 'viewer'],
  ['PUT', '/stations/{stationId}/configuration', 'operator'],
  ['GET', '/station-groups', 'viewer'],
  ['PUT', '/station-groups/{name}', 'operator'],
  ['GET', '/station-groups/{name}', 'viewer'],
  ['PUT', '/station-groups/{name}/configuration', 'operator'],
  ['GET', '/station-groups/{name}/configuration', 'viewer'],
  ['PUT', '/station-groups/{name}/local-list', 'operator'],
  ['GET', '/station-groups/{name}/local-list', 'viewer'],
  ['DELETE', '/station-groups/{name}/local-list', 'operator'],
  ['DELETE', '/station-groups/{name}', 'operator'],
  ['GET', '/stations/{stationId}/local-list', 'viewer'],
  ['PUT', '/stations/{stationId}/local-list', 'operator'],
  ['DELETE', '/stations/{stationId}/local-list', 'operator'],
  ['GET', '/stations/{stationId}/local-list/entries', 'viewer'],
  ['GET', '/tags', 'viewer'],
  ['GET', '/tags/{idTag}', 'viewer'],
  ['PUT', '/tags/{idTag}', 'operator'],
  ['DELETE', '/tags/{idTag}', 'operator'],
  ['GET', '/transactions', 'viewer'],
  ['GET', '/transactions/{transactionId}', 'viewer'],
  ['GET', '/transactions/{transactionId}/meter-values', 'viewer'],
  ['GET', '/unmatched-stops', 'viewer'],
  ['GET', '/stations/{stationId}/reservations', 'viewer'],
  ['GET', '/stations/{stationId}/jobs', 'viewer'],
  ['GET', '/jobs/{jobId}', 'viewer'],
  ['GET', '/stations/{stationId}/certificates', 'viewer'],
  ['GET', '/stations/{stationId}/certificate-requests', 'viewer'],
  ...Object.keys(PNC_COMMANDS).map((action): [string, string, Role] => [
    'POST',
    `/stations/{stationId}/pnc-commands/${action}`,
    'operator',
  ]),
  ['GET', '/stations/{stationId}/pnc-certificates', 'viewer'],
  ['GET', '/stations/{stationId}/pnc-certificate-requests', 'viewer'],
  ['GET', '/pnc-authorizations', 'viewer'],
  ['GET', '/pnc-roots', 'viewer'],
  ['PUT', '/pnc-roots', 'admin'],
  ['GET', '/pnc-roots/{fingerprint}', 'viewer'],
  ['DELETE', '/pnc-roots/{fingerprint}', 'admin'],
  ['GET', '/security-events', 'viewer'],
  ['GET', '/goals', 'viewer'],
  ['POST', '/stations/{stationId}/password-rotation', 'operator'],
  ['GET', '/stations/{stationId}/password-rotation', 'viewer'],
  ['DELETE', '/stations/{stationId}/password-rotation', 'operator'],
  ['PUT', '/stations/{stationId}/security-profile', 'operator'],
  ['GET', '/stations/{stationId}/security-profile', 'viewer'],
  ['DELETE', '/stations/{stationId}/security-profile', 'operator'],
  ['PUT', '/stations/{stationId}/root-certificates', 'operator'],
  ['GET', '/stations/{stationId}/root-certificates', 'viewer'],
  ['DELETE', '/stations/{stationId}/root-certificates', 'operator'],
  ['POST', '/stations/{stationId}/client-certificate', 'operator'],
  ['GET', '/stations/{stationId}/client-certificate', 'viewer'],
  ['DELETE', '/stations/{stationId}/client-certificate', 'operator'],
  ['GET', '/issued-certificates', 'viewer'],
  ['POST', '/issued-certificates', 'operator'],
  ['POST', '/issued-certificates/{serialNumber}/revocation', 'admin'],
  ['GET', '/trusted-roots', 'viewer'],
  ['POST', '/trusted-roots', 'admin'],
  ['DELETE', '/trusted-roots/{fingerprint}', 'admin'],
  ['GET', '/api-keys', 'admin'],
  ['POST', '/api-keys', 'admin'],
  ['DELETE', '/api-keys/{keyId}', 'admin'],
];
const RANK = { viewer: 1, operator: 2, admin: 3 };

test('the OpenAPI describes every route, and this list has them all', async () => {
  const { body } = await api.send('GET', '/openapi.json', undefined, null);
  const described = Object.entries(body.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const open = ['GET /health/live', 'GET /health/ready', 'GET /metrics'];
  expect(described.sort()).toEqual(
    [...ROUTES.map(([method, path]) => `${method} /api/v1${path}`), ...open].sort(),
  );
});

test('the server does not start with a route that says no role', async () => {
  const app = Fastify();
  requireRoles(app, new KeyRing(api.desk.database, () => new Date()), 'key');
  app.get('/said', { config: { role: 'viewer' } }, () => 'ok');
  app.get('/forgotten', () => 'ok');
  await expect(app.ready()).rejects.toThrow('/forgotten names no role');
});

test.each(ROUTES)('%s %s wants the role %s', async (method, template, least) => {
  const path = `/api/v1${template
    .replace(/\{(keyId|commandId)\}/, '00000000-0000-0000-0000-000000000000')
    .replace('{idTag}', 'T')
    .replace(/\{\w+\}/g, '1')}`;
  const body = method === 'PUT' || method === 'POST' ? {} : undefined;
  const nobody = await api.send(method, path, body, null);
  expect(nobody.status).toBe(401);
  expect(nobody.headers.get('www-authenticate')).toContain('Bearer');
  expect((await api.send(method, path, body, 'evk_wrong')).status).toBe(401);
  for (const role of ['viewer', 'operator', 'admin'] as const) {
    const { status, body: problem } = await api.send(method, path, body, KEYS[role]);
    if (RANK[role] < RANK[least]) {
      expect(status).toBe(403);
      expect(problem.detail).toContain(least);
    } else {
      expect([200, 201, 204, 400, 404]).toContain(status);
    }
  }
});

test('health, metrics and documentation need no key', async () => {
  for (const path of ['/health/live', '/health/ready', '/metrics', '/openapi.json', '/docs']) {
    expect((await api.send('GET', path, undefined, null)).status).toBe(200);
  }
  expect((await api.send('GET', '/', undefined, null)).headers.get('location')).toBe('/docs');
});

test('a key is shown once, works, and works no more when it is taken back', async () => {
  const made = await api.send('POST', '/api/v1/api-keys', { name: 'portal', role: 'viewer' });
  expect(made).toMatchObject({
    status: 201,
    body: { name: 'portal', role: 'viewer', key: expect.stringMatching(/^evk_.{43}$/) as unknown },
  });
  const list = await api.send('GET', '/api/v1/api-keys');
  expect(list.body.items).toHaveLength(4);
  expect(JSON.stringify(list.body)).not.toContain(made.body.key);
  expect((await api.send('DELETE', `/api/v1/api-keys/${made.body.keyId}`)).status).toBe(204);
  expect((await api.send('GET', '/api/v1/tags', undefined, made.body.key)).status).toBe(401);
  expect((await api.send('DELETE', `/api/v1/api-keys/${made.body.keyId}`)).status).toBe(404);
});

test('the last admin key stays', async () => {
  const { body } = await api.send('GET', '/api/v1/api-keys');
  const admin = body.items.find(({ role }) => role === 'admin');
  expect(await api.send('DELETE', `/api/v1/api-keys/${String(admin?.keyId)}`)).toMatchObject({ status: 409 });
});

test('of two admins that remove each other at a time, one stays', async () => {
  for (let round = 0; round < 5; round++) {
    await api.desk.rows("DELETE FROM api_keys WHERE role = 'admin'");
    const made = ['a', 'b'].map((name) => apiKeys.add(api.desk.database, { name, role: 'admin', key: name }));
    const ids = (await Promise.all(made)).map(({ keyId }) => keyId);
    const outcomes = await Promise.all(ids.map((keyId) => apiKeys.removeKey(api.desk.database, keyId)));
    expect(outcomes.sort()).toEqual(['last', 'removed']);
  }
});
