import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { KEYS, openApi } from '../http/harness.ts';
import type { TestApi } from '../http/harness.ts';
import { addTag } from '../test-manager.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
  await addTag(api.manager, 'TAG1');
});
afterAll(() => api.close());

const STARTED = '2026-11-20T10:00:00.000Z';
const STOPPED = '2026-11-20T11:00:00.000Z';

let connector = 0;
async function start(more: object = {}): Promise<{ id: number; connectorId: number }> {
  const connectorId = ++connector;
  const request = { connectorId, idTag: 'TAG1', meterStart: 1000, timestamp: STARTED, ...more };
  const { response } = await api.manager.ask('StartTransaction', request);
  return { id: (response as { transactionId: number }).transactionId, connectorId };
}
const close = (id: number, body: unknown, key: string = KEYS.operator) =>
  api.send('POST', `/api/v1/transactions/${id}/close`, body, key);
const get = async (id: number) => (await api.send('GET', `/api/v1/transactions/${id}`)).body;
const stop = (transactionId: number, meterStop: number) =>
  api.manager.ask('StopTransaction', { transactionId, meterStop, timestamp: STOPPED });
async function setTxProfile(transactionId: number, connectorId: number): Promise<void> {
  const csChargingProfiles = {
    stackLevel: 0,
    chargingProfilePurpose: 'TxProfile',
    transactionId,
    chargingProfileKind: 'Relative',
    chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 8 }] },
  };
  await api.manager.command(
    'SetChargingProfile',
    { connectorId, csChargingProfiles },
    { status: 'Accepted' },
  );
}
const profiles = (transactionId: number) =>
  api.manager.rows('SELECT 1 FROM charging_profiles WHERE transaction_id = $1', [transactionId]);

test('closing a transaction stores operator, reason and meter reading, and removes its TxProfiles', async () => {
  const { id, connectorId } = await start();
  await setTxProfile(id, connectorId);
  expect(await profiles(id)).toHaveLength(1);
  const body = {
    reason: ' station was replaced ',
    meterStopWh: 4000,
    stoppedAt: '2026-11-20T12:00:00+01:00',
  };
  const closed = await close(id, body);
  expect(closed).toMatchObject({
    status: 200,
    body: {
      state: 'closed',
      stoppedAt: null,
      meterStopWh: null,
      endedAt: STOPPED,
      energyWh: 3000,
      energySource: 'closure',
      closure: {
        closedBy: 'operator',
        reason: 'station was replaced',
        meterStopWh: 4000,
        stoppedAt: STOPPED,
        closedAt: expect.stringMatching(/Z$/) as unknown,
      },
    },
  });
  expect(await get(id)).toEqual(closed.body);
  expect(await profiles(id)).toEqual([]);
});

test('a stop after the closure completes the transaction: its values count, and the closure stays visible', async () => {
  const { id } = await start();
  await close(id, { reason: 'gone', meterStopWh: 4000 });
  expect((await stop(id, 4200)).response).toEqual({});
  expect(await get(id)).toMatchObject({
    state: 'stopped',
    stoppedAt: STOPPED,
    endedAt: STOPPED,
    meterStopWh: 4200,
    energyWh: 3200,
    energySource: 'meterStop',
    closure: { meterStopWh: 4000, reason: 'gone' },
  });
  expect(await api.manager.rows('SELECT 1 FROM unmatched_stops')).toEqual([]);
});

test('without a reading the energy of a closed transaction comes from samples', async () => {
  const { id, connectorId } = await start();
  const meterValue = [{ timestamp: '2026-11-20T10:30:00Z', sampledValue: [{ value: '2500' }] }];
  await api.manager.ask('MeterValues', { connectorId, transactionId: id, meterValue });
  expect((await close(id, { reason: 'gone' })).body).toMatchObject({
    energyWh: 1500,
    energySource: 'register',
    closure: { meterStopWh: null },
  });
});

test('a closed or stopped transaction cannot be closed again', async () => {
  const { id } = await start();
  const both = await Promise.all([close(id, { reason: 'one' }), close(id, { reason: 'two' })]);
  expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
  expect(await close(id, { reason: 'again' })).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('already closed') as unknown },
  });
  const stopped = await start();
  await stop(stopped.id, 2000);
  expect((await close(stopped.id, { reason: 'late' })).status).toBe(409);
});

test.each([
  ['no reason', {}, 'reason'],
  ['a reason of blanks', { reason: '  ' }, 'reason'],
  ['a reading below the start', { reason: 'x', meterStopWh: 999 }, 'meterStopWh'],
  ['a reading that is not an integer', { reason: 'x', meterStopWh: 1.5 }, 'meterStopWh'],
  ['a time in the future', { reason: 'x', stoppedAt: '2099-01-01T00:00:00Z' }, 'stoppedAt'],
  ['a time before the start', { reason: 'x', stoppedAt: '2026-11-20T09:59:59Z' }, 'stoppedAt'],
  ['an invalid time', { reason: 'x', stoppedAt: 'noon' }, 'stoppedAt'],
  ['an unknown field', { reason: 'x', force: true }, 'force'],
])('closing with %s is refused and names the field', async (_name, body, field) => {
  const { id } = await start();
  expect(await close(id, body)).toMatchObject({ status: 400, body: { field } });
  expect(await get(id)).toMatchObject({ state: 'open', closure: null });
});

test('closing requires the role operator and an existing transaction', async () => {
  const { id } = await start();
  expect((await close(id, { reason: 'x' }, KEYS.viewer)).status).toBe(403);
  expect((await close(2_000_000_000, { reason: 'x' })).status).toBe(404);
  expect(await get(id)).toMatchObject({ state: 'open' });
});

test('a start marks an open transaction on its connector as lost and removes its TxProfiles; a late stop completes it', async () => {
  const { id, connectorId } = await start();
  await setTxProfile(id, connectorId);
  const timestamp = '2026-11-20T13:00:00.000Z';
  const next = { connectorId, idTag: 'TAG1', meterStart: 5000, timestamp };
  await api.manager.ask('StartTransaction', next);
  expect(await get(id)).toMatchObject({ state: 'lost', endedAt: timestamp, flags: ['supersededByStart'] });
  expect(await profiles(id)).toEqual([]);
  await expect(setTxProfile(id, connectorId)).rejects.toMatchObject({ rule: 'SetProfile.1' });
  await stop(id, 4500);
  expect(await get(id)).toMatchObject({ state: 'stopped', energyWh: 3500, endedAt: STOPPED });
});

test('transactions are listed by state', async () => {
  await api.manager.rows('TRUNCATE transactions RESTART IDENTITY');
  const [open, lost, closed, stopped] = [await start(), await start(), await start(), await start()];
  await api.manager.ask('StartTransaction', {
    connectorId: lost.connectorId,
    idTag: 'TAG1',
    meterStart: 0,
    timestamp: STOPPED,
  });
  await close(closed.id, { reason: 'x' });
  await stop(stopped.id, 2000);
  const ids = async (query: string) =>
    (await api.send('GET', `/api/v1/transactions?${query}`)).body.items.map(
      ({ transactionId }) => transactionId,
    );
  expect(await ids('state=open')).toEqual([stopped.id + 1, open.id]);
  expect(await ids('open=true')).toEqual([stopped.id + 1, open.id]);
  expect(await ids('open=false')).toEqual([stopped.id, closed.id, lost.id]);
  for (const [state, id] of Object.entries({ lost: lost.id, closed: closed.id, stopped: stopped.id }))
    expect(await ids(`state=${state}`)).toEqual([id]);
  expect(await ids('flag=supersededByStart')).toEqual([lost.id]);
  expect((await api.send('GET', '/api/v1/transactions?state=none')).status).toBe(400);
});

test('a tag at its limit may charge again after its transaction was closed', async () => {
  await addTag(api.manager, 'SOLO', { concurrent_transaction_limit: 1 });
  const { id } = await start({ idTag: 'SOLO' });
  const startNext = async () => {
    const request = {
      connectorId: ++connector,
      idTag: 'SOLO',
      meterStart: 0,
      timestamp: new Date().toISOString(),
    };
    const { response } = await api.manager.ask('StartTransaction', request);
    return (response as { idTagInfo: { status: string } }).idTagInfo.status;
  };
  expect(await startNext()).toBe('ConcurrentTx');
  await close(id, { reason: 'gone', stoppedAt: STOPPED });
  expect(await startNext()).toBe('Accepted');
});
