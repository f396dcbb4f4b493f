import { describe, expect, test } from '@jest/globals';
import { Liveness } from '../src/liveness.ts';

const HEARTBEAT_SECONDS = 300;
const PING_SECONDS = 30;

/** The result at each ping, one every 30 s; `doing` runs before each. */
function faultsOf(pings: number, doing: (at: number, liveness: Liveness) => void): (string | undefined)[] {
  let nowMs = 0;
  const liveness = new Liveness(HEARTBEAT_SECONDS, () => nowMs);
  return Array.from({ length: pings }, (_, i) => {
    nowMs += PING_SECONDS * 1000;
    doing(i, liveness);
    const fault = liveness.fault();
    liveness.onPing();
    return fault;
  });
}

describe('a station that answers pings', () => {
  test('is alive as long as it answers', () =>
    expect(faultsOf(100, (_, liveness) => liveness.hearPong())).toEqual(Array(100).fill(undefined)));

  test('is dead after the first unanswered ping', () => {
    const faults = faultsOf(5, (at, liveness) => at < 3 && liveness.hearPong());
    expect(faults).toEqual([undefined, undefined, undefined, 'no pong', 'no pong']);
  });

  test('is also alive when any frame has arrived since', () => {
    const faults = faultsOf(5, (at, liveness) => (at === 0 ? liveness.hearPong() : liveness.hear()));
    expect(faults).toEqual(Array(5).fill(undefined));
  });
});

describe('a station that never answers pings', () => {
  test('is alive as long as its heartbeats arrive', () => {
    const each = HEARTBEAT_SECONDS / PING_SECONDS;
    const faults = faultsOf(100, (at, liveness) => at % each === 0 && liveness.hear());
    expect(faults).toEqual(Array(100).fill(undefined));
  });

  test('is dead after three silent heartbeat intervals', () => {
    const faults = faultsOf(32, () => {});
    expect(faults.findIndex((fault) => fault !== undefined)).toBe(30);
    expect(faults[30]).toBe('silent for 930 s');
  });
});
