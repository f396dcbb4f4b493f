import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NewestMap, TokenBucket } from '../src/index.ts';

test('a bucket provides its burst immediately, then its refill rate', () => {
  let nowMs = 0;
  const bucket = new TokenBucket({ perSecond: 10, burst: 3 }, () => nowMs);
  expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([true, true, true, false]);
  expect(bucket.waitMs(1)).toBe(100);
  nowMs = 100;
  expect([1, 2].map(() => bucket.take())).toEqual([true, false]);
  nowMs = 10_000;
  expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([true, true, true, false]);
});

test('spending more than the burst is a debt that must be paid off first', () => {
  let nowMs = 0;
  const bucket = new TokenBucket({ perSecond: 10, burst: 3 }, () => nowMs);
  bucket.spend(8);
  expect(bucket.waitMs()).toBe(500);
  expect(bucket.take()).toBe(false);
  nowMs = 500;
  expect(bucket.waitMs()).toBe(0);
});

test('over any period it provides at most the burst plus the refill', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(500), { maxLength: 200 }), (waits) => {
      let nowMs = 0;
      const bucket = new TokenBucket({ perSecond: 5, burst: 7 }, () => nowMs);
      let given = 0;
      for (const ms of waits) {
        nowMs += ms;
        if (bucket.take()) given++;
      }
      expect(given).toBeLessThanOrEqual(7 + (nowMs / 1000) * 5 + 0.001);
    }),
  );
});

test('a map of bounded size keeps the most recently set entries', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), fc.boolean()), { maxLength: 200 }), (changes) => {
      const map = new NewestMap<number, number>(5);
      let expected: number[] = [];
      changes.forEach(([key, isSet], i) => {
        expected = expected.filter((other) => other !== key);
        if (isSet) {
          map.set(key, i);
          expected = [...expected, key].slice(-5);
        } else map.delete(key);
        for (let other = 0; other <= 20; other++)
          expect(map.get(other) !== undefined).toBe(expected.includes(other));
      });
    }),
  );
});
