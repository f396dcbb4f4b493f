import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { addTag, openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
  await addTag(manager, 'GOOD', { parent_id_tag: 'FLEET' });
});
afterAll(() => manager.close());

interface Answer {
  transactionId: number;
  idTagInfo: { status: string; parentIdTag?: string };
}

let minute = 0;
function startOf(connectorId: number, idTag = 'GOOD', more: object = {}): Record<string, unknown> {
  const timestamp = new Date(Date.UTC(2026, 10, 20, 0, minute++)).toISOString();
  return { connectorId, idTag, meterStart: 1000, timestamp, ...more };
}

async function start(request: object, question = {}): Promise<Answer> {
  return (await manager.ask('StartTransaction', request, question)).response as Answer;
}

test('stores the start and answers with a new positive id and the tag with its group', async () => {
  const request = startOf(1, 'good', { reservationId: 7 });
  const first = await start(request, { id: 's1', receivedAt: '2026-11-20T10:00:00.000Z' });
  expect(first.idTagInfo).toEqual({ status: 'Accepted', parentIdTag: 'FLEET' });
  expect(first.transactionId).toBeGreaterThan(0);
  const [row] = await manager.rows('SELECT * FROM transactions WHERE transaction_id = $1', [
    first.transactionId,
  ]);
  expect(row).toMatchObject({
    station_id: 'CP1',
    connector_id: 1,
    id_tag: 'good',
    parent_id_tag: 'FLEET',
    id_tag_status: 'Accepted',
    meter_start_wh: 1000,
    reservation_id: 7,
    start_message_id: 's1',
    start_received_at: new Date('2026-11-20T10:00:00Z'),
    stopped_at: null,
  });
  expect((await start(startOf(2))).transactionId).not.toBe(first.transactionId);
});

test('answers a repeat with the same id, whatever its message id', async () => {
  const request = startOf(3);
  const first = await start(request, { id: 'r1' });
  expect(await start(request, { id: 'r1' })).toEqual(first);
  expect(await start(request, { id: 'r2' })).toEqual(first);
  expect(await manager.rows('SELECT 1 FROM transactions WHERE connector_id = 3')).toHaveLength(1);
});

test('answers a repeat as before even if the tag was blocked or reached its limit meanwhile', async () => {
  await addTag(manager, 'LATER', { concurrent_transaction_limit: 1 });
  const request = startOf(4, 'LATER');
  const first = await start(request);
  expect(first.idTagInfo.status).toBe('Accepted');
  expect(await start(request)).toEqual(first);
  await manager.rows("UPDATE tags SET status = 'Blocked' WHERE id_tag = 'LATER'");
  expect(await start(request)).toEqual(first);
});

test('has one effect if several managers receive it concurrently', async () => {
  const request = startOf(5);
  const answers = await Promise.all(Array.from({ length: 20 }, () => start(request)));
  expect(new Set(answers.map(({ transactionId }) => transactionId)).size).toBe(1);
});

test.each([
  ['NOBODY', {}, 'Invalid'],
  ['BLOCKED', { status: 'Blocked' }, 'Blocked'],
  ['OLD', { expiry_date: '2020-01-01' }, 'Expired'],
])('records a transaction even if the tag is refused: %s', async (idTag, columns, status) => {
  if (status !== 'Invalid') await addTag(manager, idTag, columns);
  const [one, two] = [await start(startOf(6, idTag)), await start(startOf(7, idTag))];
  expect([one.idTagInfo.status, two.idTagInfo.status]).toEqual([status, status]);
  expect(one.transactionId).toBeGreaterThan(0);
  expect(two.transactionId).not.toBe(one.transactionId);
});

test('answers ConcurrentTx if the tag was at its limit at that time, and stores the start anyway', async () => {
  await addTag(manager, 'TWICE', { concurrent_transaction_limit: 2 });
  const statuses: string[] = [];
  for (const connectorId of [11, 12, 13])
    statuses.push((await start(startOf(connectorId, 'TWICE'))).idTagInfo.status);
  expect(statuses).toEqual(['Accepted', 'Accepted', 'ConcurrentTx']);
  const queued = { connectorId: 14, idTag: 'TWICE', meterStart: 0, timestamp: '2025-01-01T00:00:00Z' };
  expect((await start(queued)).idTagInfo.status).toBe('Accepted');
});

test('accepts no more concurrent starts than the limit', async () => {
  await addTag(manager, 'RACE', { concurrent_transaction_limit: 3 });
  const starts = Array.from({ length: 10 }, (_, i) =>
    startOf(100 + i, 'RACE', { timestamp: '2026-11-20T12:00:00Z' }),
  );
  const answers = await Promise.all(starts.map((request) => start(request)));
  expect(answers.filter(({ idTagInfo }) => idTagInfo.status === 'Accepted')).toHaveLength(3);
});

test('flags an open transaction on the connector, and no longer counts it', async () => {
  await addTag(manager, 'SOLO', { concurrent_transaction_limit: 1 });
  const lost = await start(startOf(20, 'SOLO'));
  const next = await start(startOf(20, 'SOLO'));
  expect(next.idTagInfo.status).toBe('Accepted');
  expect((await start(startOf(21, 'SOLO'))).idTagInfo.status).toBe('ConcurrentTx');
  const rows = await manager.rows(
    'SELECT transaction_id, flags FROM transactions WHERE connector_id = 20 ORDER BY 1',
  );
  expect(rows).toEqual([
    { transaction_id: lost.transactionId, flags: ['supersededByStart'] },
    { transaction_id: next.transactionId, flags: [] },
  ]);
});

test('is never refused: unusual connectors, readings and tags are recorded', async () => {
  const timestamp = '2026-11-20T13:00:00+01:00';
  const longTag = 'X'.repeat(40);
  for (const request of [
    { connectorId: 0, idTag: 'GOOD', meterStart: -5, timestamp },
    { connectorId: 1, idTag: longTag, meterStart: 0, timestamp },
    { connectorId: 1, idTag: '', meterStart: 0, timestamp: '2013-01-01T00:00Z' },
    { connectorId: 1, idTag: 'GOOD', meterStart: '12', timestamp, reservationId: null, extra: 1 },
  ]) {
    expect((await start(request)).transactionId).toBeGreaterThan(0);
  }
  const [row] = await manager.rows('SELECT started_at FROM transactions WHERE id_tag = $1', [longTag]);
  expect(row).toEqual({ started_at: new Date('2026-11-20T12:00:00Z') });
});

test('cannot store a start without a timestamp', async () => {
  expect(
    await manager.ask('StartTransaction', { connectorId: 1, idTag: 'GOOD', meterStart: 0 }),
  ).toMatchObject({
    code: 'OccurenceConstraintViolation',
  });
});
