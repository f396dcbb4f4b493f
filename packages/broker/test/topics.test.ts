import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readTopic, topicsUnder } from '../src/index.ts';

const topics = topicsUnder('cs');

test("uses MaEVe's topics", () => {
  expect(topics.in('ocpp1.6', 'CP1')).toBe('cs/in/ocpp1.6/CP1');
  expect(topics.out('ocpp1.6', 'CP1')).toBe('cs/out/ocpp1.6/CP1');
  expect(topics.managerFilters[0]).toBe('$share/manager/cs/in/ocpp1.6/#');
});

test('percent-encodes characters that are not allowed in an MQTT topic level', () => {
  expect(topics.in('ocpp1.6', 'a/b+c#d%2F')).toBe('cs/in/ocpp1.6/a%2Fb%2Bc%23d%252F');
});

test('returns every station id unchanged', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'binary' }), (stationId) => {
      const topic = topics.out('ocpp1.6', stationId);
      expect(topic.split('/')).toHaveLength(4);
      expect(readTopic('cs', topic)).toEqual({ kind: 'out', id: stationId });
    }),
  );
});

test.each([
  '',
  'cs',
  'cs/in',
  'cs/in/ocpp1.6',
  'cs/in/ocpp2.0.1/CP1',
  'cs/in/ocpp1.6/a/b',
  'xs/in/ocpp1.6/CP1',
  'cs/up/ocpp1.6/CP1',
])('returns undefined for %p', (topic) => {
  expect(readTopic('cs', topic)).toBeUndefined();
});
