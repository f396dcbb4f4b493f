import { expect, test } from '@jest/globals';
import { ConnectionClock, decodeCloseRequest, encodeCloseRequest } from '../src/index.ts';

test('issues ids that sort by age within one millisecond', () => {
  const clock = new ConnectionClock('gw-a');
  const ids = [clock.next(1000), clock.next(1000), clock.next(1000)];
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(3);
});

test('issues no id below one that it has heard of, however its own clock goes', () => {
  const ahead = new ConnectionClock('gw-a');
  const behind = new ConnectionClock('gw-b');
  const old = ahead.next(9_000_000);
  behind.observe(old);
  expect(behind.next(1000) > old).toBe(true);
});

test('is not led astray by an id that is none', () => {
  const clock = new ConnectionClock('gw-a');
  clock.observe('!!');
  expect(clock.next(1000)).toMatch(/^[0-9a-z]{9}-gw-a$/);
});

test('what managers ask to close is told from what they ask to list, and from what is neither', () => {
  const weak = [{ stationId: 'CP1', connectionId: '1', securityProfile: 2 }];
  expect(decodeCloseRequest(encodeCloseRequest(weak))).toEqual(weak);
  for (const other of ['', '{}', 'null', '[]', '{"weak":1}', '{"weak":[null]}', '{"weak":[{}]}'])
    expect(decodeCloseRequest(other)).toBeUndefined();
});
