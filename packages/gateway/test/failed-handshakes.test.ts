import { expect, test } from '@jest/globals';
import { FailedHandshakes } from '../src/failed-handshakes.ts';

test('an address that fails with ever other stations waits, but for the stations that it has brought before', () => {
  let nowMs = 0;
  const failed = new FailedHandshakes(() => nowMs);
  failed.forgive('192.0.2.1', 'GOOD');
  for (let i = 0; i < 300; i++) failed.add('192.0.2.1', `CP${i}`);
  expect(failed.secondsToWait('192.0.2.1', 'CP999')).toBe(60);
  expect(failed.secondsToWait('192.0.2.1', 'GOOD')).toBe(0);
  expect(failed.secondsToWait('192.0.2.2', 'CP999')).toBe(0);
  nowMs = 59_500;
  expect(failed.secondsToWait('192.0.2.1', 'CP999')).toBe(1);
  nowMs = 60_000;
  expect(failed.secondsToWait('192.0.2.1', 'CP999')).toBe(0);
});

test('memory is bounded', () => {
  const failed = new FailedHandshakes(() => 0);
  for (let i = 0; i < 10; i++) failed.add('a', 'FIRST');
  expect(failed.secondsToWait('a', 'FIRST')).toBe(60);
  for (let i = 0; i < 60_000; i++) failed.add('b', `CP${i}`);
  expect(failed.secondsToWait('a', 'FIRST')).toBe(0);
});
