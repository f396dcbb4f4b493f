import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isDateTime, parseDateTime } from '../src/index.ts';

const STRICT: [string, string][] = [
  ['2024-02-29T23:59:59Z', '2024-02-29T23:59:59.000Z'],
  ['2024-05-01T12:00:00.5Z', '2024-05-01T12:00:00.500Z'],
  ['2024-05-01T12:00:00.570Z', '2024-05-01T12:00:00.570Z'],
  ['2024-05-01T12:00:00.123456789Z', '2024-05-01T12:00:00.123Z'],
  ['2024-05-01T12:00:00+02:00', '2024-05-01T10:00:00.000Z'],
  ['2024-01-01T00:30:00+01:00', '2023-12-31T23:30:00.000Z'],
  ['2024-05-01T12:00:00-09:30', '2024-05-01T21:30:00.000Z'],
  ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
  ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
];

const LENIENT: [string, string][] = [
  ['2013-01-01T00:00Z', '2013-01-01T00:00:00.000Z'],
  ['2013-01-01T00:00', '2013-01-01T00:00:00.000Z'],
  ['2024-05-01T12:00:00', '2024-05-01T12:00:00.000Z'],
  ['2024-05-01 12:00:00Z', '2024-05-01T12:00:00.000Z'],
  ['2024-05-01 12:00:00 +02:00', '2024-05-01T10:00:00.000Z'],
  ['2024-05-01t12:00:00z', '2024-05-01T12:00:00.000Z'],
  ['2024-05-01T12:00:00,25Z', '2024-05-01T12:00:00.250Z'],
  ['2024-05-01T12:00:00+0200', '2024-05-01T10:00:00.000Z'],
  ['2024-05-01T12:00:00+02', '2024-05-01T10:00:00.000Z'],
  ['2024-05-01T12:00+02:00', '2024-05-01T10:00:00.000Z'],
  [' 2024-05-01T12:00:00Z ', '2024-05-01T12:00:00.000Z'],
];

const IMPOSSIBLE = [
  '',
  'now',
  '1714557600',
  '2024-05-01',
  '12:00:00Z',
  '2024-13-01T00:00:00Z',
  '2024-00-10T00:00:00Z',
  '2024-02-30T00:00:00Z',
  '2023-02-29T00:00:00Z',
  '2024-05-00T00:00:00Z',
  '2024-05-01T25:00:00Z',
  '2024-05-01T24:00:00Z',
  '2024-05-01T12:60:00Z',
  '2024-05-01T12:00:61Z',
  '2024-05-01T12:00:00+24:00',
  '2024-05-01T12:00:00+02:60',
  '2024-05-01T12:00.5Z',
  '24-05-01T12:00:00Z',
  '2024-5-1T12:00:00Z',
  '0000-01-01T00:00:00Z',
  '0001-01-01T00:00:00+02:00',
  '9999-12-31T23:59:59-02:00',
  '2024-05-01T12:00:00Z\n2024',
];

describe('parseDateTime', () => {
  test.each([...STRICT, ...LENIENT])('reads %s', (text, expected) => {
    expect(parseDateTime(text)?.toISOString()).toBe(expected);
  });

  test.each(IMPOSSIBLE)('rejects %j', (text) => {
    expect(parseDateTime(text)).toBeUndefined();
    expect(isDateTime(text)).toBe(false);
  });

  test('parses every date that JavaScript formats', () => {
    const date = fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(date, (value) => {
        expect(parseDateTime(value.toISOString())).toEqual(value);
        expect(isDateTime(value.toISOString())).toBe(true);
      }),
    );
  });
});

describe('isDateTime', () => {
  test.each(STRICT)('accepts %s', (text) => expect(isDateTime(text)).toBe(true));
  test.each(LENIENT)('is stricter than parsing: %j', (text) => expect(isDateTime(text)).toBe(false));
});
