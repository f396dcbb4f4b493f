import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { DatabaseProxy } from '../../../../test/database-proxy.ts';
import { StationSocket } from '../../../gateway/test/harness.ts';
import { eventually, startServices } from './fixture.ts';
import type { Services } from './fixture.ts';

let services: Services;
let proxy: DatabaseProxy;
let gatewayUrl: string;
beforeAll(async () => {
  services = await startServices();
  proxy = await DatabaseProxy.open(services.databaseUrl);
  const managers = [
    await services.startManager({ databaseUrl: proxy.url }),
    await services.startManager({ databaseUrl: proxy.url }),
  ];
  gatewayUrl = (await services.startGateway(managers, { failFastMs: 2500 })).url;
}, 60_000);
afterAll(async () => {
  proxy.pass();
  await services.close();
  await proxy.close();
}, 60_000);

test.each(['hang', 'refuse'] as const)(
  'with a database in state "%s", driver-facing calls fail in time and billing messages wait',
  async (outage) => {
    const stationId = `AWAY-${outage}`;
    const station = new StationSocket(`${gatewayUrl}/${stationId}`);
    await once(station.socket, 'open');
    await station.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
    expect((await station.call('Authorize', { idTag: 'A' }))[0]).toBe(3);
    const timestamp = new Date().toISOString();
    const sample = [{ timestamp, sampledValue: [{ value: '1' }] }];
    const before = station.frames.items.length;

    proxy[outage]();
    station.send([
      2,
      'status',
      'StatusNotification',
      { connectorId: 1, status: 'Preparing', errorCode: 'NoError' },
    ]);
    station.send([2, 'authorize', 'Authorize', { idTag: 'A' }]);
    station.send([
      2,
      'data',
      'DataTransfer',
      { vendorId: 'org.openchargealliance.iso15118pnc', messageId: 'Authorize', data: '{}' },
    ]);
    station.send([2, 'start', 'StartTransaction', { connectorId: 1, idTag: 'A', meterStart: 5, timestamp }]);
    station.send([2, 'boot', 'BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' }]);
    station.send([2, 'sample', 'MeterValues', { connectorId: 1, meterValue: sample }]);
    const answers = (await station.frames.count(before + 3)).slice(before);
    expect(answers.map(([type, id, code]) => [type, id, code])).toEqual(
      ['authorize', 'data', 'boot'].map((id) => [4, id, 'InternalError']),
    );

    proxy.pass();
    await eventually(() => expect(station.frames.items).toHaveLength(before + 6));
    expect(station.frames.items.slice(before + 3).map(([type, id]) => [type, id])).toEqual(
      ['status', 'start', 'sample'].map((id) => [3, id]),
    );
    // A late answer to a call that was given up would have arrived by now: it precedes the answer to the next call.
    expect((await station.call('Authorize', { idTag: 'A' }))[0]).toBe(3);
    expect(station.frames.items).toHaveLength(before + 7);
    for (const table of ['transactions', 'connector_statuses', 'meter_values'])
      expect(await services.rows(`SELECT FROM ${table} WHERE station_id = $1`, [stationId])).toHaveLength(1);
    station.close();
  },
  120_000,
);
