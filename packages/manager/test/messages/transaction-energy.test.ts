import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { addTag, openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
  await addTag(manager, 'TAG1');
});
afterAll(() => manager.close());

const at = (minutes: number): string => new Date(Date.UTC(2026, 10, 20, 10, minutes)).toISOString();
const sampleAt = (minutes: number, value: string, more: object = {}) => ({
  timestamp: at(minutes),
  sampledValue: [{ value, ...more }],
});

let connector = 0;
interface Running {
  transactionId: number;
  connectorId: number;
}
async function start(meterStart: number): Promise<Running> {
  const connectorId = ++connector;
  const request = { connectorId, idTag: 'TAG1', meterStart, timestamp: at(0) };
  const { response } = await manager.ask('StartTransaction', request);
  return { transactionId: (response as Running).transactionId, connectorId };
}
const report = (running: Running, ...meterValue: object[]) =>
  manager.ask('MeterValues', { ...running, meterValue });
const stop = ({ transactionId }: Running, meterStop: number, transactionData?: object[]) =>
  manager.ask('StopTransaction', {
    transactionId,
    meterStop,
    timestamp: at(60),
    ...(transactionData && { transactionData }),
  });
async function energy({ transactionId }: Running): Promise<unknown[]> {
  const [row] = await manager.rows(
    'SELECT energy_wh, energy_source, flags || meter_flags AS flags FROM transactions WHERE transaction_id = $1',
    [transactionId],
  );
  return [row?.['energy_wh'], row?.['energy_source'], ...(row?.['flags'] as string[])];
}

test('energy comes from samples during the transaction, and from its two readings after the stop', async () => {
  const running = await start(1000);
  expect(await energy(running)).toEqual([null, null]);
  await report(running, sampleAt(5, '1200'));
  expect(await energy(running)).toEqual([200, 'register']);
  await report(running, sampleAt(10, '3500'), sampleAt(15, '4000'));
  expect(await energy(running)).toEqual([3000, 'register']);
  await stop(running, 4100);
  expect(await energy(running)).toEqual([3100, 'meterStop']);
});

test('energy never decreases during the transaction, even with a late sample or a falling register', async () => {
  const running = await start(1000);
  await report(running, sampleAt(20, '5000'));
  await report(running, sampleAt(10, '3000'));
  expect(await energy(running)).toEqual([4000, 'register']);
  await report(running, sampleAt(30, '200'));
  expect(await energy(running)).toEqual([4000, 'register', 'registerBackwards']);
});

test.each([
  ['Wh', '1500', { unit: 'Wh' }, 500],
  ['kWh', '1.75', { unit: 'kWh' }, 750],
  ['KWH, a common misspelling', '1.75', { unit: 'KWH' }, 750],
  ['a number with an exponent', '1.6e3', {}, 600],
  ['the context of a trigger', '1400', { context: 'Trigger' }, 400],
])('a sample in %s counts', async (_name, value, more, energyWh) => {
  const running = await start(1000);
  await report(running, sampleAt(5, value, more));
  expect(await energy(running)).toEqual([energyWh, 'register']);
});

test.each([
  ['of another location', { location: 'Inlet' }],
  ['of another measurand', { measurand: 'Energy.Active.Import.Interval' }],
  ['of export', { measurand: 'Energy.Active.Export.Register' }],
  ['in another unit', { unit: 'varh' }],
  ['that is signed', { format: 'SignedData' }],
])('a sample %s does not count', async (_name, more) => {
  const running = await start(1000);
  await report(running, sampleAt(5, '1500', more), sampleAt(6, 'many'), sampleAt(7, ''));
  expect(await energy(running)).toEqual([null, null]);
});

test('values of phases are summed if there is no total', async () => {
  const running = await start(3000);
  const phases = (values: number[]) =>
    values.map((value, i) => ({ value: String(value), phase: `L${i + 1}` }));
  await report(running, { timestamp: at(5), sampledValue: phases([1200, 1100, 1000]) });
  expect(await energy(running)).toEqual([300, 'register']);
  await report(running, { timestamp: at(6), sampledValue: [...phases([9, 9, 9]), { value: '3400' }] });
  expect(await energy(running)).toEqual([400, 'register']);
});

test('a repeated sample, or one from before the start, changes nothing', async () => {
  const running = await start(1000);
  for (let i = 0; i < 2; i++) await report(running, sampleAt(5, '1500'));
  await report(running, { ...sampleAt(0, '90000'), timestamp: '1970-01-01T00:00:10Z' });
  expect(await energy(running)).toEqual([500, 'register']);
});

test("samples of another station's transaction do not count", async () => {
  const running = await start(1000);
  await manager.ask('MeterValues', { ...running, meterValue: [sampleAt(5, '1500')] }, { stationId: 'CP2' });
  expect(await energy(running)).toEqual([null, null]);
});

test('a start at 0 of a lifetime meter is flagged, and energy counts from the first reading', async () => {
  const running = await start(0);
  await report(running, sampleAt(1, '5234.0', { unit: 'kWh' }));
  await report(running, sampleAt(2, '5235.5', { unit: 'kWh' }));
  expect(await energy(running)).toEqual([1500, 'register', 'meterStartImplausible']);
  await stop(running, 5_240_000);
  expect(await energy(running)).toEqual([6000, 'meterStop', 'meterStartImplausible']);
});

test('if the start is impossible and nothing else is known, there is no energy', async () => {
  const running = await start(0);
  await stop(running, 5_240_000);
  expect(await energy(running)).toEqual([null, null, 'meterStopImplausible']);
});

test('readings of Transaction.Begin and Transaction.End replace an impossible start and stop', async () => {
  const running = await start(5000);
  await stop(running, 0, [
    sampleAt(0, '70000', { context: 'Transaction.Begin' }),
    sampleAt(30, '75000'),
    sampleAt(60, '78000', { context: 'Transaction.End' }),
  ]);
  expect(await energy(running)).toEqual([
    8000,
    'transactionEnd',
    'meterStopBelowStart',
    'meterStartImplausible',
    'registerBackwards',
  ]);
});

test('the reading of Transaction.Begin replaces a start at 0, even if the meter shows little', async () => {
  const running = await start(0);
  await stop(running, 70_000, [sampleAt(0, '60', { context: 'Transaction.Begin', unit: 'kWh' })]);
  expect(await energy(running)).toEqual([10_000, 'meterStop', 'meterStartImplausible']);
});

test('a consistent start and stop take precedence over samples that fit neither', async () => {
  const running = await start(0);
  await report(running, sampleAt(1, '5234', { unit: 'kWh' }));
  await stop(running, 4000);
  expect(await energy(running)).toEqual([4000, 'meterStop', 'meterStartImplausible', 'registerBackwards']);
});

test('a stop below the start is flagged, and energy comes from samples', async () => {
  const running = await start(1000);
  await report(running, sampleAt(5, '1500'), sampleAt(6, '1900'));
  await stop(running, 0);
  expect(await energy(running)).toEqual([900, 'register', 'meterStopBelowStart', 'registerBackwards']);
});

test('negative readings are flagged, and their difference counts', async () => {
  const running = await start(-500);
  await stop(running, 300);
  expect(await energy(running)).toEqual([800, 'meterStop', 'meterNegative']);
});

test('more energy than a connector can deliver is flagged and not counted', async () => {
  const running = await start(1000);
  await report(running, sampleAt(5, '1500'), sampleAt(6, '900000000'));
  expect(await energy(running)).toEqual([500, 'register', 'registerImplausible']);
  await report(running, sampleAt(7, '1600'));
  expect((await energy(running)).slice(0, 2)).toEqual([600, 'register']);
  await stop(running, 5000);
  expect((await energy(running)).slice(0, 2)).toEqual([4000, 'meterStop']);
});

test('samples of many concurrent transactions are kept separate', async () => {
  const running = await Promise.all([1, 2, 3, 4, 5].map((i) => start(i * 1000)));
  await Promise.all(running.map((one, i) => report(one, sampleAt(5, String((i + 1) * 1000 + 10 * (i + 1))))));
  expect(await Promise.all(running.map((one) => energy(one)))).toEqual(
    running.map((_, i) => [10 * (i + 1), 'register']),
  );
});

test.each(['Body', 'Cable', 'EV'])(
  'a register at %s counts during charging if there is none at the outlet',
  async (location) => {
    const running = await start(1000);
    await report(running, sampleAt(5, '1200', { location }));
    await report(running, sampleAt(10, '3500', { location }), sampleAt(10, '900000', { location: 'Inlet' }));
    expect(await energy(running)).toEqual([2500, 'register']);
    await stop(running, 4100);
    expect(await energy(running)).toEqual([3100, 'meterStop']);
  },
);

test('the register at the outlet replaces another one, whenever it arrives, and is not mixed with it', async () => {
  const running = await start(1000);
  await report(running, sampleAt(5, '2200', { location: 'Body' }));
  expect(await energy(running)).toEqual([1200, 'register']);
  await report(running, sampleAt(10, '1900'), sampleAt(10, '2900', { location: 'Body' }));
  expect(await energy(running)).toEqual([900, 'register']);
  await report(
    running,
    sampleAt(15, '8000', { location: 'Body' }),
    sampleAt(15, '8100', { location: 'Cable' }),
  );
  expect(await energy(running)).toEqual([900, 'register']);
  await report(running, sampleAt(20, '2100'));
  expect(await energy(running)).toEqual([1100, 'register']);
});

test('phases at two locations are summed per location', async () => {
  const running = await start(0);
  const of = (location: string, value: string) =>
    ['L1', 'L2', 'L3'].map((phase) => ({ value, phase, location }));
  await report(running, { timestamp: at(5), sampledValue: [...of('Cable', '500'), ...of('Body', '100')] });
  expect(await energy(running)).toEqual([300, 'register']);
});
