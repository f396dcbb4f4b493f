import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createLog } from '../src/index.ts';
import { limitPerStation } from '../src/log-limit.ts';

interface Line {
  level: number;
  msg: string;
  stationId?: string;
  leftOut?: number;
}

function openLog() {
  const lines: Line[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Line);
  return { lines, log: createLog('test', 'debug', { write }) };
}

test('lines about one station are limited, wherever its id appears; all others are written', () => {
  const { lines, log } = openLog();
  const child = log.child({ stationId: 'CP1', messageId: '1' });
  for (let i = 0; i < 1000; i++) {
    child.warn({ i }, 'from the child');
    log.error({ stationId: 'CP1', i }, 'with the line');
    child.debug('debug line');
    log.warn({ stationId: `OTHER${i}` }, 'about others');
    log.warn('without a station');
  }
  const count = (msg: string): number => lines.filter((line) => line.msg === msg).length;
  expect(count('from the child') + count('with the line')).toBeGreaterThanOrEqual(100);
  expect(count('from the child') + count('with the line')).toBeLessThan(200);
  expect([count('debug line'), count('about others'), count('without a station')]).toEqual([
    1000, 1000, 1000,
  ]);
});

test('the number of lines left out is logged repeatedly while it continues', async () => {
  const lines: Line[] = [];
  const log = pino(
    { hooks: { logMethod: limitPerStation(20, () => 0) } },
    { write: (line: string) => void lines.push(JSON.parse(line) as Line) },
  );
  const reports = (): Line[] => lines.filter(({ leftOut }) => leftOut !== undefined);
  for (let round = 1; round <= 2; round++) {
    for (let i = 0; i < 150; i++) log.child({ stationId: 'CP1' }).warn('again');
    while (reports().length < round) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(reports()).toMatchObject([
    { stationId: 'CP1', leftOut: 50, level: 40 },
    { stationId: 'CP1', leftOut: 150, level: 40 },
  ]);
});
