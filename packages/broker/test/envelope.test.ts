import { expect, test } from '@jest/globals';
import { decodeEnvelope, decodePresence, encodeEnvelope } from '../src/index.ts';

test("writes and reads MaEVe's fields", () => {
  const call = { type: 2, id: '17', action: 'Heartbeat', request: {} } as const;
  expect(JSON.parse(encodeEnvelope(call))).toEqual({ type: 2, id: '17', action: 'Heartbeat', request: {} });
  expect(decodeEnvelope(encodeEnvelope(call))).toEqual(call);
});

test('ignores unknown fields', () => {
  expect(
    decodeEnvelope(
      '{"type":3,"id":"1","action":"Reset","response":{"status":"Accepted"},"state":null,"new":1}',
    ),
  ).toMatchObject({
    type: 3,
    response: { status: 'Accepted' },
  });
});

test('fills in the optional fields of an error', () => {
  expect(decodeEnvelope('{"type":4,"id":"1","action":"Reset"}')).toMatchObject({
    error_code: 'GenericError',
    error_description: '',
  });
});

test.each([
  '',
  'null',
  '[]',
  '{}',
  '{"type":5,"id":"1","action":"A"}',
  '{"type":2,"id":1,"action":"A"}',
  '{"type":2,"id":"1"}',
])('rejects %p as an envelope', (text) => {
  expect(decodeEnvelope(text)).toBeUndefined();
});

test.each([
  '',
  '{"kind":"constructor"}',
  '{"kind":"connected"}',
  '{"kind":"all","connections":[null]}',
  '{"kind":"connected","connections":[{}]}',
])('rejects %p as presence', (text) => {
  expect(decodePresence(text)).toBeUndefined();
});
