import { createLog } from '@evander/process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { KEYS, openApi } from './harness.ts';
import type { TestApi } from './harness.ts';

const lines: string[] = [];
let api: TestApi;
beforeAll(async () => {
  const log = createLog('test', 'trace', { write: (line: string) => void lines.push(line) });
  api = await openApi({ trustedProxies: ['127.0.0.2'], log });
});
afterAll(() => api.close());

const PROTECTED = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

/** The server's response to these bytes, until it ends the connection. */
async function raw(text: string, localAddress = '127.0.0.1'): Promise<string> {
  const { hostname, port } = new URL(api.url);
  const socket = connect({ host: hostname, port: Number(port), localAddress });
  let answer = '';
  socket.on('data', (data: Buffer) => (answer += data.toString()));
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

test.each(['/health/live', '/nowhere', '/%zz', '/api/v1/tags', '/api/v1/stations/x', '/'])(
  'the response of %s must not be cached or framed',
  async (path) => {
    for (const key of [KEYS.admin, null]) {
      const { headers } = await api.send('GET', path, undefined, key);
      expect(Object.fromEntries(headers)).toMatchObject({
        ...PROTECTED,
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      });
      expect(headers.has('strict-transport-security')).toBe(false);
    }
  },
);

test.each(['/openapi.json', '/pki/crl'])('%s is public and may be cached with revalidation', async (path) => {
  const { headers } = await api.send('GET', path, undefined, null);
  expect(Object.fromEntries(headers)).toMatchObject({
    ...PROTECTED,
    'cache-control': 'no-cache',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  });
});

test('the page to try the API runs only its own scripts', async () => {
  for (const path of ['/docs', '/docs/', '/docs/static/swagger-ui.css']) {
    const { headers } = await api.send('GET', path, undefined, null);
    expect(Object.fromEntries(headers)).toMatchObject(PROTECTED);
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
  }
});

test.each([
  ['GARBAGE\r\n\r\n', 400],
  ['GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n', 400],
  [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
])('invalid HTTP gets a problem document: %#', async (text, status) => {
  const answer = await raw(text);
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  for (const [name, value] of Object.entries(PROTECTED)) expect(head).toContain(`${name}: ${value}`);
  expect(head).toContain('application/problem+json');
  expect(JSON.parse(body)).toMatchObject({ status, detail: expect.any(String) as unknown });
});

test('an API key in an unreadable request is not logged', async () => {
  const secret = 'evk_in-a-broken-request';
  await raw(`GET / HTTP/1.1\r\nAuthorization: Bearer ${secret}\r\nContent-Length: x\r\n\r\n`);
  const logged = lines.join('');
  expect(logged).toContain('a client sent invalid HTTP');
  expect(logged).not.toContain(secret);
  expect(logged).not.toContain([...Buffer.from(secret)].join(','));
});

test('HSTS is sent only to clients that use TLS through a trusted proxy', async () => {
  const request = 'GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Forwarded-Proto: ';
  expect(await raw(`${request}https\r\n\r\n`)).not.toContain('strict-transport-security');
  expect(await raw(`${request}http\r\n\r\n`, '127.0.0.2')).not.toContain('strict-transport-security');
  expect(await raw(`${request}https\r\n\r\n`, '127.0.0.2')).toContain(
    'strict-transport-security: max-age=31536000',
  );
});

test('no other site may read the API from a browser', async () => {
  for (const method of ['GET', 'OPTIONS']) {
    const response = await fetch(`${api.url}/api/v1/tags`, {
      method,
      headers: {
        origin: 'https://elsewhere.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
        authorization: `Bearer ${KEYS.admin}`,
      },
    });
    expect(response.status).toBe(method === 'GET' ? 200 : 405);
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  }
});
