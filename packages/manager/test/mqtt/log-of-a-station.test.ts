import { createLog } from '@evander/process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

interface Line {
  msg: string;
  stationId?: string;
  leftOut?: number;
}

const lines: Line[] = [];
let manager: TestManager;
beforeAll(async () => {
  const log = createLog('manager', 'info', { write: (line) => void lines.push(JSON.parse(line) as Line) });
  manager = await openTestManager({ unknownStations: 'reject', log });
});
afterAll(() => manager.close());

test('a station that is not accepted but keeps sending does not fill the log: omitted lines are counted', async () => {
  const MESSAGES = 1000;
  for (let i = 0; i < MESSAGES; i++) {
    const answer = await manager.ask('Heartbeat', {}, { stationId: 'STRANGER', id: `h${i}` });
    if (i === 0) expect(answer.code).toBe('SecurityError');
  }
  const ofStation = lines.filter(({ stationId }) => stationId === 'STRANGER');
  const written = (): number => ofStation.filter(({ msg }) => msg === 'answered with an error').length;
  // A burst of 100 and one per second; the loop above takes a few seconds.
  expect(written()).toBeGreaterThanOrEqual(100);
  expect(written()).toBeLessThan(200);
  const leftOut = (): number => lines.reduce((sum, line) => sum + (line.leftOut ?? 0), 0);
  while (leftOut() < MESSAGES - written()) await new Promise((resolve) => setTimeout(resolve, 100));
  expect(leftOut()).toBe(MESSAGES - written());
});
