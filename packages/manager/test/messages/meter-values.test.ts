import { SCHEMAS } from '@evander/ocpp';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());

const AT = '2026-11-20T10:00:00Z';

async function samplesOf(connectorId: number): Promise<Record<string, unknown>[]> {
  return manager.rows(
    'SELECT * FROM meter_values WHERE connector_id = $1 ORDER BY measured_at, measurand, value',
    [connectorId],
  );
}

test('stores every measurand with all its qualifiers', async () => {
  const text = JSON.stringify(SCHEMAS.MeterValues.request);
  const [, list = ''] = /"enum":\[("Energy\.Active\.Export\.Register"[^\]]*)\]/.exec(text) ?? [];
  const measurands = JSON.parse(`[${list}]`) as string[];
  expect(measurands).toHaveLength(22);
  const sampledValue = measurands.map((measurand, i) => ({
    value: `${i}.5`,
    measurand,
    context: 'Sample.Clock',
    phase: 'L1-N',
    location: 'EV',
    unit: 'kWh',
    format: 'Raw',
  }));
  expect(
    (await manager.ask('MeterValues', { connectorId: 1, meterValue: [{ timestamp: AT, sampledValue }] }))
      .response,
  ).toEqual({});
  const rows = await samplesOf(1);
  expect(rows.map(({ measurand }) => measurand).sort()).toEqual([...measurands].sort());
  expect(rows[0]).toMatchObject({
    context: 'Sample.Clock',
    phase: 'L1-N',
    location: 'EV',
    unit: 'kWh',
    format: 'Raw',
    measured_at: new Date(AT),
    transaction_id: null,
  });
});

test('fills in the defaults of the specification', async () => {
  const sampledValue = [
    { value: '7' },
    { value: '8', measurand: 'Voltage' },
    { value: '9', measurand: 'Temperature', unit: 'Celcius' },
  ];
  await manager.ask('MeterValues', { connectorId: 2, meterValue: [{ timestamp: AT, sampledValue }] });
  const rows = await samplesOf(2);
  expect(rows).toMatchObject([
    {
      measurand: 'Energy.Active.Import.Register',
      context: 'Sample.Periodic',
      location: 'Outlet',
      format: 'Raw',
      unit: 'Wh',
    },
    { measurand: 'Temperature', unit: 'Celsius' },
    { measurand: 'Voltage', unit: null },
  ]);
});

test('has one effect, however often and with whatever message id it is delivered', async () => {
  const request = {
    connectorId: 3,
    meterValue: [{ timestamp: AT, sampledValue: [{ value: '1' }, { value: '2' }] }],
  };
  for (const id of ['m1', 'm1', 'm2'])
    expect((await manager.ask('MeterValues', request, { id })).response).toEqual({});
  await Promise.all([manager.ask('MeterValues', request), manager.ask('MeterValues', request)]);
  expect(await samplesOf(3)).toHaveLength(2);
});

test('stores values of unknown, impossible and missing transactions', async () => {
  const meterValue = (value: string): object[] => [{ timestamp: AT, sampledValue: [{ value }] }];
  for (const [transactionId, value] of [
    [987654, 'a'],
    [-1, 'b'],
    [99999999999, 'c'],
    [undefined, 'd'],
  ]) {
    const { response } = await manager.ask('MeterValues', {
      connectorId: 4,
      transactionId,
      meterValue: meterValue(String(value)),
    });
    expect(response).toEqual({});
  }
  const rows = await samplesOf(4);
  expect(rows.map(({ value, transaction_id }) => [value, transaction_id])).toEqual([
    ['a', 987654],
    ['b', null],
    ['c', null],
    ['d', null],
  ]);
});

test('assigns values sent with -1 to the open transaction on the connector', async () => {
  const start = { connectorId: 5, idTag: 'X', meterStart: 0, timestamp: AT };
  const { transactionId } = (await manager.ask('StartTransaction', start)).response as {
    transactionId: number;
  };
  await manager.ask('MeterValues', {
    connectorId: 5,
    transactionId: -1,
    meterValue: [{ timestamp: AT, sampledValue: [{ value: '1' }] }],
  });
  expect(await samplesOf(5)).toMatchObject([{ transaction_id: transactionId }]);
});

test('stores the usable part of messages of real stations', async () => {
  const meterValue = [
    {
      timestamp: '1970-01-01T00:00:10Z',
      sampledValue: [{ value: 12.5, unit: 'Hertz', measurand: 'Frequency' }],
    },
    { timestamp: AT, sampledValue: [] },
    { timestamp: 'yesterday', sampledValue: [{ value: '99' }] },
    {
      timestamp: '2026-11-20T10:01Z',
      sampledValue: [{ value: 'AB12'.repeat(2000), format: 'SignedData' }, { nonsense: true }],
    },
  ];
  const question = { receivedAt: '2026-11-20T10:02:00.000Z' };
  expect((await manager.ask('MeterValues', { connectorId: 6, meterValue }, question)).response).toEqual({});
  const rows = await samplesOf(6);
  expect(rows).toMatchObject([
    { measured_at: new Date(10_000), value: '12.5', unit: 'Hertz' },
    { measured_at: new Date('2026-11-20T10:01:00Z'), value: 'AB12'.repeat(2000), format: 'SignedData' },
    { measured_at: new Date(question.receivedAt), value: '99' },
  ]);
});
