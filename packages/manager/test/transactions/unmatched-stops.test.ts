import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as stations from '../../src/stations/stations.store.ts';
import { allPages, KEYS, openApi } from '../http/harness.ts';
import type { TestApi } from '../http/harness.ts';
import { addTag } from '../test-manager.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
  await addTag(api.manager, 'TAG1', { parent_id_tag: 'FLEET' });
  await addTag(api.manager, 'TAG2');
  await stations.addUnknown(api.manager.database, ['CP2']);
});
afterAll(() => api.close());

const STARTED = '2026-11-20T10:00:00.000Z';
let minute = 0;
const next = (): string => new Date(Date.UTC(2026, 10, 20, 11, ++minute)).toISOString();

let connector = 0;
async function start(stationId = 'CP1'): Promise<number> {
  const request = { connectorId: ++connector, idTag: 'TAG1', meterStart: 1000, timestamp: STARTED };
  const { response } = await api.manager.ask('StartTransaction', request, { stationId });
  return (response as { transactionId: number }).transactionId;
}
async function stop(transactionId: number, meterStop: number, more: object = {}): Promise<void> {
  const request = { transactionId, meterStop, timestamp: next(), ...more };
  expect(await api.manager.ask('StopTransaction', request)).toMatchObject({ response: {} });
}
/** The next unknown transaction id, for an unmatched stop. */
let unknown = 1_000_000;
async function unmatched(meterStop: number, more: object = {}): Promise<number> {
  await stop(++unknown, meterStop, more);
  const [newest] = (await api.send('GET', '/api/v1/unmatched-stops?limit=1')).body.items;
  return newest?.['unmatchedStopId'] as number;
}
const assign = (id: number, body: unknown, key: string = KEYS.operator) =>
  api.send('POST', `/api/v1/unmatched-stops/${id}/assign`, body, key);
const dismiss = (id: number, body: unknown, key: string = KEYS.operator) =>
  api.send('POST', `/api/v1/unmatched-stops/${id}/dismiss`, body, key);
const get = async (id: number) => (await api.send('GET', `/api/v1/unmatched-stops/${id}`)).body;
const transaction = async (id: number) => (await api.send('GET', `/api/v1/transactions/${id}`)).body;
const ids = async (query: string) =>
  (await allPages(api, `/api/v1/unmatched-stops?${query}`, 3)).map(({ unmatchedStopId }) => unmatchedStopId);

test('assigning a stop ends the transaction with its reading, time, reason, tag and samples', async () => {
  const id = await start();
  const timestamp = '2026-11-20T10:30:00.000Z';
  const transactionData = [{ timestamp, sampledValue: [{ value: '4000', context: 'Transaction.End' }] }];
  const more = { idTag: 'TAG2', timestamp, reason: 'EVDisconnected', transactionData };
  const stopId = await unmatched(4000, more);
  expect(await get(stopId)).toMatchObject({ state: 'open', resolvedAt: null, assignedTransactionId: null });
  const assigned = await assign(stopId, { transactionId: id, reason: ' read from the meter ' });
  expect(assigned).toMatchObject({
    status: 200,
    body: {
      unmatchedStopId: stopId,
      transactionId: unknown,
      state: 'assigned',
      assignedTransactionId: id,
      resolvedAt: expect.stringMatching(/Z$/) as unknown,
      resolvedBy: 'operator',
      resolutionReason: 'read from the meter',
    },
  });
  expect(await get(stopId)).toEqual(assigned.body);
  expect(await transaction(id)).toMatchObject({
    state: 'stopped',
    stoppedAt: timestamp,
    meterStopWh: 4000,
    energyWh: 3000,
    energySource: 'meterStop',
    stopReason: 'EVDisconnected',
    stopIdTag: 'TAG2',
    flags: ['stoppedByOtherTag', 'stopAssigned'],
  });
  const values = (await api.send('GET', `/api/v1/transactions/${id}/meter-values`)).body.items;
  expect(values).toMatchObject([{ value: '4000', context: 'Transaction.End' }]);
});

test('a dismissed stop can still be assigned', async () => {
  const [id, stopId] = [await start(), await unmatched(2000)];
  expect(await dismiss(stopId, { reason: 'of a test' })).toMatchObject({
    status: 200,
    body: {
      state: 'dismissed',
      resolvedBy: 'operator',
      resolutionReason: 'of a test',
      assignedTransactionId: null,
    },
  });
  expect(await dismiss(stopId, { reason: 'again' })).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('already dismissed') as unknown },
  });
  expect((await assign(stopId, { transactionId: id, reason: 'it was not' })).status).toBe(200);
  expect(await transaction(id)).toMatchObject({ energyWh: 1000, flags: ['stopAssigned'] });
  expect((await dismiss(stopId, { reason: 'late' })).status).toBe(409);
});

test('stops are listed by state, open ones by default', async () => {
  const [id, open, dismissed, assigned] = [
    await start(),
    await unmatched(1),
    await unmatched(2),
    await unmatched(3000),
  ];
  await dismiss(dismissed, { reason: 'x' });
  await assign(assigned, { transactionId: id, reason: 'x' });
  expect(await ids('stationId=CP1')).toEqual([open]);
  expect(await ids('state=open')).toEqual([open]);
  expect((await ids('state=dismissed')).slice(0, 1)).toEqual([dismissed]);
  expect((await ids('state=assigned')).slice(0, 1)).toEqual([assigned]);
  expect(await ids('stationId=CP2&state=assigned')).toEqual([]);
  expect((await api.send('GET', '/api/v1/unmatched-stops?state=lost')).status).toBe(400);
});

test('a stop can be assigned only once, and only to a transaction of its station that no stop with its id has ended', async () => {
  const [id, foreign, stopped, stopId] = [
    await start(),
    await start('CP2'),
    await start(),
    await unmatched(5000),
  ];
  await stop(stopped, 2000);
  for (const [transactionId, status] of [
    [foreign, 422],
    [2_000_000_000, 422],
    [stopped, 409],
  ] as const)
    expect(await assign(stopId, { transactionId, reason: 'x' })).toMatchObject({
      status,
      body: { detail: expect.stringMatching(new RegExp(`${transactionId}.*;`)) as unknown },
    });
  expect(await assign(stopId, { transactionId: foreign, reason: 'x' })).toMatchObject({
    body: { field: 'transactionId', detail: expect.stringContaining('CP1') as unknown },
  });
  expect(await get(stopId)).toMatchObject({ state: 'open' });
  const both = await Promise.all(
    [await start(), id].map((transactionId) => assign(stopId, { transactionId, reason: 'x' })),
  );
  expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
  expect(
    await api.manager.rows("SELECT 1 FROM transactions WHERE meter_stop_wh = 5000 AND state = 'stopped'"),
  ).toHaveLength(1);
  expect(await transaction(stopped)).toMatchObject({ meterStopWh: 2000 });
});

test.each([
  ['no reason', { transactionId: 1 }, 'reason'],
  ['a reason of blanks', { transactionId: 1, reason: ' ' }, 'reason'],
  ['no transaction', { reason: 'x' }, 'transactionId'],
  ['an invalid id', { transactionId: -1, reason: 'x' }, 'transactionId'],
  ['an id that is text', { transactionId: '1', reason: 'x' }, 'transactionId'],
  ['an id beyond 32 bits', { transactionId: 2 ** 31, reason: 'x' }, 'transactionId'],
  ['an unknown field', { transactionId: 1, reason: 'x', force: true }, 'force'],
])('assigning with %s is refused, and the problem names the field', async (_name, body, field) => {
  expect(await assign(1, body)).toMatchObject({ status: 400, body: { field } });
});

test('assigning and dismissing require the role operator and an existing stop', async () => {
  const [id, stopId] = [await start(), await unmatched(5001)];
  const body = { transactionId: id, reason: 'x' };
  expect((await assign(stopId, body, KEYS.viewer)).status).toBe(403);
  expect((await dismiss(stopId, { reason: 'x' }, KEYS.viewer)).status).toBe(403);
  for (const unknownStop of [2 ** 40, 0]) {
    expect((await assign(unknownStop, body)).status).toBe(404);
    expect((await dismiss(unknownStop, { reason: 'x' })).status).toBe(404);
    expect((await api.send('GET', `/api/v1/unmatched-stops/${unknownStop}`)).status).toBe(404);
  }
  expect(await get(stopId)).toMatchObject({ state: 'open' });
});

test('a stop can be assigned to a lost or closed transaction; its closure stays visible', async () => {
  const [lost, closed] = [await start(), await start()];
  const request = { connectorId: connector - 1, idTag: 'TAG1', meterStart: 9000, timestamp: next() };
  await api.manager.ask('StartTransaction', request);
  await api.send('POST', `/api/v1/transactions/${closed}/close`, { reason: 'gone', meterStopWh: 1500 });
  for (const [id, meterStop] of [
    [lost, 3000],
    [closed, 4000],
  ] as const)
    await assign(await unmatched(meterStop), { transactionId: id, reason: 'found' });
  expect(await transaction(lost)).toMatchObject({
    state: 'stopped',
    energyWh: 2000,
    flags: ['supersededByStart', 'stopAssigned'],
  });
  expect(await transaction(closed)).toMatchObject({
    state: 'stopped',
    energyWh: 3000,
    closure: { reason: 'gone', meterStopWh: 1500 },
  });
});

test('an inferred or assigned stop becomes unmatched when another one is assigned or the stop with the id arrives', async () => {
  const stationId = 'CP2';
  await api.manager.rows(
    "UPDATE transactions SET lost_at = now(), flags = '{supersededByStart}' WHERE station_id = 'CP2'",
  );
  const id = await start(stationId);
  const ask = (transactionId: number, meterStop: number) =>
    api.manager.ask('StopTransaction', { transactionId, meterStop, timestamp: next() }, { stationId });
  const open = async () =>
    (await api.send('GET', `/api/v1/unmatched-stops?stationId=${stationId}`)).body.items;
  await ask(-1, 2000);
  expect(await transaction(id)).toMatchObject({ energyWh: 1000, flags: ['stopInferred'] });
  expect(await open()).toEqual([]);
  await ask(++unknown, 3000);
  const [{ unmatchedStopId } = {}] = await open();
  await assign(unmatchedStopId as number, { transactionId: id, reason: 'x' });
  expect(await transaction(id)).toMatchObject({ energyWh: 2000, flags: ['stopAssigned'] });
  expect(await open()).toMatchObject([{ transactionId: -1, meterStopWh: 2000, why: 'alreadyStopped' }]);
  await ask(id, 4000);
  expect(await transaction(id)).toMatchObject({ energyWh: 3000, flags: [] });
  expect(await open()).toMatchObject([
    { transactionId: -1, meterStopWh: 2000 },
    {
      unmatchedStopId,
      transactionId: unknown,
      meterStopWh: 3000,
      why: 'alreadyStopped',
      resolvedAt: null,
      resolvedBy: null,
      resolutionReason: null,
    },
  ]);
  expect((await assign(unmatchedStopId as number, { transactionId: id, reason: 'x' })).status).toBe(409);
});
