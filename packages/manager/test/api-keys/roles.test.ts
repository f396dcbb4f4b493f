import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as apiKeys from '../../src/api-keys/api-keys.store.ts';
import type { RouteAccess } from '../../src/api-keys/authentication.ts';
import { GATEWAY_KEY, KEYS, openApi } from '../http/harness.ts';
import type { TestApi } from '../http/harness.ts';
import { bodyOf, isMeantToBeOpen, pathOf } from '../http/route-walk.ts';

const REVOKED = 'evk_revoked';
const EXPIRED = 'evk_expired';

/** Each caller, with its key and the roles whose routes accept it. */
const CALLERS: Record<string, { key: string | null; roles: string[] }> = {
  nobody: { key: null, roles: [] },
  'a wrong key': { key: 'evk_wrong', roles: [] },
  'a revoked key': { key: REVOKED, roles: [] },
  'an expired key': { key: EXPIRED, roles: [] },
  viewer: { key: KEYS.viewer, roles: ['viewer'] },
  operator: { key: KEYS.operator, roles: ['viewer', 'operator'] },
  admin: { key: KEYS.admin, roles: ['viewer', 'operator', 'admin'] },
  gateway: { key: GATEWAY_KEY, roles: ['gateway'] },
};
/** The GET routes that need more than the role viewer. */
const ADMINS_ONLY = ['/api/v1/api-keys', '/api/v1/webhooks'];

let api: TestApi;
let routes: RouteAccess[];
/** All routes, but only one of the methods that a path refuses: the same handler refuses them all. */
let tested: RouteAccess[];
beforeAll(async () => {
  api = await openApi();
  // fetch cannot send TRACE; contract.test.ts tests that it is refused.
  routes = api.routes.filter(({ method }) => method !== 'TRACE');
  const refusing = (route: RouteAccess): boolean => route.role === 'anyone' && !isMeantToBeOpen(route);
  tested = routes.filter(
    (route, i) => !refusing(route) || routes.findIndex((one) => one.url === route.url && refusing(one)) === i,
  );
  const { keyId } = await apiKeys.add(api.manager.database, { name: 'gone', role: 'admin', key: REVOKED });
  expect((await api.send('GET', '/api/v1/tags', undefined, REVOKED)).status).toBe(200);
  expect((await api.send('DELETE', `/api/v1/api-keys/${keyId}`)).status).toBe(204);
  const expiresAt = new Date(Date.now() - 1);
  await apiKeys.add(api.manager.database, { name: 'late', role: 'admin', key: EXPIRED, expiresAt });
});
afterAll(() => api.close());

test.each(Object.entries(CALLERS))(
  'every route accepts or refuses %s according to its role',
  async (name, caller) => {
    const wrong: string[] = [];
    for (const route of tested) {
      const { role = '' } = route;
      const { status, headers } = await api.send(route.method, pathOf(route), bodyOf(route), caller.key);
      const isKnown = caller.roles.includes('viewer');
      let expected: 'open' | 'allowed' | 'forbidden' | 'refused' = 'refused';
      if (role === 'anyone') expected = 'open';
      else if (caller.roles.includes(role)) expected = 'allowed';
      else if (isKnown && role !== 'gateway') expected = 'forbidden';
      const matches = {
        open: status < 500 && status !== 401 && status !== 403,
        allowed: status < 500 && ![401, 403, 405].includes(status),
        forbidden: status === 403,
        refused: status === 401 && headers.get('www-authenticate')?.startsWith('Bearer') === true,
      };
      if (!matches[expected]) wrong.push(`${name}: ${route.method} ${route.url} (${role}) gave ${status}`);
    }
    expect(wrong).toEqual([]);
  },
);

test('only intended routes are open; other routes without a role only refuse the method', async () => {
  const open = routes.filter(({ role }) => role === 'anyone').filter((route) => !isMeantToBeOpen(route));
  for (const route of open) {
    const { status } = await api.send(route.method, pathOf(route), bodyOf(route), null);
    expect({ ...route, status }).toEqual({ ...route, status: 405 });
  }
  for (const path of ['/health/live', '/health/ready', '/metrics', '/openapi.json', '/docs']) {
    expect((await api.send('GET', path, undefined, null)).status).toBe(200);
  }
  expect((await api.send('GET', '/', undefined, null)).headers.get('location')).toBe('/docs');
});

test('reading needs the role viewer, changing needs operator or admin', () => {
  const odd = routes
    .filter(({ url, role }) => url.startsWith('/api/v1/') && role !== 'anyone')
    .filter(({ method, url, role }) => {
      const reads = method === 'GET' || method === 'HEAD';
      if (ADMINS_ONLY.some((prefix) => url.startsWith(prefix))) return role !== 'admin';
      return reads ? role !== 'viewer' : role !== 'operator' && role !== 'admin';
    });
  expect(odd).toEqual([]);
  expect(routes.filter(({ url }) => url.startsWith('/api/v1/')).length).toBeGreaterThan(100);
});

test('the OpenAPI describes every route that is not hidden', async () => {
  const { body } = await api.send('GET', '/openapi.json', undefined, null);
  const described = Object.entries(body.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const shown = routes.filter(({ isHidden, method }) => !isHidden && method !== 'HEAD');
  expect(described.sort()).toEqual(
    shown.map(({ method, url }) => `${method} ${url.replace(/:(\w+)/g, '{$1}')}`).sort(),
  );
});
