import { expect, test } from '@jest/globals';
import { differences, reportedSchedule } from '../../src/smart-charging/composite-comparison.ts';
import type { TimedSchedule } from '../../src/smart-charging/composite-comparison.ts';

const START = Date.UTC(2026, 10, 20, 10);
const at = (seconds: number): Date => new Date(START + seconds * 1000);
/** A schedule from text: `0:16, 60:8` is limit 16 from second 0 and limit 8 from second 60. */
function schedule(text: string, durationSeconds = 100, after = 0): TimedSchedule {
  const periods = text.split(', ').map((period) => {
    const [startPeriod, limit] = period.split(':').map(Number);
    return { startPeriod: startPeriod ?? 0, limit: limit ?? 0 };
  });
  return { start: at(after), durationSeconds, periods };
}
const between = (expected: TimedSchedule, reported: TimedSchedule): string[] =>
  differences(expected, reported).map(
    ({ from, to, expectedLimit, toldLimit }) =>
      `${(from.getTime() - START) / 1000}-${(to.getTime() - START) / 1000}: ${expectedLimit}/${toldLimit}`,
  );

test.each([
  ['the same', schedule('0:16, 60:8'), schedule('0:16, 60:8'), []],
  ['the same with a split period', schedule('0:16'), schedule('0:16, 50:16'), []],
  ['a rounded limit', schedule('0:15.9'), schedule('0:16'), []],
  ['another limit', schedule('0:16, 60:8'), schedule('0:16, 60:10'), ['60-100: 8/10']],
  ['a change that is late', schedule('0:16, 60:8'), schedule('0:16, 70:8'), ['60-70: 8/16']],
  ['a change that is a second late', schedule('0:16, 60:8'), schedule('0:16, 61:8'), []],
  ['a change that is a second early', schedule('0:16, 60:8'), schedule('0:16, 59:8'), []],
  ['a change that is two seconds late', schedule('0:16, 60:8'), schedule('0:16, 62:8'), ['60-62: 8/16']],
  ['an end a second early', schedule('0:16'), schedule('0:16', 99), []],
  ['merged neighbours', schedule('0:16'), schedule('0:10, 20:10, 40:16'), ['0-40: 16/10']],
  ['an early end', schedule('0:16'), schedule('0:16', 80), ['80-100: 16/null']],
  ['a limit where none is expected', schedule('0:16, 60:Infinity'), schedule('0:16, 60:32'), []],
  ['no limit where one is expected', schedule('0:16'), schedule('50:16'), ['0-50: 16/null']],
  [
    'another start',
    schedule('0:16, 60:8'),
    schedule('0:16, 60:8', 100, 10),
    ['0-10: 16/null', '60-70: 8/16'],
  ],
  ['a limit outside the expected time', schedule('0:16'), schedule('0:16, 100:1', 500), []],
])('differences: %s', (_name, expected, reported, found) => {
  expect(between(expected, reported)).toEqual(found);
});

test('a reported schedule ends with its own duration or the requested one, whichever is shorter', () => {
  const periods = { chargingRateUnit: 'A' as const, chargingSchedulePeriod: [{ startPeriod: 0, limit: 1 }] };
  const requested = { start: at(0), durationSeconds: 60 };
  expect(reportedSchedule(periods, requested).durationSeconds).toBe(60);
  expect(reportedSchedule({ ...periods, duration: 30 }, requested).durationSeconds).toBe(30);
  expect(reportedSchedule({ ...periods, duration: 90 }, requested).durationSeconds).toBe(60);
});
