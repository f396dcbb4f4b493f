import { expect, test } from '@jest/globals';
import { FailedHandshakes } from '../src/failed-handshakes.ts';

test('a station waits after ten failures and then gets ten attempts a minute, only at that address', () => {
  let nowMs = 0;
  const failed = new FailedHandshakes(() => nowMs);
  for (let i = 0; i < 10; i++) {
    expect(failed.secondsToWait('192.0.2.1', 'CP1')).toBe(0);
    failed.add('192.0.2.1', 'CP1');
  }
  expect(failed.secondsToWait('192.0.2.1', 'CP1')).toBe(6);
  expect(failed.secondsToWait('192.0.2.1', 'CP2')).toBe(0);
  expect(failed.secondsToWait('192.0.2.2', 'CP1')).toBe(0);
  let attempts = 0;
  for (; nowMs <= 60_000; nowMs += 100)
    if (failed.secondsToWait('192.0.2.1', 'CP1') === 0) {
      failed.add('192.0.2.1', 'CP1');
      attempts++;
    }
  expect(attempts).toBeGreaterThanOrEqual(9);
  expect(attempts).toBeLessThanOrEqual(11);
});

test('an address that fails with ever new stations waits briefly, and so does a whole IPv6 /64 network', () => {
  const failed = new FailedHandshakes(() => 0);
  for (let i = 0; i < 300; i++) failed.add(`2001:db8::${i.toString(16)}`, `CP${i}`);
  expect(failed.secondsToWait('2001:db8::ffff', 'CP999')).toBe(1);
  expect(failed.secondsToWait('2001:db8:0:1::1', 'CP999')).toBe(0);
});

test('memory is bounded', () => {
  const failed = new FailedHandshakes(() => 0);
  for (let i = 0; i < 10; i++) failed.add('a', 'FIRST');
  expect(failed.secondsToWait('a', 'FIRST')).toBe(6);
  for (let i = 0; i < 60_000; i++) failed.add('b', `CP${i}`);
  expect(failed.secondsToWait('a', 'FIRST')).toBe(0);
});
