import { expect, test } from '@jest/globals';
import { bootPair } from './setup.ts';

test('a whole session reaches the manager as recorded in the ledger', async () => {
  const { manager, station } = await bootPair();
  const record = await station.chargeSession({ idTag: 'TAG', meterValues: 5, energyWh: 12_000 });

  expect(record).toMatchObject({ transactionId: 1, idTagStatus: 'Accepted', energyWh: 12_000 });
  const [session] = station.ledger.sessions;
  const [start] = manager.requests('StartTransaction');
  const [stop] = manager.requests('StopTransaction');
  expect(start).toEqual({
    connectorId: 1,
    idTag: 'TAG',
    meterStart: session?.meterStart,
    timestamp: session?.startedAt,
  });
  expect(stop).toEqual({
    transactionId: 1,
    idTag: 'TAG',
    meterStop: session?.stop?.meterStop,
    timestamp: session?.stop?.timestamp,
  });
  const received = manager
    .requests('MeterValues')
    .flatMap(({ meterValue }) => meterValue)
    .flatMap(({ timestamp, sampledValue }) => sampledValue.map((value) => ({ timestamp, ...value })))
    .map(({ format: _format, ...value }) => ({ ...value, connectorId: 1, acknowledged: true }));
  expect(received).toEqual(session?.samples);
  expect(received).toHaveLength(7 * 9);
  expect(station.violations).toEqual([]);
});

test('a session goes through the statuses of a charge', async () => {
  const { manager, station } = await bootPair();
  await station.chargeSession({ idTag: 'TAG', meterValues: 1, energyWh: 1000 });
  const statuses = manager
    .requests('StatusNotification')
    .map(({ connectorId, status }) => [connectorId, status]);
  expect(statuses).toEqual([
    [0, 'Available'],
    [1, 'Available'],
    [1, 'Preparing'],
    [1, 'Charging'],
    [1, 'SuspendedEV'],
    [1, 'Finishing'],
    [1, 'Available'],
  ]);
});

test('the register grows from session to session and power ramps, holds and tapers', async () => {
  const { station } = await bootPair();
  const first = await station.chargeSession({ idTag: 'TAG', meterValues: 20, energyWh: 20_000 });
  const second = await station.chargeSession({ idTag: 'TAG', meterValues: 20, energyWh: 5_000 });
  expect(second.meterStart).toBe(first.meterStop);
  const values = (measurand: string) =>
    first.session?.samples
      .filter((sample) => sample.measurand === measurand)
      .map(({ value }) => Number(value));
  const registers = values('Energy.Active.Import.Register') ?? [];
  expect(registers).toEqual([...registers].sort((left, right) => left - right));
  const powers = values('Power.Active.Import') ?? [];
  expect(powers[1]).toBeLessThan(powers[10] ?? 0);
  expect(powers[19]).toBeLessThan(powers[10] ?? 0);
  expect([11_000, 22_000]).toContain(powers[10]);
});

test('transaction data repeats the samples in the StopTransaction and contains the last one', async () => {
  const { manager, station } = await bootPair();
  await station.chargeSession({ idTag: 'TAG', meterValues: 2, energyWh: 900, withTransactionData: true });
  const [stop] = manager.requests('StopTransaction');
  const contexts = stop?.transactionData?.map(({ sampledValue }) => sampledValue[0]?.context);
  expect(contexts).toEqual(['Transaction.Begin', 'Sample.Periodic', 'Sample.Periodic', 'Transaction.End']);
  expect(manager.requests('MeterValues')).toHaveLength(3);
  expect(station.ledger.sessions[0]?.samples.every(({ acknowledged }) => acknowledged)).toBe(true);
});

test('a tag that is refused at Authorize starts nothing', async () => {
  const { manager, station } = await bootPair();
  manager.answers.Authorize = () => ({ idTagInfo: { status: 'Blocked' } });
  const record = await station.chargeSession({ idTag: 'BAD' });
  expect(record).toMatchObject({ idTagStatus: 'Blocked', session: undefined });
  expect(manager.requests('StartTransaction')).toEqual([]);
});

test('a tag that is refused at StartTransaction ends the transaction as DeAuthorized', async () => {
  const { manager, station } = await bootPair();
  manager.answers.StartTransaction = () => ({ transactionId: 9, idTagInfo: { status: 'Invalid' } });
  const record = await station.chargeSession({ idTag: 'BAD', authorize: false });
  expect(record).toMatchObject({ transactionId: 9, idTagStatus: 'Invalid', energyWh: 0 });
  expect(manager.requests('StopTransaction')).toMatchObject([{ transactionId: 9, reason: 'DeAuthorized' }]);
});

test('the same seed gives the same session', async () => {
  const runs = [];
  for (let run = 0; run < 2; run++) {
    const { station } = await bootPair({ seed: 42 });
    const { session } = await station.chargeSession({ idTag: 'TAG', meterValues: 3, energyWh: 5000 });
    runs.push(session?.samples.map(({ measurand, phase, value }) => [measurand, phase, value]));
  }
  expect(runs[0]).toEqual(runs[1]);
});
