import { createLog } from '@evander/process';
import { afterEach, expect, test } from '@jest/globals';
import * as apiKeys from '../../src/api-keys/api-keys.store.ts';
import { KeyRing } from '../../src/api-keys/authentication.ts';
import { FailedKeys } from '../../src/api-keys/failed-keys.ts';
import type { Db } from '../../src/database/database.ts';
import { GATEWAY_KEY, KEYS, openApi } from '../http/harness.ts';
import type { TestApi, TestApiOptions } from '../http/harness.ts';

const opened: TestApi[] = [];
afterEach(async () => {
  for (const api of opened.splice(0)) await api.close();
});

async function open(options: TestApiOptions): Promise<TestApi> {
  const api = await openApi(options);
  opened.push(api);
  return api;
}

function get(api: TestApi, key: string | null, forwardedFor?: string): Promise<Response> {
  return fetch(`${api.url}/api/v1/tags`, {
    headers: {
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(forwardedFor !== undefined && { 'x-forwarded-for': forwardedFor }),
    },
  });
}

async function statuses(requests: (() => Promise<Response>)[]): Promise<number[]> {
  const all: number[] = [];
  for (const request of requests) all.push((await request()).status);
  return all;
}

test('a client that guesses has to wait, without further lookups; existing keys and other routes are served meanwhile', async () => {
  const lines: string[] = [];
  const log = createLog('test', 'warn', { write: (line: string) => void lines.push(line) });
  const api = await open({ failureLimits: { address: 3, key: 100 }, log });
  const begin = new Date();
  api.manager.setNow(begin);
  expect((await get(api, KEYS.viewer)).status).toBe(200);
  const guesses = [1, 2, 3, 4].map((i) => () => get(api, `evk_${i}${'x'.repeat(20)}`));
  expect(await statuses(guesses)).toEqual([401, 401, 401, 429]);
  const refused = await get(api, 'evk_another');
  expect(refused.headers.get('retry-after')).toBe('60');
  expect(await refused.json()).toMatchObject({
    status: 429,
    detail: expect.stringContaining('60 s') as unknown,
  });
  expect((await get(api, KEYS.viewer)).status).toBe(200);
  // A key that exists is accepted, although it was never used here.
  expect((await get(api, KEYS.admin)).status).toBe(200);
  expect((await get(api, null)).status).toBe(401);
  expect((await fetch(`${api.url}/health/live`)).status).toBe(200);
  const gateway = { headers: { authorization: `Bearer ${GATEWAY_KEY}` } };
  expect((await fetch(`${api.url}/gateway/stations/CP1`, gateway)).status).toBe(200);
  expect(lines.filter((line) => line.includes('made to wait'))).toHaveLength(1);

  api.manager.setNow(new Date(begin.getTime() + 59_001));
  expect((await get(api, 'evk_another')).headers.get('retry-after')).toBe('1');
  api.manager.setNow(new Date(begin.getTime() + 60_000));
  expect((await get(api, KEYS.admin)).status).toBe(200);
  expect((await get(api, 'evk_another')).status).toBe(401);
});

test('an existing key never has to wait: neither at a shared address nor at a manager that has just started', async () => {
  const api = await open({ failureLimits: { address: 10, key: 10 } });
  const begin = new Date();
  api.manager.setNow(begin);
  for (let i = 0; i < 12; i++) await get(api, `evk_${'0'.repeat(20)}${i}`);
  expect((await get(api, 'evk_another')).status).toBe(429);
  // No key has been used at this manager yet; one of them has the prefix of the guessed keys.
  const alike = `evk_${'0'.repeat(40)}`;
  const expiring = { name: 'expiring', role: 'viewer', expiresAt: new Date(begin.getTime() + 1000) } as const;
  await apiKeys.add(api.manager.database, { name: 'alike', role: 'viewer', key: alike });
  await apiKeys.add(api.manager.database, { ...expiring, key: 'evk_expiring' });
  // Added by another manager, so this one may need up to two seconds to notice.
  api.manager.setNow(new Date(begin.getTime() + 2000));
  for (const key of [...Object.values(KEYS), alike]) expect((await get(api, key)).status).toBe(200);
  expect((await get(api, 'evk_expiring')).status).toBe(429);
  const { body } = await api.send('POST', '/api/v1/api-keys', { name: 'new', role: 'viewer' });
  expect((await get(api, body.key)).status).toBe(200);
  await api.send('DELETE', `/api/v1/api-keys/${body.keyId}`);
  expect((await get(api, body.key)).status).toBe(429);
});

test('guesses of clients that have to wait cost the database one query per two seconds', async () => {
  const { manager } = await open({});
  let queries = 0;
  const counted: Db = {
    query: (query) => {
      queries++;
      return manager.database.query(query);
    },
  };
  let nowMs = Date.now();
  const keys = new KeyRing(counted, () => new Date(nowMs));
  const guess = async (): Promise<void> => {
    const guesses = Array.from({ length: 1000 }, (_, i) => keys.exists(`evk_${i}`));
    expect(await Promise.all(guesses)).toEqual(Array(1000).fill(false));
    expect(await keys.exists(KEYS.viewer)).toBe(true);
  };
  await guess();
  await guess();
  expect(queries).toBe(1);
  nowMs += 2000;
  await guess();
  expect(queries).toBe(2);
});

test('requests without a key have to wait too, but do not lock out clients that have one', async () => {
  const api = await open({ failureLimits: { address: 2, key: 2 } });
  expect(await statuses([1, 2, 3].map(() => () => get(api, null)))).toEqual([401, 401, 429]);
  expect((await get(api, KEYS.operator)).status).toBe(200);
});

test('keys with the same prefix wait together, whatever address they come from', async () => {
  const api = await open({ failureLimits: { address: 100, key: 2 }, trustedProxies: ['127.0.0.0/8', '::1'] });
  const guess = (i: number) => () => get(api, `evk_12345678${i}`, `192.0.2.${i}`);
  expect(await statuses([guess(1), guess(2), guess(3)])).toEqual([401, 401, 429]);
  expect((await get(api, 'evk_87654321', '192.0.2.4')).status).toBe(401);
});

test('a revoked key counts as a guess', async () => {
  const api = await open({ failureLimits: { address: 100, key: 1 } });
  const { body } = await api.send('POST', '/api/v1/api-keys', { name: 'x', role: 'viewer' });
  expect((await get(api, body.key)).status).toBe(200);
  await api.send('DELETE', `/api/v1/api-keys/${body.keyId}`);
  expect(await statuses([1, 2].map(() => () => get(api, body.key)))).toEqual([401, 429]);
});

test('X-Forwarded-For is used from trusted proxies only, and only if it is an address', async () => {
  const direct = await open({ failureLimits: { address: 1, key: 100 } });
  expect(
    await statuses([() => get(direct, 'evk_a', '192.0.2.1'), () => get(direct, 'evk_b', '192.0.2.2')]),
  ).toEqual([401, 429]);
  const proxied = await open({
    failureLimits: { address: 1, key: 100 },
    trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'],
  });
  expect(
    await statuses([
      () => get(proxied, 'evk_a', '192.0.2.1'),
      () => get(proxied, 'evk_b', '192.0.2.2'),
      // The client wrote the first entry, the proxies the others.
      () => get(proxied, 'evk_c', '198.51.100.7, 192.0.2.2, 10.1.2.3'),
      () => get(proxied, 'evk_d', 'x'.repeat(1000)),
      () => get(proxied, 'evk_e', 'y'.repeat(1000)),
    ]),
  ).toEqual([401, 401, 429, 401, 429]);
});

test('an IPv6 network is one client, and both forms of an IPv4 address are the same client', () => {
  const failed = new FailedKeys({ address: 1, key: 100 }, () => 0);
  failed.add('2001:db8:1:2:3:4:5:6', 'a');
  expect(failed.secondsToWait('2001:db8:1:2::9', 'b')).toBe(60);
  expect(failed.secondsToWait('2001:0DB8:0001:0002::', 'b')).toBe(60);
  expect(failed.secondsToWait('2001:db8:1:3::9', 'b')).toBe(0);
  failed.add('::1', 'c');
  expect(failed.secondsToWait('0:0:0:0:0:0:0:1', 'd')).toBe(60);
  failed.add('::ffff:192.0.2.1', 'e');
  expect(failed.secondsToWait('192.0.2.1', 'f')).toBe(60);
  expect(failed.secondsToWait('192.0.2.2', 'f')).toBe(0);
});

test('memory stays bounded for any number of addresses and keys, and the latest are remembered', () => {
  const failed = new FailedKeys({ address: 1, key: 1 }, () => 0);
  for (let i = 0; i < 200_000; i++)
    failed.add(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, `evk_${i}-${'x'.repeat(1000)}`);
  expect(failed.size).toBeLessThanOrEqual(20_000);
  expect(failed.secondsToWait('10.3.13.63', 'evk_another')).toBe(60);
});
