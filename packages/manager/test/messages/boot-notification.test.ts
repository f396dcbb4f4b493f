import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as stations from '../../src/store/stations.ts';
import { openDesk } from '../desk.ts';
import type { Desk } from '../desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

const BOOT = { chargePointVendor: 'Vendor', chargePointModel: 'Model' };

async function addStation(stationId: string, bootAnswer: string): Promise<void> {
  await stations.addUnknown(desk.database, stationId);
  await desk.rows('UPDATE stations SET boot_answer = $2 WHERE station_id = $1', [stationId, bootAnswer]);
}

test.each([
  ['Accepted', 300],
  ['Pending', 30],
  ['Rejected', 30],
])('answers %s where the operator says so, and keeps it', async (status, interval) => {
  await addStation(`B-${status}`, status);
  const { response } = await desk.ask('BootNotification', BOOT, { stationId: `B-${status}` });
  expect(response).toMatchObject({ status, interval });
  const [row] = await desk.rows('SELECT registration_status FROM stations WHERE station_id = $1', [
    `B-${status}`,
  ]);
  expect(row).toEqual({ registration_status: status });
});

test('keeps everything that the station says of itself, empty texts too', async () => {
  const request = {
    ...BOOT,
    chargeBoxSerialNumber: 'SN1',
    firmwareVersion: '1.2',
    iccid: '',
    imsi: '',
    meterType: 'M',
  };
  desk.setNow(new Date('2026-11-20T08:00:00Z'));
  const { response } = await desk.ask('BootNotification', request);
  desk.setNow(undefined);
  expect(response).toEqual({ status: 'Accepted', interval: 300, currentTime: '2026-11-20T08:00:00.000Z' });
  const [row] = await desk.rows("SELECT * FROM stations WHERE station_id = 'CP1'");
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
  'serves only the boot and what is billed while %p',
  async (status) => {
    const stationId = `G-${status}`;
    await addStation(stationId, status ?? 'Accepted');
    if (status) await desk.ask('BootNotification', BOOT, { stationId });
    expect(await desk.ask('Heartbeat', {}, { stationId })).toMatchObject({ code: 'SecurityError' });
    expect(await desk.ask('Authorize', { idTag: 'X' }, { stationId })).toMatchObject({
      code: 'SecurityError',
    });
    const timestamp = '2026-11-01T00:00:00Z';
    const start = await desk.ask(
      'StartTransaction',
      { connectorId: 1, idTag: 'X', meterStart: 0, timestamp },
      { stationId },
    );
    expect(start.response).toMatchObject({ idTagInfo: { status: 'Invalid' } });
    expect(
      (await desk.ask('MeterValues', { connectorId: 1, meterValue: [] }, { stationId })).response,
    ).toEqual({});
  },
);

test('serves a station as soon as it is accepted, whichever manager did it', async () => {
  await addStation('G2', 'Pending');
  await desk.ask('BootNotification', BOOT, { stationId: 'G2' });
  expect(await desk.ask('Heartbeat', {}, { stationId: 'G2' })).toMatchObject({ code: 'SecurityError' });
  await desk.rows("UPDATE stations SET registration_status = 'Accepted' WHERE station_id = 'G2'");
  expect((await desk.ask('Heartbeat', {}, { stationId: 'G2' })).response).toHaveProperty('currentTime');
});

test('rejects a station that was deleted while it is connected', async () => {
  const { response } = await desk.ask('BootNotification', BOOT, { stationId: 'nobody' });
  expect(response).toMatchObject({ status: 'Rejected' });
});
