import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { DatabaseProxy } from '../../../../test/database-proxy.ts';
import * as idempotencyKeys from '../../src/http/idempotency-keys.store.ts';
import { KEYS, openApi } from './harness.ts';
import type { Answer, TestApi } from './harness.ts';

let api: TestApi;
let proxy: DatabaseProxy;
beforeAll(async () => {
  api = await openApi({
    databaseVia: async (url) => {
      proxy = await DatabaseProxy.open(url);
      return proxy.url;
    },
  });
});
afterAll(async () => {
  await api.close();
  await proxy.close();
});

type Posted = Pick<Answer, 'status' | 'headers' | 'body'>;

async function post(path: string, body: unknown, key: string, as = KEYS.admin): Promise<Posted> {
  const { status, headers, ...response } = await request('POST', path, { key, as, body });
  return { status, headers, body: JSON.parse(response.text) as Posted['body'] };
}

async function request(
  method: string,
  path: string,
  { key, as = KEYS.admin, body }: { key: string; as?: string; body?: unknown },
): Promise<{ status: number; headers: Headers; text: string }> {
  const response = await fetch(`${api.url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${as}`,
      'idempotency-key': key,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const CLEAR = '/stations/CP1/commands/ClearCache?waitSeconds=0';

async function commandIds(): Promise<unknown[]> {
  const rows = await api.manager.rows('SELECT command_id FROM commands ORDER BY sequence');
  return rows.map((row) => row.command_id);
}

test('a repeat gets the first response and has no effect', async () => {
  const key = randomUUID();
  const first = await post(CLEAR, {}, key);
  expect(first.status).toBe(202);
  expect(first.headers.get('idempotent-replayed')).toBeNull();
  const before = await commandIds();
  for (const shown of [key, `"${key}"`]) {
    const again = await post(CLEAR, {}, shown);
    expect(again.status).toBe(202);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'));
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  }
  expect(await commandIds()).toEqual(before);
  expect((await post(CLEAR, {}, randomUUID())).body.commandId).not.toBe(first.body.commandId);
});

test.each([
  ['another body', '/api-keys', { name: 'other', role: 'viewer' }],
  ['another path', CLEAR, {}],
  ['another query', '/stations/CP1/commands/ClearCache?waitSeconds=1', {}],
])('a key that was used with %s is rejected', async (_name, path, body) => {
  const key = randomUUID();
  const [used, usedBody] = path.includes('waitSeconds=1')
    ? [CLEAR, {}]
    : ['/api-keys', { name: 'one', role: 'viewer' }];
  expect((await post(used, usedBody, key)).status).toBeLessThan(300);
  const before = (await commandIds()).length;
  const { status, body: problem } = await post(path, body, key);
  expect(status).toBe(422);
  expect(problem.detail).toContain('Idempotency-Key');
  expect(await commandIds()).toHaveLength(before);
});

test('a repeated upload creates one file', async () => {
  const key = randomUUID();
  const upload = async () => {
    const response = await fetch(`${api.url}/api/v1/files?name=firmware.bin`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${KEYS.admin}`,
        'idempotency-key': key,
        'content-type': 'application/octet-stream',
      },
      body: 'firmware of some length',
    });
    return { status: response.status, text: await response.text() };
  };
  const first = await upload();
  expect(first.status).toBe(201);
  expect(await upload()).toEqual(first);
  expect(await api.manager.rows('SELECT FROM files')).toHaveLength(1);
});

test('a new API key is shown again to its creator, and is sealed meanwhile', async () => {
  const key = randomUUID();
  const request = { name: 'made once', role: 'operator' };
  const first = await post('/api-keys', request, key);
  const again = await post('/api-keys', request, key);
  expect(again.body).toEqual(first.body);
  expect(first.body.key).toMatch(/^evk_/);
  const kept = await api.manager.rows(
    "SELECT encode(sealed_answer, 'escape') AS text, encode(sealed_answer, 'hex') AS hex FROM idempotency_keys WHERE key = $1",
    [key],
  );
  expect(kept).toHaveLength(1);
  expect(JSON.stringify(kept)).not.toContain(first.body.key);
  expect(JSON.stringify(kept)).not.toContain(Buffer.from(first.body.key).toString('hex'));
  expect(await api.manager.rows("SELECT FROM api_keys WHERE name = 'made once'")).toHaveLength(1);
});

test('clients do not share idempotency keys', async () => {
  const key = randomUUID();
  const first = await post(CLEAR, {}, key, KEYS.admin);
  const other = await post(CLEAR, {}, key, KEYS.operator);
  expect(other.status).toBe(202);
  expect(other.body.commandId).not.toBe(first.body.commandId);
});

test('one of several concurrent requests is handled; the others get 409 or its response', async () => {
  const key = randomUUID();
  const before = (await commandIds()).length;
  const answers = await Promise.all(Array.from({ length: 10 }, () => post(CLEAR, {}, key)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(
    new Set(answers.some(({ status }) => status === 409) ? [202, 409] : [202]),
  );
  const ids = answers.filter(({ status }) => status === 202).map(({ body }) => body.commandId);
  expect(new Set(ids).size).toBe(1);
  expect((await commandIds()).length).toBe(before + 1);
});

test('while the first request waits for its outcome, a repeat gets 409', async () => {
  const key = randomUUID();
  await api.manager.rows('TRUNCATE commands');
  const before = api.manager.sent().length;
  const path = '/stations/CP1/commands/ClearCache?waitSeconds=60';
  const waiting = post(path, {}, key);
  while (api.manager.sent().length === before) await new Promise((resolve) => setImmediate(resolve));
  const repeat = await post(path, {}, key);
  expect(repeat.status).toBe(409);
  expect(repeat.headers.get('retry-after')).not.toBeNull();
  const call = api.manager.sent().at(-1);
  if (call) await api.manager.answer(call, { status: 'Accepted' });
  const first = await waiting;
  expect(first.status).toBe(200);
  expect((await post(path, {}, key)).body).toEqual(first.body);
});

test.each([
  ['after it had recorded the command', 1],
  ['before it had recorded it', 0],
])('if the manager died %s, a repeat is answered within seconds', async (_name, recorded) => {
  const key = randomUUID();
  const before = (await commandIds()).length;
  const first = await post(CLEAR, {}, key);
  // The state that a manager leaves when it is killed before it responds.
  await api.manager.rows('UPDATE idempotency_keys SET status = NULL, sealed_answer = NULL WHERE key = $1', [
    key,
  ]);
  if (recorded === 0)
    await api.manager.rows('DELETE FROM commands WHERE command_id = $1', [first.body.commandId]);
  expect((await post(CLEAR, {}, key)).status).toBe(409);
  await api.manager.rows(
    "UPDATE idempotency_keys SET created_at = created_at - interval '3 s' WHERE key = $1",
    [key],
  );
  const repeats = await Promise.all(Array.from({ length: 10 }, () => post(CLEAR, {}, key)));
  const answered = repeats.filter(({ status }) => status === 202);
  expect(new Set(answered.map(({ body }) => body.commandId))).toEqual(new Set([first.body.commandId]));
  expect((await commandIds()).length).toBe(before + 1);
});

test('only one of several concurrent repeats records the command', async () => {
  const commandId = randomUUID();
  const call = { stationId: 'CP1', action: 'ClearCache' as const, request: {}, commandId };
  const ids = await Promise.all(Array.from({ length: 5 }, () => api.manager.callMaker.request(call)));
  expect(new Set(ids)).toEqual(new Set([commandId]));
  expect((await commandIds()).filter((id) => id === commandId)).toHaveLength(1);
});

test('a rejected request may be sent again with its key', async () => {
  const key = randomUUID();
  await api.manager.rows("UPDATE connections SET disconnected_at = now() WHERE station_id = 'CP1'");
  expect((await post(CLEAR, {}, key)).status).toBe(409);
  await api.manager.rows("UPDATE connections SET disconnected_at = NULL WHERE station_id = 'CP1'");
  expect((await post(CLEAR, {}, key)).status).toBe(202);
});

test.each(['', 'é', 'a,b', '"a', 'x'.repeat(256), 'a\\b'])('%j is not a valid key', async (key) => {
  const { status, body } = await post(CLEAR, {}, key);
  expect(status).toBe(400);
  expect(body.detail).toContain('Idempotency-Key');
});

test('GET and PUT ignore the key', async () => {
  expect((await request('GET', '/stations', { key: 'a,b' })).status).toBe(200);
  const body = { status: 'Accepted' };
  expect((await request('PUT', '/tags/T1', { key: 'a,b', body })).status).toBeLessThan(300);
});

test('a key is valid for a day; if its manager died, it is free earlier for the same request', async () => {
  const [row] = await api.manager.rows("SELECT key_id FROM api_keys WHERE name = 'admin'");
  const keyed = (fingerprint: string) => ({
    apiKeyId: String(row?.key_id),
    key: 'aged',
    fingerprint: Buffer.from(fingerprint),
    sendsCommand: false,
  });
  const at = (minutes: number): Date => new Date(Date.now() + minutes * 60_000);
  const { database } = api.manager;
  const claim = (fingerprint: string, minutes: number) =>
    idempotencyKeys.claim(database, keyed(fingerprint), at(minutes));
  expect(await claim('a', 0)).toEqual({ state: 'claimed' });
  expect(await claim('a', 5)).toEqual({ state: 'running' });
  expect(await claim('b', 7)).toEqual({ state: 'otherRequest' });
  expect(await claim('a', 7)).toEqual({ state: 'claimed' });
  await idempotencyKeys.storeAnswer(database, keyed('a'), { status: 201, sealedAnswer: Buffer.from('x') });
  expect(await claim('a', 7 + 1439)).toMatchObject({ state: 'answered', status: 201 });
  expect(await claim('b', 7 + 1439)).toEqual({ state: 'otherRequest' });
  expect(await claim('b', 7 + 1441)).toEqual({ state: 'claimed' });
  await idempotencyKeys.forgetOld(database, at(7 + 2 * 1441));
  expect(await api.manager.rows('SELECT FROM idempotency_keys')).toEqual([]);
});

test('the database fails right after the commit: the command is accepted, not rejected', async () => {
  await api.manager.rows('TRUNCATE commands');
  proxy.failAtCommit({ isTold: true });
  const { status, body } = await api.send('POST', `/api/v1${CLEAR}`, {});
  proxy.pass();
  expect([status, body.status]).toEqual([202, 'queued']);
  expect(await commandIds()).toEqual([body.commandId]);
});

test('the database fails before it confirms the commit: the repeat finds the command', async () => {
  await api.manager.rows('TRUNCATE commands');
  const key = randomUUID();
  proxy.failAtCommit({ isTold: false });
  const first = await post(CLEAR, {}, key);
  proxy.pass();
  expect(first.status).toBe(503);
  const [commandId] = await commandIds();
  // The key may not have been released while the database was unavailable: until then its request counts as in progress.
  await api.manager.rows("UPDATE idempotency_keys SET created_at = created_at - interval '10 minutes'");
  const again = await post(CLEAR, {}, key);
  expect(again.status).toBe(202);
  expect(again.body.commandId).toBe(commandId);
  expect(await commandIds()).toEqual([commandId]);
});

test('every POST in the description accepts the header', async () => {
  const { body } = await api.send('GET', '/openapi.json');
  const operations = Object.entries(body.paths).filter(([, methods]) => 'post' in methods);
  expect(operations.length).toBeGreaterThan(20);
  for (const [, methods] of operations) {
    const { parameters, responses } = methods.post as unknown as {
      parameters: { name: string; in: string }[];
      responses: object;
    };
    expect(parameters).toContainEqual(expect.objectContaining({ name: 'idempotency-key', in: 'header' }));
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['409', '422']));
  }
});
