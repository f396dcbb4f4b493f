import { silentLog } from '@evander/process';
import { afterEach, expect, test } from '@jest/globals';
import { UnacknowledgedResults } from '../src/unacknowledged-results.ts';
import type { UnacknowledgedResultsOptions } from '../src/unacknowledged-results.ts';

const opened: UnacknowledgedResults[] = [];
afterEach(() => {
  for (const results of opened.splice(0)) results.close();
});

function open(options: Partial<UnacknowledgedResultsOptions> = {}) {
  const published: string[] = [];
  let dropped = 0;
  const results = new UnacknowledgedResults({
    publish: (stationId, payload) => published.push(`${stationId} ${payload}`) > 0,
    repeatDelaysMs: [60_000],
    onDropped: () => dropped++,
    log: silentLog(),
    ...options,
  });
  opened.push(results);
  const add = (stationId: string, id: string, payload = id): void =>
    results.add({ stationId, connectionId: `${stationId} 1`, id, payload, isAcknowledged: true });
  /** The stored results: they are published when the broker is back. */
  const stored = (): string[] => {
    published.length = 0;
    results.publishAgain();
    return published;
  };
  return { results, published, add, stored, dropped: () => dropped };
}

test('above its byte limit it drops the oldest result of the station that uses the most', () => {
  const { add, stored, dropped } = open({ maxBytes: 100 });
  add('A', 'a1', 'x'.repeat(30));
  add('B', 'b1', 'y'.repeat(30));
  add('B', 'b2', 'z'.repeat(30));
  add('C', 'c1', 'w'.repeat(30));
  expect(stored().map((one) => one.slice(0, 3))).toEqual(['A x', 'B z', 'C w']);
  expect(dropped()).toBe(1);
});

test("a flood from one station does not displace other stations' results", () => {
  const { add, stored, dropped } = open({ maxBytes: 1000 });
  add('good', 'g1', 'g');
  for (let i = 0; i < 500; i++) add('flood', `f${i}`, 'x'.repeat(100));
  add('good', 'g2', 'g');
  const left = stored();
  expect(left.filter((one) => one === 'good g')).toHaveLength(2);
  expect(left.length).toBeLessThanOrEqual(12);
  expect(dropped()).toBe(502 - left.length);
});

test('a result larger than the limit is published once', () => {
  const { add, published, stored } = open({ maxBytes: 10 });
  add('A', 'a1', 'x'.repeat(20));
  expect(published).toHaveLength(1);
  expect(stored()).toEqual([]);
});

test('acknowledged and replaced results free their bytes', () => {
  const { results, add, stored, dropped } = open({ maxBytes: 100 });
  for (let i = 0; i < 50; i++) {
    add('A', 'same', 'x'.repeat(60));
    add('B', `b${i}`, 'y'.repeat(40));
    results.acknowledge('B', `b${i}`);
    results.acknowledge('B', 'unknown');
  }
  expect(stored()).toHaveLength(1);
  expect(dropped()).toBe(0);
});

test('after its connection has closed a result is stored for a limited time, then dropped', async () => {
  const { results, add, stored, dropped } = open({ repeatDelaysMs: [5], storedAfterCloseMs: 1000 });
  add('A', 'a1');
  add('B', 'b1');
  results.onClose('A', 'A 1');
  results.onClose('B', 'B of another time');
  expect(stored()).toEqual(['A a1', 'B b1']);
  while (dropped() === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(stored()).toEqual(['B b1']);
  expect(dropped()).toBe(1);
});

test('while the broker is away all results are stored, even those published once', () => {
  let isThere = false;
  const published: string[] = [];
  const { results } = open({
    publish: (_stationId, payload) => {
      if (isThere) published.push(payload);
      return isThere;
    },
  });
  const one = { stationId: 'A', connectionId: 'A 1' };
  results.add({ ...one, id: '1', payload: 'own', isAcknowledged: true });
  results.add({ ...one, id: '2', payload: "MaEVe's", isAcknowledged: false });
  results.publishAgain();
  isThere = true;
  results.publishAgain();
  results.publishAgain();
  expect(published).toEqual(['own', "MaEVe's", 'own']);
});

test('emptied resolves when the last one is acknowledged', async () => {
  const { results, add } = open();
  await results.emptied();
  add('A', 'a1');
  add('A', 'a2');
  let isEmpty = false;
  const emptied = results.emptied().then(() => (isEmpty = true));
  results.acknowledge('A', 'a1');
  await Promise.resolve();
  expect(isEmpty).toBe(false);
  results.acknowledge('A', 'a2');
  await emptied;
});
