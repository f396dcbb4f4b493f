import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());

test('answers the time in UTC', async () => {
  manager.setNow(new Date('2026-11-20T08:00:00Z'));
  expect((await manager.ask('Heartbeat', {})).response).toEqual({ currentTime: '2026-11-20T08:00:00.000Z' });
  manager.setNow(undefined);
});
