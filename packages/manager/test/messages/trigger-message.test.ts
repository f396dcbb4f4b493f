import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(async () => {
  await manager.rows('TRUNCATE commands');
  await manager.rows("UPDATE stations SET registration_status = 'Accepted'");
});

test.each(['TriggerMessage', 'ExtendedTriggerMessage'] as const)(
  '%s: BootNotification is not triggered on an accepted station',
  async (action) => {
    await expect(manager.command(action, { requestedMessage: 'BootNotification' })).rejects.toMatchObject({
      rule: 'Boot.8',
    });
    await manager.rows("UPDATE stations SET registration_status = 'Pending'");
    await manager.command(action, { requestedMessage: 'BootNotification' });
    expect(manager.sent().at(-1)).toMatchObject({
      action,
      request: { requestedMessage: 'BootNotification' },
    });
  },
);

test('TriggerMessage: triggered messages of a pending station are accepted, others are not', async () => {
  // Uses a manager that has not cached the station as accepted.
  const pending = await openTestManager();
  await pending.rows("UPDATE stations SET boot_answer = 'Pending'");
  await pending.ask('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
  pending.setNow(new Date(Date.now() + 60_000));
  const status = { connectorId: 1, status: 'Available', errorCode: 'NoError' };
  expect(await pending.ask('StatusNotification', status)).toMatchObject({ code: 'SecurityError' });
  const trigger = { requestedMessage: 'StatusNotification', connectorId: 1 };
  await pending.command('TriggerMessage', trigger, { status: 'Rejected' });
  expect(await pending.ask('StatusNotification', status)).toMatchObject({ code: 'SecurityError' });
  await pending.command('TriggerMessage', trigger);
  expect(await pending.ask('StatusNotification', status)).toEqual({ response: {} });
  expect(await pending.ask('Heartbeat', {})).toMatchObject({ code: 'SecurityError' });
  pending.setNow(new Date(Date.now() + 600_000));
  expect(await pending.ask('StatusNotification', status)).toMatchObject({ code: 'SecurityError' });
  await pending.close();
});

test('TriggerMessage: connector 0 is the station itself, negative ones are invalid', async () => {
  await manager.command('TriggerMessage', { requestedMessage: 'StatusNotification', connectorId: 0 });
  await expect(
    manager.command('TriggerMessage', { requestedMessage: 'StatusNotification', connectorId: -1 }),
  ).rejects.toMatchObject({ rule: 'Trigger.2' });
});

test('ExtendedTriggerMessage: a certificate is for the whole station and needs a CpoName', async () => {
  const trigger = { requestedMessage: 'SignChargePointCertificate' };
  await expect(
    manager.command('ExtendedTriggerMessage', { ...trigger, connectorId: 1 }),
  ).rejects.toMatchObject({
    rule: 'ExtTrigger.1',
  });
  await manager.command('ExtendedTriggerMessage', trigger);
  await manager.rows(
    `INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at) VALUES ('CP1', 'cponame', 'CpoName', '', now())`,
  );
  await expect(manager.command('ExtendedTriggerMessage', trigger)).rejects.toMatchObject({
    rule: 'ExtTrigger.2',
  });
});
