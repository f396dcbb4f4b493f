import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { EventStream } from '../../src/events/event-stream.ts';
import * as events from '../../src/events/events.store.ts';
import { KEYS, openApi } from '../http/harness.ts';
import type { TestApi } from '../http/harness.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

let curls: ChildProcess[] = [];
afterEach(async () => {
  for (const curl of curls) curl.kill();
  curls = [];
  while (api.feed.readers > 0) await new Promise((resolve) => setTimeout(resolve, 10));
});

let before = 0;
beforeEach(async () => {
  await complete();
  before = await events.newestId(api.manager.database);
});

async function complete(): Promise<void> {
  while ((await api.manager.rows('SELECT FROM event_intake')).length > 0)
    await events.sequence(api.manager.database, 1000);
}

interface Read {
  id: number;
  event: string;
  data: events.Event;
}

/** An independent client: curl, its output parsed as the HTML standard defines. */
function follow(
  path: string,
  headers: string[] = [],
): { read(count: number): Promise<Read[]>; curl: ChildProcess } {
  const args = [
    '-sN',
    '-H',
    `Authorization: Bearer ${KEYS.viewer}`,
    ...headers.flatMap((one) => ['-H', one]),
  ];
  const curl = spawn('curl', [...args, api.url + path]);
  curls.push(curl);
  let text = '';
  let onText = (): void => {};
  curl.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    onText();
  });
  const parsed = (): Read[] =>
    text
      .split('\n\n')
      .slice(0, -1)
      .map(
        (block) =>
          Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s))) as Record<
            string,
            string
          >,
      )
      .filter(({ data }) => data !== undefined)
      .map(({ id, event = '', data = '' }) => ({
        id: Number(id),
        event,
        data: JSON.parse(data) as events.Event,
      }));
  return {
    curl,
    read: (count) =>
      new Promise((resolve) => {
        onText = () => {
          if (parsed().length >= count) resolve(parsed());
        };
        onText();
      }),
  };
}

async function security(type: string, stationId = 'CP1'): Promise<void> {
  await api.manager.rows(
    'INSERT INTO security_events VALUES ($1, $2, clock_timestamp(), true, NULL, now())',
    [stationId, type],
  );
}

async function whenReading(readers: number): Promise<void> {
  while (api.feed.readers < readers) await new Promise((resolve) => setTimeout(resolve, 10));
}

test('events reach all readers as they happen', async () => {
  const readers = [follow('/api/v1/events'), follow('/api/v1/events?kind=security.*')];
  await whenReading(2);
  await security('One');
  await security('Two');
  for (const reader of readers) {
    const read = await reader.read(2);
    expect(read.map(({ event, data }) => [event, data.stationId, data.data.type])).toEqual([
      ['security.event', 'CP1', 'One'],
      ['security.event', 'CP1', 'Two'],
    ]);
    expect(read[0]?.id).toBe(read[0]?.data.id);
  }
});

test('a reader that reconnects gets the events that it missed, by header and by query', async () => {
  const first = follow('/api/v1/events');
  await whenReading(1);
  await security('Before');
  const [last] = await first.read(1);
  first.curl.kill();
  await security('Meanwhile');
  await complete();
  const byHeader = follow('/api/v1/events', [`Last-Event-ID: ${last?.id}`]);
  const byQuery = follow(`/api/v1/events?lastEventId=${last?.id}`);
  await whenReading(2);
  await security('After');
  for (const reader of [byHeader, byQuery]) {
    const types = (await reader.read(2)).map(({ data }) => data.data.type);
    expect(types).toEqual(['Meanwhile', 'After']);
  }
});

test('a reader that is far behind gets all events of its filter up to the present', async () => {
  await api.manager.rows(
    `INSERT INTO security_events SELECT 'F' || i % 2, 'T' || i, now(), true, NULL, now() FROM generate_series(1, 5000) i`,
  );
  await complete();
  const reader = follow(`/api/v1/events?stationId=F1&lastEventId=${before}`);
  await whenReading(1);
  await security('Last', 'F1');
  const read = await reader.read(2501);
  expect(read.map(({ data }) => data.data.type)).toEqual([
    ...Array.from({ length: 2500 }, (_, i) => `T${i * 2 + 1}`),
    'Last',
  ]);
  expect(read.every(({ data }) => data.stationId === 'F1')).toBe(true);
});

test('as JSON: a list, newest first by pages, or after an id', async () => {
  for (const type of ['A', 'B', 'C']) await security(type, 'J');
  await complete();
  const headers = { authorization: `Bearer ${KEYS.viewer}`, accept: 'application/json' };
  const get = async (query: string) => {
    const response = await fetch(`${api.url}/api/v1/events?${query}`, { headers });
    return (await response.json()) as { items: events.Event[]; nextCursor: string | null };
  };
  const types = ({ items }: { items: events.Event[] }) => items.map(({ data }) => data.type);
  const page = await get('stationId=J&limit=2');
  expect(types(page)).toEqual(['C', 'B']);
  expect(types(await get(`stationId=J&limit=2&cursor=${String(page.nextCursor)}`))).toEqual(['A']);
  const after = await get(`lastEventId=${before}&limit=2&kind=security.event`);
  expect(types(after)).toEqual(['A', 'B']);
  expect(types(await get(`lastEventId=${before}&limit=2&cursor=${String(after.nextCursor)}`))).toEqual(['C']);
  expect(await get('kind=security.*,log.status&from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z')).toEqual({
    items: [],
    nextCursor: null,
  });
});

test('invalid filters are rejected', async () => {
  const kind = await api.send('GET', '/api/v1/events?kind=transaction.began');
  expect(kind).toMatchObject({ status: 400, body: { field: 'kind' } });
  expect((await api.send('GET', '/api/v1/events?lastEventId=x')).status).toBe(400);
});

test('the number of open streams is limited', async () => {
  for (let i = 0; i < 3; i++) follow('/api/v1/events');
  await whenReading(3);
  const refused = await fetch(`${api.url}/api/v1/events`, {
    headers: { authorization: `Bearer ${KEYS.viewer}` },
  });
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('10');
});

test('events whose notification was lost are found by polling', async () => {
  const reader = follow('/api/v1/events');
  await whenReading(1);
  await api.manager.rows(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'evander listener' AND datname = current_database()",
  );
  await security('Unheard');
  expect((await reader.read(1))[0]?.data.data.type).toBe('Unheard');
});

test('a reader that takes no data is disconnected, and occupies no more than its buffer', async () => {
  const text = 'x'.repeat(20_000);
  await api.manager.rows(
    `INSERT INTO security_events SELECT 'BIG', 'T' || i, now(), true, $1, now() FROM generate_series(1, 1500) i`,
    [text],
  );
  await complete();
  const stream = new EventStream({
    feed: api.feed,
    filter: { kinds: null, stationIds: ['BIG'] },
    after: before,
    keepAliveMs: 50,
    stallMs: 200,
    isAllowed: async () => true,
  });
  stream.once('readable', () => {});
  const [error] = (await once(stream, 'error')) as [Error];
  expect(error.message).toContain('too slow');
  expect(stream.readableLength).toBeLessThan(10_000_000);
  expect(api.feed.readers).toBe(0);
});

test('a stream ends when its API key is revoked', async () => {
  let isValid = true;
  const stream = new EventStream({
    feed: api.feed,
    filter: { kinds: null, stationIds: null },
    after: before,
    keepAliveMs: 20,
    stallMs: 1000,
    isAllowed: async () => isValid,
  });
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  while (!text.includes(`:\nid: ${before}`)) await once(stream, 'data');
  isValid = false;
  await once(stream, 'end');
});

test('a reader that disconnects leaves nothing behind', async () => {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  socket.write(`GET /api/v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEYS.viewer}\r\n\r\n`);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  expect(chunk.toString()).toContain('content-type: text/event-stream');
  await whenReading(1);
  socket.destroy();
  while (api.feed.readers > 0) await new Promise((resolve) => setTimeout(resolve, 10));
});

test('a HEAD opens no stream', async () => {
  expect((await api.send('HEAD', '/api/v1/events', undefined, KEYS.viewer)).status).toBe(405);
  expect(api.feed.readers).toBe(0);
});

test('streams end when the manager drains', async () => {
  const reader = follow('/api/v1/events');
  await whenReading(1);
  const ended = once(reader.curl, 'exit');
  await api.feed.close();
  expect(await ended).toEqual([0, null]);
});
