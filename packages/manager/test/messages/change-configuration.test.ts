import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(() =>
  manager.rows(`WITH s AS (UPDATE stations SET password_hashes = '{}', security_profile = 0, configuration_read_at = NULL),
    p AS (DELETE FROM password_changes), k AS (DELETE FROM commands) DELETE FROM configuration_keys`),
);

const BOOT = { chargePointVendor: 'V', chargePointModel: 'M' };

const change = (key: string, value: string, status?: string) =>
  manager.command('ChangeConfiguration', { key, value }, status === undefined ? undefined : { status });

const kept = () =>
  manager.rows(
    'SELECT key, value, reboot_required AS "rebootRequired" FROM configuration_keys ORDER BY key_lower',
  );

/** Sends a change without an answer yet; returns its call. */
async function unanswered(key: string, value: string) {
  await change(key, value);
  const call = manager.sent().at(-1);
  if (!call) throw new Error('nothing was sent');
  await manager.rows("UPDATE commands SET status = 'timedOut' WHERE status = 'sent'");
  return call;
}

test('ChangeConfiguration: an accepted value is stored; the key keeps its first spelling', async () => {
  await change('MeterValueSampleInterval', '60', 'Accepted');
  await change('METERVALUESAMPLEINTERVAL', '30', 'Accepted');
  await change('StopTxnSampledData', '', 'Accepted');
  expect(await kept()).toEqual([
    { key: 'MeterValueSampleInterval', value: '30', rebootRequired: false },
    { key: 'StopTxnSampledData', value: '', rebootRequired: false },
  ]);
});

test('ChangeConfiguration: Rejected, an unknown status and a CALLERROR leave the value unchanged (TC_040_2)', async () => {
  await change('MeterValueSampleInterval', '60', 'Accepted');
  await change('MeterValueSampleInterval', '-1', 'Rejected');
  await change('MeterValueSampleInterval', '-2', 'Perhaps');
  await manager.command(
    'ChangeConfiguration',
    { key: 'MeterValueSampleInterval', value: '-3' },
    { error: 'InternalError' },
  );
  expect(await kept()).toEqual([{ key: 'MeterValueSampleInterval', value: '60', rebootRequired: false }]);
});

test('ChangeConfiguration: NotSupported removes a key (TC_040_1)', async () => {
  await change('Vendor.Key', '1', 'Accepted');
  await change('vendor.key', '2', 'NotSupported');
  expect(await kept()).toEqual([]);
});

test('ChangeConfiguration: RebootRequired waits for a boot or an answer that needs none', async () => {
  await change('BlinkRepeat', '3', 'RebootRequired');
  expect(await kept()).toEqual([{ key: 'BlinkRepeat', value: '3', rebootRequired: true }]);
  await change('BlinkRepeat', '4', 'Accepted');
  expect(await kept()).toEqual([{ key: 'BlinkRepeat', value: '4', rebootRequired: false }]);
  await change('BlinkRepeat', '5', 'RebootRequired');
  // An earlier boot is repeated.
  await manager.ask('BootNotification', BOOT, { receivedAt: '2020-01-01T00:00:00.000Z' });
  expect(await kept()).toMatchObject([{ rebootRequired: true }]);
  await manager.ask('BootNotification', BOOT, { receivedAt: new Date(Date.now() + 1000).toISOString() });
  expect(await kept()).toEqual([{ key: 'BlinkRepeat', value: '5', rebootRequired: false }]);
});

test('ChangeConfiguration: a station that boots before it answers RebootRequired needs no other boot', async () => {
  const call = await unanswered('BlinkRepeat', '6');
  await manager.ask('BootNotification', BOOT, { receivedAt: new Date(Date.now() + 1000).toISOString() });
  await manager.answer(call, { status: 'RebootRequired' });
  expect(await kept()).toEqual([{ key: 'BlinkRepeat', value: '6', rebootRequired: false }]);
  await manager.rows("UPDATE stations SET booted_at = now() - interval '1 minute'");
});

test('ChangeConfiguration: a late answer does not overwrite newer values', async () => {
  const late = await unanswered('ConnectionTimeOut', '10');
  const lost = await unanswered('ConnectionTimeOut', '20');
  const gone = await unanswered('BlinkRepeat', '1');
  manager.setNow(new Date(Date.now() + 5000));
  await change('ConnectionTimeOut', '30', 'Accepted');
  await manager.answer(late, { status: 'Accepted' });
  await manager.answer(lost, { status: 'NotSupported' });
  expect(await kept()).toEqual([{ key: 'ConnectionTimeOut', value: '30', rebootRequired: false }]);
  await manager.command(
    'GetConfiguration',
    {},
    { configurationKey: [{ key: 'ConnectionTimeOut', readonly: false, value: '31' }] },
  );
  manager.setNow(undefined);
  // It is not among the keys that the station has reported since.
  await manager.answer(gone, { status: 'Accepted' });
  expect(await kept()).toEqual([{ key: 'ConnectionTimeOut', value: '31', rebootRequired: false }]);
});

test('ChangeConfiguration: nothing is stored for a station that was deleted meanwhile', async () => {
  const call = await unanswered('BlinkRepeat', '1');
  await manager.rows("UPDATE stations SET station_id = 'gone'");
  await manager.answer(call, { status: 'Accepted' });
  expect(await kept()).toEqual([]);
  await manager.rows("UPDATE stations SET station_id = 'CP1'");
});

test.each([
  ['ChangeConfiguration.2', 'HeartbeatInterval', 'abc'],
  ['ChangeConfiguration.2', 'heartbeatinterval', '0'],
  ['ChangeConfiguration.2', 'ConnectionTimeOut', ''],
  ['ChangeConfiguration.2', 'ConnectionTimeOut', '2147483648'],
  ['ChangeConfiguration.2', 'NumberOfConnectors', '2'],
  ['ChangeConfiguration.4', 'MeterValuesSampledData', 'Voltage,Current.Import,SoC'],
  ['ChangeConfiguration.5', 'AuthorizationKey', 'a password in text'],
  ['ChangeConfiguration.5', 'authorizationKey', '0'.repeat(33)],
  ['ChangeConfiguration.6', 'SecurityProfile', '1'],
  ['ChangeConfiguration.2', 'SecurityProfile', '4'],
  ['ChangeConfiguration.7', 'WebSocketPingInterval', '-1'],
  ['ChangeConfiguration.8', 'LocalPreAuthorize', 'yes'],
])('ChangeConfiguration that breaks the rule %s is not sent: %s=%s', async (rule, key, value) => {
  await manager.rows('UPDATE stations SET security_profile = 1');
  await manager.rows(
    `INSERT INTO configuration_keys (station_id, key_lower, key, value, readonly, read_at)
     VALUES ('CP1', 'metervaluessampleddatamaxlength', 'MeterValuesSampledDataMaxLength', '2', true, now())`,
  );
  const before = manager.sent().length;
  const refused = expect(
    manager.callMaker.request({ stationId: 'CP1', action: 'ChangeConfiguration', request: { key, value } }),
  ).rejects;
  await refused.toMatchObject({ name: 'RuleViolation', rule });
  expect(manager.sent()).toHaveLength(before);
  expect(await manager.rows('SELECT FROM password_changes')).toHaveLength(0);
});

test('ChangeConfiguration: values that no rule forbids are sent, and any value with skipRules', async () => {
  for (const [key, value] of [
    ['MeterValuesSampledData', 'Voltage,SoC'],
    ['localPreAuthorize', 'TRUE'],
    ['MeterValueSampleInterval', '-1'],
    ['SecurityProfile', '2'],
    ['Vendor.Anything', 'at all'],
  ] as const)
    expect(await change(key, value, 'Rejected')).toMatchObject({ status: 'answered' });
  await manager.callMaker.request({
    stationId: 'CP1',
    action: 'ChangeConfiguration',
    request: { key: 'HeartbeatInterval', value: 'abc' },
    skipRules: true,
  });
  expect(manager.sent().at(-1)?.request).toEqual({ key: 'HeartbeatInterval', value: 'abc' });
});

test('ChangeConfiguration: what the station reports about its key takes precedence over OCPP', async () => {
  const keys = [
    { key: 'NumberOfConnectors', readonly: false, value: '1' },
    { key: 'BlinkRepeat', readonly: true, value: '1' },
  ];
  await manager.command('GetConfiguration', {}, { configurationKey: keys });
  expect(await change('NumberOfConnectors', '2', 'Accepted')).toMatchObject({ status: 'answered' });
  await expect(change('BlinkRepeat', '2')).rejects.toMatchObject({ rule: 'ChangeConfiguration.2' });
});
