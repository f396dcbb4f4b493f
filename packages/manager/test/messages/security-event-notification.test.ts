import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(() => manager.rows('TRUNCATE security_events'));

const timestamp = '2026-11-20T10:00:00Z';

async function report(request: object, question: object = {}): Promise<void> {
  expect((await manager.ask('SecurityEventNotification', request, question)).response).toEqual({});
}

async function events(): Promise<Record<string, unknown>[]> {
  return manager.rows('SELECT * FROM security_events ORDER BY occurred_at, type');
}

test("SecurityEventNotification is stored with the station's time", async () => {
  const techInfo = 'door';
  await report(
    { type: 'TamperDetectionActivated', timestamp, techInfo },
    { receivedAt: '2026-11-21T10:00:00.000Z' },
  );
  expect(await events()).toEqual([
    {
      station_id: 'CP1',
      type: 'TamperDetectionActivated',
      occurred_at: new Date(timestamp),
      is_critical: true,
      tech_info: techInfo,
      received_at: new Date('2026-11-21T10:00:00Z'),
    },
  ]);
});

test("a SecurityEventNotification that the station's queue repeats is one event", async () => {
  await Promise.all(Array.from({ length: 5 }, () => report({ type: 'InvalidMessages', timestamp })));
  await report({ type: 'InvalidMessages', timestamp: '2026-11-20T11:00:00+01:00' });
  expect(await events()).toHaveLength(1);
  await report({ type: 'InvalidMessages', timestamp: '2026-11-20T10:00:01Z' });
  await report({ type: 'MemoryExhaustion', timestamp });
  expect(await events()).toHaveLength(3);
});

test.each([
  ['FirmwareUpdated', true],
  ['SettingSystemTime', true],
  ['StartupOfTheDevice', true],
  ['ResetOrReboot', true],
  ['SecurityLogWasCleared', true],
  ['MemoryExhaustion', true],
  ['InvalidFirmwareSignature', false],
  ['SomethingOfTheVendor', false],
])('SecurityEventNotification %s: critical is %s', async (type, isCritical) => {
  await report({ type, timestamp });
  expect(await events()).toMatchObject([{ type, is_critical: isCritical }]);
});

test('defective events are stored as far as possible', async () => {
  await report({ type: 'X'.repeat(9000), timestamp });
  await report({ type: 'Old', timestamp: '1970-01-01T00:00:05Z', techInfo: 'Y'.repeat(5000) });
  await report({ type: 'Far', timestamp: '2099-01-01T00:00Z' });
  expect((await events()).map(({ type }) => String(type).length)).toEqual([3, 300, 3]);
});
