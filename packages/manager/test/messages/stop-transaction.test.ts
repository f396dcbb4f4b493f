import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as stations from '../../src/stations/stations.store.ts';
import { addTag, openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
  await addTag(manager, 'GOOD', { parent_id_tag: 'FLEET' });
  await addTag(manager, 'MATE', { parent_id_tag: 'fleet' });
  await addTag(manager, 'OTHER');
});
afterAll(() => manager.close());

const STARTED = '2026-11-20T10:00:00.000Z';
const STOPPED = '2026-11-20T11:00:00.000Z';

let connector = 0;
async function start(
  idTag = 'GOOD',
  more: object = {},
): Promise<{ transactionId: number; connectorId: number }> {
  const connectorId = ++connector;
  const request = { connectorId, idTag, meterStart: 1000, timestamp: STARTED, ...more };
  const { transactionId } = (await manager.ask('StartTransaction', request)).response as {
    transactionId: number;
  };
  return { transactionId, connectorId };
}

async function row(transactionId: number): Promise<Record<string, unknown> | undefined> {
  return (await manager.rows('SELECT * FROM transactions WHERE transaction_id = $1', [transactionId]))[0];
}

async function unmatched(transactionId: number): Promise<Record<string, unknown>[]> {
  return manager.rows('SELECT * FROM unmatched_stops WHERE transaction_id = $1', [transactionId]);
}

test('ends the transaction with its energy, its reason and its data', async () => {
  const { transactionId } = await start();
  const transactionData = [
    { timestamp: STOPPED, sampledValue: [{ value: '8500', context: 'Transaction.End' }] },
  ];
  const request = {
    transactionId,
    idTag: 'GOOD',
    meterStop: 8500,
    timestamp: STOPPED,
    reason: 'EVDisconnected',
    transactionData,
  };
  const { response } = await manager.ask('StopTransaction', request, { id: 'stop1' });
  expect(response).toEqual({ idTagInfo: { status: 'Accepted', parentIdTag: 'FLEET' } });
  expect(await row(transactionId)).toMatchObject({
    meter_stop_wh: 8500,
    energy_wh: 7500,
    stopped_at: new Date(STOPPED),
    stop_reason: 'EVDisconnected',
    stop_id_tag: 'GOOD',
    stop_message_id: 'stop1',
    flags: [],
  });
  const values = await manager.rows('SELECT value, context FROM meter_values WHERE transaction_id = $1', [
    transactionId,
  ]);
  expect(values).toEqual([{ value: '8500', context: 'Transaction.End' }]);
});

test('answers no idTagInfo without a tag, and treats a missing reason as Local', async () => {
  const { transactionId } = await start();
  const { response } = await manager.ask('StopTransaction', {
    transactionId,
    meterStop: 1000,
    timestamp: STOPPED,
  });
  expect(response).toEqual({});
  expect(await row(transactionId)).toMatchObject({ stop_reason: 'Local', energy_wh: 0, stop_id_tag: null });
});

test('a repeat has one effect and the same answer, even if the tag has changed meanwhile', async () => {
  await addTag(manager, 'SOON');
  const { transactionId } = await start('SOON');
  const request = { transactionId, idTag: 'SOON', meterStop: 2000, timestamp: STOPPED };
  const first = await manager.ask('StopTransaction', request, { id: 'x1' });
  await manager.rows("UPDATE tags SET status = 'Blocked' WHERE id_tag = 'SOON'");
  for (const id of ['x1', 'x2']) expect(await manager.ask('StopTransaction', request, { id })).toEqual(first);
  expect(await unmatched(transactionId)).toEqual([]);
});

test('two stops within a millisecond have one effect and two answers', async () => {
  const { transactionId } = await start();
  const request = { transactionId, meterStop: 3000, timestamp: STOPPED };
  const answers = await Promise.all([
    manager.ask('StopTransaction', { ...request, reason: 'Local' }),
    manager.ask('StopTransaction', request),
  ]);
  expect(answers.map(({ response }) => response)).toEqual([{}, {}]);
  expect(await row(transactionId)).toMatchObject({ energy_wh: 2000 });
  expect(await unmatched(transactionId)).toEqual([]);
});

test('the first of two different stops counts; the other is stored for an operator', async () => {
  const { transactionId } = await start();
  await manager.ask('StopTransaction', { transactionId, meterStop: 3000, timestamp: STOPPED });
  const { response } = await manager.ask('StopTransaction', {
    transactionId,
    meterStop: 9999,
    timestamp: '2026-11-20T12:00:00Z',
  });
  expect(response).toEqual({});
  expect(await row(transactionId)).toMatchObject({ energy_wh: 2000 });
  expect(await unmatched(transactionId)).toMatchObject([{ why: 'alreadyStopped', meter_stop_wh: 9999 }]);
});

test("answers and stores a stop of an unknown transaction, or of another station's", async () => {
  await stations.addUnknown(manager.database, ['CP2']);
  const { transactionId } = await start();
  const request = { meterStop: 1, timestamp: STOPPED, idTag: 'GOOD' };
  for (const [id, stationId] of [
    [424242, 'CP1'],
    [2 ** 40, 'CP1'],
    [0, 'CP1'],
    [transactionId, 'CP2'],
  ] as const) {
    const { response } = await manager.ask(
      'StopTransaction',
      { ...request, transactionId: id },
      { stationId },
    );
    expect(response).toEqual({ idTagInfo: { status: 'Accepted', parentIdTag: 'FLEET' } });
    await manager.ask('StopTransaction', { ...request, transactionId: id }, { stationId });
    expect(await unmatched(id)).toMatchObject([
      { station_id: stationId, why: 'unknownTransaction', request: { meterStop: 1 } },
    ]);
  }
  expect(await row(transactionId)).toMatchObject({ stopped_at: null });
});

test('-1 ends the transaction whose id the station never received, once', async () => {
  await addTag(manager, 'NAMELESS');
  const { transactionId } = await start('NAMELESS');
  const request = { transactionId: -1, idTag: 'nameless', meterStop: 4000, timestamp: STOPPED };
  const other = await start('NAMELESS', { timestamp: '2026-11-20T12:00:00Z' });
  for (let i = 0; i < 2; i++)
    expect((await manager.ask('StopTransaction', request)).response).toMatchObject({ idTagInfo: {} });
  expect(await row(transactionId)).toMatchObject({ energy_wh: 3000 });
  expect(await row(other.transactionId)).toMatchObject({ stopped_at: null });
  expect(await unmatched(-1)).toEqual([]);
});

test('-1 without a start is stored for an operator', async () => {
  const request = { transactionId: -1, idTag: 'NEVER', meterStop: 4000, timestamp: STOPPED };
  expect((await manager.ask('StopTransaction', request)).response).toEqual({
    idTagInfo: { status: 'Invalid' },
  });
  expect(await unmatched(-1)).toHaveLength(1);
});

test('flags implausible stops, and refuses none', async () => {
  const below = await start();
  const stop = {
    meterStop: 500,
    timestamp: '2026-11-20T09:00:00Z',
    idTag: 'OTHER',
    transactionId: below.transactionId,
  };
  expect((await manager.ask('StopTransaction', stop)).response).toEqual({
    idTagInfo: { status: 'Accepted' },
  });
  expect(await row(below.transactionId)).toMatchObject({
    energy_wh: null,
    flags: ['meterStopBelowStart', 'stopBeforeStart', 'stoppedByOtherTag'],
  });
  const grouped = await start();
  await manager.ask('StopTransaction', {
    transactionId: grouped.transactionId,
    idTag: 'MATE',
    meterStop: 2000,
    timestamp: STOPPED,
  });
  expect(await row(grouped.transactionId)).toMatchObject({ flags: [] });
});

test('a late stop still completes a transaction that a new start has superseded', async () => {
  const { transactionId, connectorId } = await start();
  await manager.ask('StartTransaction', {
    connectorId,
    idTag: 'GOOD',
    meterStart: 5000,
    timestamp: '2026-11-20T13:00:00Z',
  });
  await manager.ask('StopTransaction', { transactionId, meterStop: 4500, timestamp: STOPPED });
  expect(await row(transactionId)).toMatchObject({ energy_wh: 3500, flags: ['supersededByStart'] });
});

test('ignores data that was sent as MeterValues before', async () => {
  const { transactionId, connectorId } = await start();
  const meterValue = [
    { timestamp: STOPPED, sampledValue: [{ value: '1500' }, { value: '230', measurand: 'Voltage' }] },
  ];
  await manager.ask('MeterValues', { connectorId, transactionId, meterValue });
  const transactionData = [
    { timestamp: STOPPED, sampledValue: [{ value: '1500' }, { value: '1600', context: 'Transaction.End' }] },
  ];
  await manager.ask('StopTransaction', {
    transactionId,
    meterStop: 1600,
    timestamp: STOPPED,
    transactionData,
  });
  expect(
    await manager.rows('SELECT 1 FROM meter_values WHERE transaction_id = $1', [transactionId]),
  ).toHaveLength(3);
});

test('invalid parts of the data, an unknown reason or a too long tag do not affect the rest', async () => {
  const { transactionId } = await start();
  const transactionData = [{ timestamp: STOPPED, sampledValue: [{ value: '7', phase: 'L9' }] }, 'nonsense'];
  const request = {
    transactionId,
    idTag: 'Y'.repeat(30),
    meterStop: 1600,
    timestamp: STOPPED,
    reason: 'Aliens',
    transactionData,
  };
  expect((await manager.ask('StopTransaction', request)).response).toEqual({
    idTagInfo: { status: 'Invalid' },
  });
  expect(await row(transactionId)).toMatchObject({ energy_wh: 600, stop_reason: 'Aliens' });
  expect(
    await manager.rows('SELECT phase FROM meter_values WHERE transaction_id = $1', [transactionId]),
  ).toEqual([{ phase: 'L9' }]);
});
