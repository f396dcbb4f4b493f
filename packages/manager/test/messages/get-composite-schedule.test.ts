import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(() => manager.rows('TRUNCATE commands, composite_schedules'));

const SCHEDULE = {
  chargingRateUnit: 'W',
  chargingSchedulePeriod: [{ startPeriod: 0, limit: 6000 }],
  duration: 60,
};
const ACCEPTED = {
  status: 'Accepted',
  connectorId: 1,
  scheduleStart: '2026-11-20T10:00:00+01:00',
  chargingSchedule: SCHEDULE,
};
const get = (request: object, answer?: object) => manager.command('GetCompositeSchedule', request, answer);
const kept = () =>
  manager.rows('SELECT * FROM composite_schedules ORDER BY connector_id, charging_rate_unit');

test('GetCompositeSchedule: the last answer is stored per connector and unit', async () => {
  await get({ connectorId: 1, duration: 60 }, ACCEPTED);
  await get({ connectorId: 1, duration: 120, chargingRateUnit: 'A' }, { status: 'Rejected' });
  await get({ connectorId: 0, duration: 5 }, { status: 'Rejected' });
  expect(await kept()).toMatchObject([
    {
      connector_id: 0,
      charging_rate_unit: '',
      status: 'Rejected',
      schedule_start: null,
      charging_schedule: null,
    },
    { connector_id: 1, charging_rate_unit: 'A', status: 'Rejected', duration_seconds: 120 },
    {
      station_id: 'CP1',
      connector_id: 1,
      charging_rate_unit: 'W',
      status: 'Accepted',
      duration_seconds: 60,
      schedule_start: new Date('2026-11-20T09:00:00Z'),
      charging_schedule: SCHEDULE,
    },
  ]);
  await get({ connectorId: 1, duration: 30, chargingRateUnit: 'W' }, ACCEPTED);
  expect(await kept()).toMatchObject([{}, {}, { duration_seconds: 30 }]);
});

test('GetCompositeSchedule: a late answer does not overwrite a newer one; a CALLERROR changes nothing', async () => {
  await get({ connectorId: 1, duration: 10, chargingRateUnit: 'W' });
  const late = manager.sent().at(-1);
  await manager.rows("UPDATE commands SET status = 'timedOut'");
  manager.setNow(new Date(Date.now() + 5000));
  await get({ connectorId: 1, duration: 20, chargingRateUnit: 'W' }, ACCEPTED);
  manager.setNow(undefined);
  if (late) await manager.answer(late, ACCEPTED);
  await get(
    { connectorId: 1, duration: 30, chargingRateUnit: 'W' },
    { error: 'PropertyConstraintViolation' },
  );
  expect(await kept()).toMatchObject([{ duration_seconds: 20 }]);
});

test.each([
  ['Composite.1', { connectorId: 1, duration: 0 }],
  ['Composite.2', { connectorId: -1, duration: 60 }],
])('GetCompositeSchedule that breaks the rule %s is not sent: %j', async (rule, request) => {
  await expect(get(request, ACCEPTED)).rejects.toMatchObject({ name: 'RuleViolation', rule });
});
