import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import * as desired from '../../src/desired-state/desired-configuration.store.ts';
import * as stationGroups from '../../src/stations/station-groups.store.ts';
import * as stations from '../../src/stations/stations.store.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());

const BOOT = { chargePointVendor: 'Vendor', chargePointModel: 'Model' };

async function addStation(stationId: string, bootAnswer: string): Promise<void> {
  await stations.addUnknown(manager.database, [stationId]);
  await manager.rows('UPDATE stations SET boot_answer = $2 WHERE station_id = $1', [stationId, bootAnswer]);
}

test.each([
  ['Accepted', 300],
  ['Pending', 30],
  ['Rejected', 30],
])('answers %s if the operator has set it, and stores it', async (status, interval) => {
  await addStation(`B-${status}`, status);
  const { response } = await manager.ask('BootNotification', BOOT, { stationId: `B-${status}` });
  expect(response).toMatchObject({ status, interval });
  const [row] = await manager.rows('SELECT registration_status FROM stations WHERE station_id = $1', [
    `B-${status}`,
  ]);
  expect(row).toEqual({ registration_status: status });
});

describe('the interval of an accepted boot', () => {
  const KEY = 'HeartbeatInterval';
  const boot = async (stationId = 'CP1') =>
    ((await manager.ask('BootNotification', BOOT, { stationId })).response as { interval: number }).interval;
  const change = (value: string, status: string) =>
    manager.command('ChangeConfiguration', { key: KEY, value }, { status });
  const want = (owner: desired.Owner, value: string | null) =>
    desired.put(manager.database, owner, { [KEY]: value });
  beforeEach(() =>
    manager.rows('TRUNCATE configuration_keys, desired_values, commands, station_groups CASCADE'),
  );

  test('is the HeartbeatInterval that is desired for the station or its group', async () => {
    await stationGroups.put(manager.database, 'all', { vendor: 'Vendor' }, new Date());
    await want({ group: 'all' }, '200');
    expect(await boot()).toBe(200);
    await want({ stationId: 'CP1' }, '100');
    expect(await boot()).toBe(100);
    await want({ stationId: 'CP1' }, null);
    await want({ group: 'all' }, null);
    expect(await boot()).toBe(300);
  });

  test('is the value that a command has set if none is desired, not the one that the station reports', async () => {
    const configurationKey = [{ key: KEY, readonly: false, value: '300' }];
    await manager.command(
      'GetConfiguration',
      {},
      { configurationKey: [{ ...configurationKey[0], value: '14400' }] },
    );
    expect(await boot()).toBe(300);
    await change('120', 'Rejected');
    expect(await boot()).toBe(300);
    await change('120', 'Accepted');
    await manager.command('GetConfiguration', {}, { configurationKey });
    expect(await boot()).toBe(120);
    await want({ stationId: 'CP1' }, '90');
    expect(await boot()).toBe(90);
  });

  test.each(['0', 'abc', '99999999999'])('is the default if %s is desired', async (value) => {
    await want({ stationId: 'CP1' }, value);
    expect(await boot()).toBe(300);
  });

  test('is the retry interval, whatever is desired, until the station is accepted', async () => {
    await addStation('B-waits', 'Pending');
    await want({ stationId: 'B-waits' }, '200');
    expect(await boot('B-waits')).toBe(30);
  });
});

test('stores everything that the station reports about itself, including empty texts', async () => {
  const request = {
    ...BOOT,
    chargeBoxSerialNumber: 'SN1',
    firmwareVersion: '1.2',
    iccid: '',
    imsi: '',
    meterType: 'M',
  };
  manager.setNow(new Date('2026-11-20T08:00:00Z'));
  const { response } = await manager.ask('BootNotification', request);
  manager.setNow(undefined);
  expect(response).toEqual({ status: 'Accepted', interval: 300, currentTime: '2026-11-20T08:00:00.000Z' });
  const [row] = await manager.rows("SELECT * FROM stations WHERE station_id = 'CP1'");
  expect(row).toMatchObject({
    vendor: 'Vendor',
    model: 'Model',
    charge_box_serial_number: 'SN1',
    firmware_version: '1.2',
    iccid: '',
    meter_type: 'M',
    booted_at: new Date('2026-11-20T08:00:00Z'),
  });
});

test.each(['Pending', 'Rejected', undefined])(
  'handles only boots and billing data while %p',
  async (status) => {
    const stationId = `G-${status}`;
    await addStation(stationId, status ?? 'Accepted');
    if (status) await manager.ask('BootNotification', BOOT, { stationId });
    expect(await manager.ask('Heartbeat', {}, { stationId })).toMatchObject({ code: 'SecurityError' });
    expect(await manager.ask('Authorize', { idTag: 'X' }, { stationId })).toMatchObject({
      code: 'SecurityError',
    });
    const timestamp = '2026-11-01T00:00:00Z';
    const start = await manager.ask(
      'StartTransaction',
      { connectorId: 1, idTag: 'X', meterStart: 0, timestamp },
      { stationId },
    );
    expect(start.response).toMatchObject({ idTagInfo: { status: 'Invalid' } });
    expect(
      (await manager.ask('MeterValues', { connectorId: 1, meterValue: [] }, { stationId })).response,
    ).toEqual({});
  },
);

test('serves a station as soon as any manager has accepted it', async () => {
  await addStation('G2', 'Pending');
  await manager.ask('BootNotification', BOOT, { stationId: 'G2' });
  expect(await manager.ask('Heartbeat', {}, { stationId: 'G2' })).toMatchObject({ code: 'SecurityError' });
  await manager.rows("UPDATE stations SET registration_status = 'Accepted' WHERE station_id = 'G2'");
  expect((await manager.ask('Heartbeat', {}, { stationId: 'G2' })).response).toHaveProperty('currentTime');
});

test('rejects a station that was deleted while connected', async () => {
  const { response } = await manager.ask('BootNotification', BOOT, { stationId: 'nobody' });
  expect(response).toMatchObject({ status: 'Rejected' });
});
