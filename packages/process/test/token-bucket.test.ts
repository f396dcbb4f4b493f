import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NewestMap, TokenBucket } from '../src/index.ts';

test('a bucket gives its burst at once, then what refills', () => {
  let nowMs = 0;
  const bucket = new TokenBucket({ perSecond: 10, burst: 3 }, () => nowMs);
  expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([true, true, true, false]);
  expect(bucket.waitMs(1)).toBe(100);
  nowMs = 100;
  expect([1, 2].map(() => bucket.take())).toEqual([true, false]);
  nowMs = 10_000;
  expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([true, true, true, false]);
});

test('what is spent above the burst is a debt that is waited for', () => {
  let nowMs = 0;
  const bucket = new TokenBucket({ perSecond: 10, burst: 3 }, () => nowMs);
  bucket.spend(8);
  expect(bucket.waitMs()).toBe(500);
  expect(bucket.take()).toBe(false);
  nowMs = 500;
  expect(bucket.waitMs()).toBe(0);
});

test('over any time no more is given than the burst and what refills', () => {
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

test('a map of bounded size keeps what was set last', () => {
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
