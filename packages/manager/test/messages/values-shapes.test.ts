import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());

const TIME = '2026-11-20T10:00:00Z';

test('a model of 23 characters and a vendor of more than 20 boot', async () => {
  const names = {
    chargePointVendor: 'Hangzhou Interesting Charging',
    chargePointModel: 'HICI-AC-22kW-Type2-4G-X',
  };
  expect((await manager.ask('BootNotification', names)).response).toMatchObject({ status: 'Accepted' });
  expect(await manager.rows("SELECT vendor, model FROM stations WHERE station_id = 'CP1'")).toEqual([
    { vendor: names.chargePointVendor, model: names.chargePointModel },
  ]);
});

test.each(['T'.repeat(6000), randomBytes(3000).toString('hex'), 'é'.repeat(6000)])(
  'a start with an idTag of 6,000 characters is Invalid and gets an id, and the same one when repeated: %#',
  async (idTag) => {
    const request = { connectorId: 1, idTag, meterStart: 0, timestamp: TIME };
    const { response } = await manager.ask('StartTransaction', request);
    expect(response).toEqual({ idTagInfo: { status: 'Invalid' }, transactionId: expect.any(Number) });
    const repeated = { ...request, idTag: idTag.toUpperCase() };
    expect((await manager.ask('StartTransaction', repeated)).response).toEqual(response);
    const { transactionId } = response as { transactionId: number };
    const stop = { transactionId, idTag, meterStop: 5, timestamp: TIME };
    expect((await manager.ask('StopTransaction', stop)).response).toEqual({
      idTagInfo: { status: 'Invalid' },
    });
    expect(
      await manager.rows('SELECT id_tag, flags FROM transactions WHERE transaction_id = $1', [transactionId]),
    ).toEqual([{ id_tag: expect.stringMatching(/^.{150,300}$/), flags: [] }]);
  },
);

test('an object in place of a list is treated as a list of one', async () => {
  const sampledValue = { value: '77', unit: 'Wh' };
  const transactionId = 800_001;
  const request = { connectorId: 3, transactionId, meterValue: { timestamp: TIME, sampledValue } };
  expect((await manager.ask('MeterValues', request)).response).toEqual({});
  expect(await manager.rows('SELECT value FROM meter_values WHERE connector_id = 3')).toEqual([
    { value: '77' },
  ]);
});

test.each([0, 1, '0', 'True'])('a configuration with readonly %p keeps all its keys', async (readonly) => {
  const configurationKey = Array.from({ length: 40 }, (_, i) => ({
    key: `K${i}`,
    readonly: i % 2 === 0,
    value: 'v',
  }));
  await manager.command(
    'GetConfiguration',
    {},
    { configurationKey: [...configurationKey, { key: 'Odd', readonly, value: 'v' }] },
  );
  expect(await manager.rows("SELECT 1 FROM configuration_keys WHERE station_id = 'CP1'")).toHaveLength(41);
  expect(await manager.rows("SELECT readonly FROM configuration_keys WHERE key = 'Odd'")).toEqual([
    { readonly: readonly === 1 || readonly === 'True' },
  ]);
});

test.each<[string, object, object]>([
  [
    'an invented errorCode',
    { status: 'Faulted', errorCode: 'EmergencyPressed' },
    { status: 'Faulted', error_code: 'EmergencyPressed' },
  ],
  ['no errorCode', { status: 'Faulted' }, { status: 'Faulted', error_code: 'NoError' }],
  [
    'null for the errorCode',
    { status: 'Faulted', errorCode: null },
    { status: 'Faulted', error_code: 'NoError' },
  ],
  ['an empty errorCode', { status: 'Faulted', errorCode: '' }, { status: 'Faulted', error_code: 'NoError' }],
  [
    'a status of OCPP 2',
    { status: 'Occupied', errorCode: 'NoError' },
    { status: 'Occupied', error_code: 'NoError' },
  ],
  [
    'the connector as text',
    { connectorId: '41', status: 'Charging', errorCode: 'NoError' },
    { status: 'Charging', error_code: 'NoError' },
  ],
  [
    'very long texts',
    { status: randomBytes(3000).toString('hex'), errorCode: randomBytes(3000).toString('hex') },
    { status: expect.stringMatching(/^\w{300}$/), error_code: expect.stringMatching(/^\w{300}$/) },
  ],
])('of a status with %s the usable part is shown', async (_what, request, shown) => {
  expect((await manager.ask('StatusNotification', { connectorId: 41, ...request })).response).toEqual({});
  expect(await manager.rows('SELECT status, error_code FROM connectors WHERE connector_id = 41')).toEqual([
    shown,
  ]);
});
