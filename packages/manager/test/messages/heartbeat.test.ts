import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDesk } from '../desk.ts';
import type { Desk } from '../desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

test('tells the time in UTC', async () => {
  desk.setNow(new Date('2026-11-20T08:00:00Z'));
  expect((await desk.ask('Heartbeat', {})).response).toEqual({ currentTime: '2026-11-20T08:00:00.000Z' });
  desk.setNow(undefined);
});
