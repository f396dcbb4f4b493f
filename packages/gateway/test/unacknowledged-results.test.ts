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
  /** What is left: it is published when the broker has come back. */
  const kept = (): string[] => {
    published.length = 0;
    results.publishAgain();
    return published;
  };
  return { results, published, add, kept, dropped: () => dropped };
}

test('over its bytes it gives up the oldest of the station that takes up most', () => {
  const { add, kept, dropped } = open({ maxBytes: 100 });
  add('A', 'a1', 'x'.repeat(30));
  add('B', 'b1', 'y'.repeat(30));
  add('B', 'b2', 'z'.repeat(30));
  add('C', 'c1', 'w'.repeat(30));
  expect(kept().map((one) => one.slice(0, 3))).toEqual(['A x', 'B z', 'C w']);
  expect(dropped()).toBe(1);
});

test('a flood of one station leaves the others what they have', () => {
  const { add, kept, dropped } = open({ maxBytes: 1000 });
  add('good', 'g1', 'g');
  for (let i = 0; i < 500; i++) add('flood', `f${i}`, 'x'.repeat(100));
  add('good', 'g2', 'g');
  const left = kept();
  expect(left.filter((one) => one === 'good g')).toHaveLength(2);
  expect(left.length).toBeLessThanOrEqual(12);
  expect(dropped()).toBe(502 - left.length);
});

test('what is larger than all that may be kept is published once', () => {
  const { add, published, kept } = open({ maxBytes: 10 });
  add('A', 'a1', 'x'.repeat(20));
  expect(published).toHaveLength(1);
  expect(kept()).toEqual([]);
});

test('bytes of what was completed or replaced are free again', () => {
  const { results, add, kept, dropped } = open({ maxBytes: 100 });
  for (let i = 0; i < 50; i++) {
    add('A', 'same', 'x'.repeat(60));
    add('B', `b${i}`, 'y'.repeat(40));
    results.acknowledge('B', `b${i}`);
    results.acknowledge('B', 'unknown');
  }
  expect(kept()).toHaveLength(1);
  expect(dropped()).toBe(0);
});

test('after its connection has ended a result is kept for a time, then given up', async () => {
  const { results, add, kept, dropped } = open({ repeatDelaysMs: [5], keptAfterCloseMs: 1000 });
  add('A', 'a1');
  add('B', 'b1');
  results.onClose('A', 'A 1');
  results.onClose('B', 'B of another time');
  expect(kept()).toEqual(['A a1', 'B b1']);
  while (dropped() === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(kept()).toEqual(['B b1']);
  expect(dropped()).toBe(1);
});

test('while the broker is away everything is kept, also what is published once', () => {
  let isThere = false;
  const published: string[] = [];
  const { results } = open({
    publish: (_stationId, payload) => {
      if (isThere) published.push(payload);
      return isThere;
    },
  });
  const one = { stationId: 'A', connectionId: 'A 1' };
  results.add({ ...one, id: '1', payload: 'ours', isAcknowledged: true });
  results.add({ ...one, id: '2', payload: "MaEVe's", isAcknowledged: false });
  results.publishAgain();
  isThere = true;
  results.publishAgain();
  results.publishAgain();
  expect(published).toEqual(['ours', "MaEVe's", 'ours']);
});

test('emptied resolves when the last one is completed', async () => {
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
