// Long: thousands of random requests.
import { createLog } from '@evander/process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { request } from 'node:http';
import type { RouteAccess } from '../../src/api-keys/authentication.ts';
import type { Document } from '../openapi/schema-check.ts';
import { GATEWAY_KEY, KEYS, openApi } from './harness.ts';
import type { TestApi } from './harness.ts';
import { pathOf } from './route-walk.ts';

const SEED = Number(process.env.EVANDER_TEST_SEED ?? Date.now() % 2 ** 31);
/** Requests per route that has a handler. */
const RUNS_EACH = Number(process.env.EVANDER_TEST_FUZZ_RUNS ?? 50);
const LIMIT_MS = 40_000;

const errors: string[] = [];
let api: TestApi;
beforeAll(async () => {
  const log = createLog('test', 'error', { write: (line) => void errors.push(line) });
  api = await openApi({ log });
});
afterAll(() => api.close());

/** One request as it is sent. */
interface Attempt {
  route: RouteAccess;
  path: string;
  headers: Record<string, string>;
  body: Buffer | undefined;
}

const ODD_TEXTS = [
  '',
  ' ',
  '.',
  '..',
  '../../etc/passwd',
  '\0',
  'a\0b',
  '\u0001',
  '\ud800',
  '\udfff\ud800',
  '\ufeff',
  '\u202e',
  '\u{1f50c}',
  'e\u0301',
  '\u00a0',
  '%00',
  '%',
  "'; DROP TABLE tags; --",
  '$1',
  '${1}',
  '{{1}}',
  '__proto__',
  'constructor',
  'null',
  'NaN',
  '-1',
  '0',
  '1e400',
  '9007199254740993',
  '99999999999999999999',
  '2147483648',
  '2026-02-30T25:61:61Z',
  '0000-00-00T00:00:00Z',
  '275761-01-01T00:00:00Z',
  '-000001-01-01T00:00:00Z',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999999Z',
  '2026-01-01T00:00:00+99:99',
  'x'.repeat(300),
  '\u{10ffff}'.repeat(200),
  '00000000-0000-0000-0000-000000000000',
];
const oddText = fc.oneof(fc.constantFrom(...ODD_TEXTS), fc.string({ unit: 'binary', maxLength: 40 }));
const oddValue = fc.oneof(
  { weight: 3, arbitrary: oddText },
  { weight: 1, arbitrary: fc.anything({ withNullPrototype: false, maxDepth: 3 }).filter(isJson) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(null, true, 0, -0, 1.5, 1e308, -1, 2 ** 53, [], {}, [[]], [null]),
  },
);
const CONTENT_TYPES = [
  'application/json',
  'application/json; charset=utf-16',
  'application/json;;',
  'text/plain',
  'application/xml',
  'application/ocsp-request',
  'multipart/form-data',
  'application/x-www-form-urlencoded',
  'application/vnd.api+json',
  'x',
  '',
  '\u00ff/\u00ff',
];
const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'];

function isJson(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined;
  } catch {
    return false;
  }
}

/** Lone surrogates cannot be encoded in UTF-8: replaced by something equally unusual. */
function encoded(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}

/** A path of the route with unusual ids, some with invalid percent-encoding. */
function pathArbitrary({ url }: RouteAccess): fc.Arbitrary<string> {
  const segment = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('CP1', '1', '00000000-0000-0000-0000-000000000000') },
    { weight: 4, arbitrary: oddText.map(encoded) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '%',
        '%25zz',
        '%zz',
        '%c0%af',
        '%ff',
        '%ed%a0%80',
        ';a=b',
        '+',
        '~',
        '%2f',
        '%5c',
      ),
    },
  );
  const places = url.match(/:\w+|\*/g)?.length ?? 0;
  return fc.array(segment, { minLength: places, maxLength: places }).map((values) => {
    let at = 0;
    return url.replace(/:\w+|\*/g, () => values[at++] ?? '');
  });
}

/** A query with parameters of the route and others. */
function queryArbitrary(names: string[]): fc.Arbitrary<string> {
  const cursor = fc
    .array(oddValue, { maxLength: 4 })
    .map((key) => Buffer.from(JSON.stringify(key)).toString('base64url'));
  const value = fc.oneof(oddText.map(encoded), cursor, fc.constantFrom('1', 'true', '%zz', '%00', '%ff'));
  const name = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('limit', 'cursor', 'from', 'to', ...names) },
    { weight: 1, arbitrary: fc.constantFrom('__proto__', 'a[b]', 'constructor', '', '%') },
  );
  return fc
    .array(fc.tuple(name, value), { maxLength: 4 })
    .map((pairs) => pairs.map(([key, one]) => `${key}=${one}`).join('&'));
}

/** A body with properties of the route, mutated, or an unparsable one. */
function bodyArbitrary(names: string[]): fc.Arbitrary<Buffer | undefined> {
  const keys = fc.constantFrom(
    ...(names.length > 0 ? names : ['x']),
    '__proto__',
    'constructor',
    'toString',
    'a\0',
  );
  const object = fc.array(fc.tuple(keys, oddValue), { maxLength: 6 }).map((pairs) => textOf(pairs));
  const broken = fc.constantFrom(
    '',
    '{',
    '[',
    '{"a":',
    'null',
    '1',
    '"x"',
    '[]',
    '\ufeff{}',
    '{"a":1}}',
    '{"\\ud800":1}',
    'NaN',
    "{'a':1}",
    '{"a":1,"a":2}',
    '{"__proto__":{"x":1}}',
    '{"constructor":{"prototype":{}}}',
  );
  const heavy = fc.constantFrom(
    '['.repeat(100_000),
    `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`,
    `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
    `{"note":"${'x'.repeat(1_048_000)}"}`,
    `{"note":"${'x'.repeat(1_100_000)}"}`,
    `{${Array.from({ length: 20_000 }, (_, i) => `"k${i}":${i}`).join(',')}}`,
    `{"note":${'9'.repeat(100_000)}}`,
  );
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant(undefined) },
    { weight: 10, arbitrary: object.map((text) => Buffer.from(text)) },
    { weight: 4, arbitrary: broken.map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: heavy.map((text) => Buffer.from(text)) },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
  );
}

// Not with JSON.stringify, so that a property may be repeated or be called __proto__.
function textOf(pairs: [string, unknown][]): string {
  return `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
}

interface Known {
  route: RouteAccess;
  query: string[];
  body: string[];
}

/** All routes with the names of their parameters in the OpenAPI description. */
async function knownRoutes(): Promise<Known[]> {
  const { body: document } = await api.send('GET', '/openapi.json');
  const { schemas } = document['components'] as Document['components'];
  type Operation = {
    parameters?: { name: string; in: string }[];
    requestBody?: { content?: Record<string, { schema?: { $ref?: string } }> };
  };
  return api.routes.map((route) => {
    const path = route.url.replace(/:(\w+)/g, '{$1}');
    const operation = document.paths[path]?.[route.method.toLowerCase()] as Operation | undefined;
    const { $ref = '' } = operation?.requestBody?.content?.['application/json']?.schema ?? {};
    const schema = schemas[$ref.split('/').at(-1) ?? ''];
    return {
      route,
      query: (operation?.parameters ?? []).filter((one) => one.in === 'query').map(({ name }) => name),
      body: Object.keys(schema?.['properties'] ?? {}),
    };
  });
}

function attemptArbitrary({ route, query, body }: Known): fc.Arbitrary<Attempt> {
  const key = fc.oneof(
    { weight: 6, arbitrary: fc.constant(route.role === 'gateway' ? GATEWAY_KEY : KEYS.admin) },
    { weight: 1, arbitrary: fc.constantFrom('x', '\u00ff', '', 'a b') },
  );
  const type = fc.oneof(
    { weight: 6, arbitrary: fc.constant('application/json') },
    fc.constantFrom(...CONTENT_TYPES),
  );
  return fc
    .record({
      path: pathArbitrary(route),
      query: queryArbitrary(query),
      body: bodyArbitrary(body),
      key,
      type,
    })
    .map((parts) => ({
      route,
      // Do not wait for commands.
      path: `${parts.path}?${route.url.includes('commands/') ? 'waitSeconds=0&' : ''}${parts.query}`,
      headers: {
        authorization: `Bearer ${parts.key}`,
        ...(parts.body !== undefined && { 'content-type': parts.type }),
      },
      body: route.method === 'GET' || route.method === 'HEAD' ? undefined : parts.body,
    }));
}

/** The status, or 'cut' if the server rejected the body before it was complete. */
function send({ route, path, headers, body }: Attempt): Promise<number | 'cut'> {
  const { hostname, port } = new URL(api.url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method: route.method, path, headers }, (response) => {
      const status = response.statusCode ?? 0;
      response.resume().on('end', () => resolve(status));
      response.on('error', reject);
      if (!response.headers['content-type']?.startsWith('text/event-stream')) return;
      // A stream of events ends only when its reader disconnects.
      resolve(status);
      sent.destroy();
    });
    sent.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || error.code === 'ECONNRESET') resolve('cut');
      else reject(error);
    });
    sent.end(body);
  });
}

/** Whether Node's own client would send this path. */
function isSendable({ path }: Attempt): boolean {
  return !/[^\u0021-\u00ff]/.test(path);
}

test('no request makes a route respond with an internal error', async () => {
  const known = (await knownRoutes()).filter(({ route }) => METHODS.includes(route.method));
  const counts: Record<string, number> = {};
  const touched = new Set<string>();
  const begin = Date.now();
  const all = known.map(attemptArbitrary);
  // Routes that only reject a method have nothing to fail: one request each.
  const refuses = await Promise.all(
    known.map(async ({ route }) => (await api.send(route.method, pathOf(route))).status === 405),
  );
  const working = all.filter((_, i) => refuses[i] === false);
  const samples = [
    ...all.flatMap((one, i) => fc.sample(one, { seed: SEED + i, numRuns: 1 })),
    ...working.flatMap((one, i) => fc.sample(one, { seed: SEED - i, numRuns: RUNS_EACH })),
  ].filter(isSendable);
  const faults: string[] = [];
  for (const attempt of samples) {
    if (Date.now() - begin > LIMIT_MS) break;
    const status = await send(attempt);
    counts[status] = (counts[status] ?? 0) + 1;
    touched.add(`${attempt.route.method} ${attempt.route.url}`);
    if (status !== 'cut' && status >= 500)
      faults.push(
        `${status}: ${attempt.route.method} ${attempt.path} ${attempt.body?.toString().slice(0, 300)}`,
      );
  }
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  console.log(
    `seed ${SEED}: ${total} requests to ${touched.size} routes in ${Date.now() - begin} ms: ${JSON.stringify(counts)}`,
  );
  expect({ seed: SEED, faults }).toEqual({ seed: SEED, faults: [] });
  expect(errors).toEqual([]);
  expect(touched.size).toBe(known.length);
  expect((await api.send('GET', '/health/ready', undefined, null)).status).toBe(200);
}, 120_000);
