import { afterAll, beforeAll, expect, test } from '@jest/globals';
import Fastify from 'fastify';
import * as apiKeys from '../../src/api-keys/api-keys.store.ts';
import { KeyRing, requireRoles } from '../../src/api-keys/authentication.ts';
import { FailedKeys } from '../../src/api-keys/failed-keys.ts';
import { openApi } from '../http/harness.ts';
import type { TestApi } from '../http/harness.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

test('the server does not start with a route that has no role', async () => {
  const app = Fastify();
  requireRoles(app, {
    keys: new KeyRing(api.manager.database, () => new Date()),
    gatewayKey: 'key',
    failures: new FailedKeys({ address: 1, key: 1 }, Date.now),
  });
  app.get('/said', { config: { role: 'viewer' } }, () => 'ok');
  app.get('/forgotten', () => 'ok');
  await expect(app.ready()).rejects.toThrow('/forgotten has no role');
});

test('a key is shown once, and works until it is revoked', async () => {
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

test('the last admin key cannot be revoked', async () => {
  const { body } = await api.send('GET', '/api/v1/api-keys');
  const admin = body.items.find(({ role }) => role === 'admin');
  expect(await api.send('DELETE', `/api/v1/api-keys/${String(admin?.keyId)}`)).toMatchObject({ status: 409 });
});

test('if two admins revoke each other concurrently, one key stays', async () => {
  for (let round = 0; round < 5; round++) {
    await api.manager.rows("DELETE FROM api_keys WHERE role = 'admin'");
    const made = ['a', 'b'].map((name) =>
      apiKeys.add(api.manager.database, { name, role: 'admin', key: name }),
    );
    const ids = (await Promise.all(made)).map(({ keyId }) => keyId);
    const outcomes = await Promise.all(ids.map((keyId) => apiKeys.removeKey(api.manager.database, keyId)));
    expect(outcomes.sort()).toEqual(['last', 'removed']);
  }
});

test('a key works until it expires, and no longer', async () => {
  const now = new Date();
  const expiresAt = new Date(now.getTime() + 1000).toISOString();
  api.manager.setNow(now);
  const made = await api.send('POST', '/api/v1/api-keys', { name: 'guest', role: 'viewer', expiresAt });
  expect(made).toMatchObject({ status: 201, body: { expiresAt } });
  expect((await api.send('GET', '/api/v1/tags', undefined, made.body.key)).status).toBe(200);
  // It is still cached, but not beyond its expiry.
  api.manager.setNow(new Date(now.getTime() + 1000));
  expect((await api.send('GET', '/api/v1/tags', undefined, made.body.key)).status).toBe(401);
  api.manager.setNow(undefined);
  expect((await api.send('GET', '/api/v1/api-keys')).body.items).toContainEqual(
    expect.objectContaining({ name: 'guest', expiresAt }),
  );
  const past = await api.send('POST', '/api/v1/api-keys', {
    name: 'late',
    role: 'viewer',
    expiresAt: '2020-01-01T00:00:00Z',
  });
  expect(past).toMatchObject({ status: 400, body: { field: 'expiresAt' } });
});

test('an admin key that expires does not count as the last one', async () => {
  await api.manager.rows("DELETE FROM api_keys WHERE role = 'admin'");
  const permanent = await apiKeys.add(api.manager.database, {
    name: 'permanent',
    role: 'admin',
    key: 'permanent',
  });
  const expiresAt = new Date(Date.now() + 60_000);
  const passing = await apiKeys.add(api.manager.database, { name: 'p', role: 'admin', key: 'p', expiresAt });
  expect(await apiKeys.removeKey(api.manager.database, permanent.keyId)).toBe('last');
  expect(await apiKeys.removeKey(api.manager.database, passing.keyId)).toBe('removed');
});
