import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { openApi } from './http/harness.ts';
import type { TestApi } from './http/harness.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

test('metrics count requests by status', async () => {
  await api.send('GET', '/nowhere', undefined, null);
  const text = await (await fetch(`${api.url}/metrics`)).text();
  expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
  expect(text).toMatch(/^evander_api_requests_total\{status="404"\} [1-9]\d*$/m);
});

test('it closes within a second even if a client keeps its connection open', async () => {
  const own = await openApi();
  const { hostname, port } = new URL(own.url);
  const client = connect(Number(port), hostname);
  client.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(client, 'data');
  // The beginning of a request that never ends.
  const slow = connect(Number(port), hostname);
  slow.on('error', () => {});
  slow.write('PUT /api/v1/tags/T HTTP/1.1\r\nHost: x\r\n');
  await once(slow, 'connect');
  const begin = performance.now();
  await own.close();
  expect(performance.now() - begin).toBeLessThan(1500);
  client.destroy();
  slow.destroy();
});
