import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());

const RECEIVED = '2026-11-20T10:00:00.000Z';
const UNREADABLE = [
  '2022-02-29T07:02:33.000Z',
  '2026-13-01T00:00:00Z',
  'yesterday',
  '',
  '1700000000',
  '\u00e9'.repeat(5000),
];

let connectorId = 0;
const startOf = (timestamp: unknown): object => ({
  connectorId: ++connectorId,
  idTag: 'T',
  meterStart: 7,
  timestamp,
});
const ask = (action: string, request: object, receivedAt = RECEIVED) =>
  manager.ask(action, request, { receivedAt });
const idOf = ({ response }: { response?: unknown }): number =>
  (response as { transactionId: number }).transactionId;
async function transaction(transactionId: number): Promise<Record<string, unknown>> {
  const [row] = await manager.rows('SELECT * FROM transactions WHERE transaction_id = $1', [transactionId]);
  return row ?? {};
}

describe.each(UNREADABLE)('an unreadable time, %#', (timestamp) => {
  test('a start and a stop are stored once with the time of receipt, and flagged', async () => {
    const request = startOf(timestamp);
    const transactionId = idOf(await ask('StartTransaction', request));
    expect(idOf(await ask('StartTransaction', request))).toBe(transactionId);
    expect(idOf(await ask('StartTransaction', request, '2026-11-20T10:05:00.000Z'))).toBe(transactionId);
    expect(await transaction(transactionId)).toMatchObject({
      started_at: new Date(RECEIVED),
      flags: ['clockImplausible'],
      state: 'open',
    });
    const stop = { transactionId, meterStop: 1007, timestamp };
    const stoppedAt = '2026-11-20T11:00:00.000Z';
    expect((await ask('StopTransaction', stop, stoppedAt)).response).toEqual({});
    expect((await ask('StopTransaction', stop, '2026-11-20T11:05:00.000Z')).response).toEqual({});
    expect(await transaction(transactionId)).toMatchObject({
      stopped_at: new Date(stoppedAt),
      flags: ['clockImplausible'],
      energy_wh: 1000,
    });
    expect(
      await manager.rows('SELECT 1 FROM unmatched_stops WHERE transaction_id = $1', [transactionId]),
    ).toEqual([]);
    // The redelivery of the first, which has been stopped since; and a later start with the same content.
    expect(idOf(await ask('StartTransaction', request))).toBe(transactionId);
    expect(idOf(await ask('StartTransaction', request, '2026-11-20T12:00:00.000Z'))).toBeGreaterThan(
      transactionId,
    );
  });

  test('an unmatched stop is stored once', async () => {
    const stop = { transactionId: 900_000 + ++connectorId, meterStop: 5, timestamp };
    await ask('StopTransaction', stop);
    await ask('StopTransaction', stop, '2026-11-20T10:05:00.000Z');
    expect(
      await manager.rows('SELECT stopped_at FROM unmatched_stops WHERE transaction_id = $1', [
        stop.transactionId,
      ]),
    ).toEqual([{ stopped_at: new Date(RECEIVED) }]);
  });

  test('readings and security events are stored with the time of receipt', async () => {
    const value = `at ${timestamp.slice(0, 30)}`;
    const meterValue = [{ timestamp, sampledValue: [{ value }] }];
    const { response } = await ask('MeterValues', { connectorId: 1, meterValue });
    expect(response).toEqual({});
    expect(await manager.rows('SELECT measured_at FROM meter_values WHERE value = $1', [value])).toEqual([
      { measured_at: new Date(RECEIVED) },
    ]);
    const type = `T${++connectorId}`;
    expect((await ask('SecurityEventNotification', { type, timestamp })).response).toEqual({});
    expect(await manager.rows('SELECT occurred_at FROM security_events WHERE type = $1', [type])).toEqual([
      { occurred_at: new Date(RECEIVED) },
    ]);
  });

  test('a status is shown with the time of receipt', async () => {
    const status = { connectorId: ++connectorId, status: 'Faulted', errorCode: 'NoError', timestamp };
    expect((await ask('StatusNotification', status)).response).toEqual({});
    expect(
      await manager.rows('SELECT status, status_at FROM connectors WHERE connector_id = $1', [connectorId]),
    ).toEqual([{ status: 'Faulted', status_at: new Date(RECEIVED) }]);
  });
});

test('concurrent starts with the same unreadable time at two managers are one', async () => {
  const request = startOf('2022-02-29T07:02:33.000Z');
  const times = Array.from({ length: 10 }, (_, i) => `2026-11-20T10:00:0${i}.000Z`);
  const answers = await Promise.all(times.map((time) => ask('StartTransaction', request, time)));
  expect(new Set(answers.map(idOf)).size).toBe(1);
});

test.each([
  ['1970-01-01T00:01:00Z', ['clockImplausible']],
  ['2000-01-01T00:01:00Z', ['clockImplausible']],
  ['2106-02-07T06:28:15Z', ['clockImplausible']],
  ['2026-11-20T12:00:00Z', ['clockImplausible']],
  ['2026-11-20T10:10:00Z', []],
  ['2026-11-20T10:00:00Z', []],
  // Messages from a queue that is delivered late do not mean that the clock is wrong.
  ['2026-01-20T10:00:00Z', []],
])('a clock that shows %s is flagged if it is implausible', async (timestamp, flags) => {
  const transactionId = idOf(await ask('StartTransaction', startOf(timestamp)));
  expect(await transaction(transactionId)).toMatchObject({ started_at: new Date(timestamp), flags });
  const other = idOf(await ask('StartTransaction', startOf('2026-01-01T00:00:00Z')));
  await ask('StopTransaction', { transactionId: other, meterStop: 8, timestamp });
  const { flags: stopFlags } = await transaction(other);
  expect((stopFlags as string[]).filter((flag) => flag === 'clockImplausible')).toEqual(flags);
});

describe('the status of a connector', () => {
  const report = (id: number, status: string, more: object, receivedAt: string) =>
    ask('StatusNotification', { connectorId: id, status, errorCode: 'NoError', ...more }, receivedAt);
  const present = async (id: number): Promise<unknown> =>
    (await manager.rows('SELECT status FROM connectors WHERE connector_id = $1', [id]))[0]?.['status'];

  test.each(['2026-11-21T06:00:00Z', '2026-11-20T10:20:00Z', '2099-01-01T00:00:00Z'])(
    'keeps changing after a clock that was ahead, %s',
    async (timestamp) => {
      const id = ++connectorId;
      await report(id, 'Charging', { timestamp }, '2026-11-20T10:00:00.000Z');
      expect(await present(id)).toBe('Charging');
      await report(id, 'Finishing', { timestamp }, '2026-11-20T10:00:30.000Z');
      expect(await present(id)).toBe('Finishing');
      await report(id, 'Available', { timestamp: '2026-11-20T10:01:00Z' }, '2026-11-20T10:01:00.100Z');
      expect(await present(id)).toBe('Available');
      // From a queue, older.
      await report(id, 'Preparing', { timestamp: '2026-11-20T09:59:00Z' }, '2026-11-20T10:02:00.000Z');
      expect(await present(id)).toBe('Available');
    },
  );

  test('that is repeated with a clock ahead is in the history once', async () => {
    const id = ++connectorId;
    for (const receivedAt of ['2026-11-20T10:00:00.000Z', '2026-11-20T10:05:00.000Z'])
      await report(id, 'Charging', { timestamp: '2026-11-25T06:00:00Z' }, receivedAt);
    expect(await manager.rows('SELECT 1 FROM connector_statuses WHERE connector_id = $1', [id])).toHaveLength(
      1,
    );
  });

  test('keeps two faults within one second in the history', async () => {
    const id = ++connectorId;
    const timestamp = '2026-11-20T10:00:00Z';
    for (const more of [
      { vendorErrorCode: 'E1' },
      { vendorErrorCode: 'E2' },
      { vendorErrorCode: 'E2', info: 'hot' },
    ])
      for (let i = 0; i < 2; i++)
        await report(
          id,
          'Faulted',
          { timestamp, errorCode: 'OtherError', ...more },
          `2026-11-20T10:00:0${i}.000Z`,
        );
    const rows = await manager.rows(
      'SELECT vendor_error_code, info FROM connector_statuses WHERE connector_id = $1 ORDER BY 1, 2 NULLS FIRST',
      [id],
    );
    expect(rows).toEqual([
      { vendor_error_code: 'E1', info: null },
      { vendor_error_code: 'E2', info: null },
      { vendor_error_code: 'E2', info: 'hot' },
    ]);
    expect(
      await manager.rows(
        "SELECT 1 FROM event_intake WHERE kind = 'connector.status' AND data ->> 'connectorId' = $1",
        [String(id)],
      ),
    ).toHaveLength(3);
  });
});
