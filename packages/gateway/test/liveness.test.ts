import { describe, expect, test } from '@jest/globals';
import { Liveness } from '../src/liveness.ts';

const HEARTBEAT_SECONDS = 300;
const PING_SECONDS = 30;

/** What is found of a station at each ping, which comes every 30 s; it does something before some of them. */
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
  test('is there as long as it does', () =>
    expect(faultsOf(100, (_, liveness) => liveness.hearPong())).toEqual(Array(100).fill(undefined)));

  test('is dead with the first ping that it does not answer', () => {
    const faults = faultsOf(5, (at, liveness) => at < 3 && liveness.hearPong());
    expect(faults).toEqual([undefined, undefined, undefined, 'no pong', 'no pong']);
  });

  test('is there, too, when any frame has come since', () => {
    const faults = faultsOf(5, (at, liveness) => (at === 0 ? liveness.hearPong() : liveness.hear()));
    expect(faults).toEqual(Array(5).fill(undefined));
  });
});

describe('a station that never answers pings', () => {
  test('is there as long as its heartbeats come', () => {
    const each = HEARTBEAT_SECONDS / PING_SECONDS;
    const faults = faultsOf(100, (at, liveness) => at % each === 0 && liveness.hear());
    expect(faults).toEqual(Array(100).fill(undefined));
  });

  test('is dead when it has been silent for three of them', () => {
    const faults = faultsOf(32, () => {});
    expect(faults.findIndex((fault) => fault !== undefined)).toBe(30);
    expect(faults[30]).toBe('silent for 930 s');
  });
});
