import { ACTIONS, checkPayload, mayBeSentBy, SCHEMAS } from '@evander/ocpp';
import type { Action } from '@evander/ocpp';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());

const TIME = '2026-11-20T10:00:00Z';
const INT32 = 2 ** 31;
const SAFE = Number.MAX_SAFE_INTEGER;

/** A valid request for each action that stations send. */
const REQUESTS: Record<string, Record<string, unknown>> = {
  Authorize: { idTag: 'A' },
  BootNotification: { chargePointVendor: 'V', chargePointModel: 'M' },
  DataTransfer: { vendorId: 'V' },
  DiagnosticsStatusNotification: { status: 'Idle' },
  FirmwareStatusNotification: { status: 'Idle' },
  Heartbeat: {},
  LogStatusNotification: { status: 'Idle', requestId: 1 },
  MeterValues: {
    connectorId: 1,
    transactionId: 1,
    meterValue: [{ timestamp: TIME, sampledValue: [{ value: '1' }] }],
  },
  SecurityEventNotification: { type: 'T', timestamp: TIME },
  SignCertificate: { csr: 'x' },
  SignedFirmwareStatusNotification: { status: 'Idle', requestId: 1 },
  StartTransaction: { connectorId: 1, idTag: 'A', meterStart: 0, reservationId: 1, timestamp: TIME },
  StatusNotification: { connectorId: 1, status: 'Available', errorCode: 'NoError' },
  StopTransaction: { transactionId: 1, meterStop: 0, timestamp: TIME },
};

/** The table and column, by action and field. */
const COLUMNS: Record<string, string> = {
  'StartTransaction.connectorId': 'SELECT connector_id FROM transactions WHERE start_message_id = $1',
  'StartTransaction.meterStart': 'SELECT meter_start_wh FROM transactions WHERE start_message_id = $1',
  'StartTransaction.reservationId': 'SELECT reservation_id FROM transactions WHERE start_message_id = $1',
  'StopTransaction.transactionId': 'SELECT transaction_id FROM unmatched_stops WHERE id_tag = $1',
  'StopTransaction.meterStop': 'SELECT meter_stop_wh FROM unmatched_stops WHERE id_tag = $1',
  'MeterValues.connectorId': 'SELECT connector_id FROM meter_values WHERE value = $1',
  'MeterValues.transactionId': 'SELECT transaction_id FROM meter_values WHERE value = $1',
  'StatusNotification.connectorId': 'SELECT connector_id FROM connector_statuses WHERE info = $1',
  'LogStatusNotification.requestId': 'SELECT request_id FROM status_notifications WHERE message_id = $1',
  'SignedFirmwareStatusNotification.requestId':
    'SELECT request_id FROM status_notifications WHERE message_id = $1',
};

const VALUES = [-(2 ** 63), -1, 0, INT32 - 1, INT32, 2 ** 32 - 1, 2 ** 53 + 2, 2 ** 63, 1e30, 1.5, '1'];
/** What the id columns contain for each value; `none` if it is not a possible id. */
const asId = (value: number | string): number | 'none' => {
  const number = Number(value);
  return Number.isInteger(number) && number >= -INT32 && number < INT32 ? number : 'none';
};

const ROWS = (Object.keys(ACTIONS) as Action[])
  .filter((action) => mayBeSentBy('station', action))
  .flatMap((action) => {
    const { properties = {}, required = [] } = SCHEMAS[action].request;
    return Object.keys(properties)
      .filter((field) => properties[field]?.type === 'integer')
      .flatMap((field) =>
        VALUES.map((value) => ({ action, field, isRequired: required.includes(field), value })),
      );
  });

/** The stored value, or the error code. */
function expected({ action, field, isRequired, value }: (typeof ROWS)[number]): unknown {
  const number = Number(value);
  if (field === 'meterStart' || field === 'meterStop')
    return Math.max(-SAFE, Math.min(SAFE, Math.round(number)));
  if (field === 'requestId') return Number.isSafeInteger(number) ? number : null;
  if (action === 'StopTransaction') {
    if (!Number.isInteger(number)) return SAFE;
    return Math.max(-SAFE, Math.min(SAFE, number));
  }
  const id = asId(value);
  if (action === 'StatusNotification') {
    if (value === 1.5) return 'TypeConstraintViolation';
    return id === 'none' ? 'PropertyConstraintViolation' : id;
  }
  if (id !== 'none') return id;
  if (!isRequired) return null;
  return number < 0 ? -INT32 : INT32 - 1;
}

let count = 0;

test('the table has every integer of every message that stations send', () => {
  expect(Object.keys(REQUESTS)).toHaveLength(14);
  expect([...new Set(ROWS.map(({ action, field }) => `${action}.${field}`))].sort()).toEqual(
    Object.keys(COLUMNS).sort(),
  );
});

describe.each(ROWS)('$action with $field $value', (row) => {
  test('is stored and answered, or rejected with its error code', async () => {
    const { action, field, value } = row;
    const mark = `n${++count}`;
    const request: Record<string, unknown> = { ...REQUESTS[action], [field]: value };
    if (action === 'StopTransaction' || action === 'StartTransaction')
      Object.assign(request, {
        idTag: mark,
        timestamp: new Date(Date.UTC(2026, 10, 20, 10, count)).toISOString(),
      });
    if (action === 'StatusNotification') request['info'] = mark;
    if (action === 'MeterValues')
      request['meterValue'] = [{ timestamp: TIME, sampledValue: [{ value: mark }] }];
    // -1 and 0 can mean an open transaction; there is none here.
    await manager.rows(
      'UPDATE transactions SET stopped_at = now(), meter_stop_wh = 1 WHERE stopped_at IS NULL',
    );
    const { response, code } = await manager.ask(action, request, { id: mark });
    await manager.idle();
    const what = expected(row);
    if (typeof what === 'string') {
      expect(code).toBe(what);
      return;
    }
    expect(code).toBeUndefined();
    checkPayload(action, 'response', response);
    const [kept] = await manager.rows(COLUMNS[`${action}.${field}`] ?? '', [mark]);
    // Other tests cover which transaction a missing id means, and whether 0 or -1 means a reservation.
    if (field === 'reservationId' && Number(value) <= 0) expect(kept).toBeDefined();
    else if (action === 'MeterValues' && field === 'transactionId' && Number(value) <= 0)
      expect(kept).toBeDefined();
    else expect(Object.values(kept ?? {})).toEqual([what]);
  });
});

test('numbers out of range do not affect valid ones in the same batch', async () => {
  const of = (connectorId: number, i: number): object => ({
    connectorId,
    meterValue: [{ timestamp: TIME, sampledValue: [{ value: `odd ${i}` }] }],
  });
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, i) => manager.ask('MeterValues', of(i % 4 === 0 ? 3e9 : 5, i))),
  );
  for (const { response } of answers) expect(response).toEqual({});
  expect(await manager.rows("SELECT 1 FROM meter_values WHERE value LIKE 'odd %'")).toHaveLength(40);
});

test('a start on an impossible connector is a transaction, which its repeat and its stop find again', async () => {
  const request = { connectorId: 4_294_967_295, idTag: 'ODD', meterStart: 100, timestamp: TIME };
  const { response } = await manager.ask('StartTransaction', request);
  expect((await manager.ask('StartTransaction', request)).response).toEqual(response);
  const { transactionId } = response as { transactionId: number };
  await manager.ask('MeterValues', {
    connectorId: 4_294_967_295,
    transactionId,
    meterValue: [{ timestamp: '2026-11-20T10:10:00Z', sampledValue: [{ value: '600' }] }],
  });
  await manager.ask('StopTransaction', { transactionId, meterStop: 700, timestamp: '2026-11-20T11:00:00Z' });
  expect(
    await manager.rows('SELECT connector_id, energy_wh FROM transactions WHERE transaction_id = $1', [
      transactionId,
    ]),
  ).toEqual([{ connector_id: INT32 - 1, energy_wh: 600 }]);
});

describe('an impossible meter reading', () => {
  const session = async (meterStart: unknown, meterStop: unknown, samples: number[]): Promise<unknown> => {
    const timestamp = (minute: number): string => new Date(Date.UTC(2026, 10, 20, 12, minute)).toISOString();
    const connectorId = ++count;
    const { response } = await manager.ask('StartTransaction', {
      connectorId,
      idTag: 'METER',
      meterStart,
      timestamp: timestamp(0),
    });
    const { transactionId } = response as { transactionId: number };
    for (const [i, wh] of samples.entries())
      await manager.ask('MeterValues', {
        connectorId,
        transactionId,
        meterValue: [{ timestamp: timestamp(i + 1), sampledValue: [{ value: String(wh) }] }],
      });
    await manager.ask('StopTransaction', { transactionId, meterStop, timestamp: timestamp(50) });
    const [row] = await manager.rows(
      'SELECT energy_wh, energy_source, meter_flags FROM transactions WHERE transaction_id = $1',
      [transactionId],
    );
    return Object.values(row ?? {});
  };

  test.each<[unknown, unknown, number[], unknown[]]>([
    [1e30, 6000, [1000, 5000], [5000, 'meterStop', ['meterStartImplausible']]],
    [-9e18, 6000, [1000, 5000], [5000, 'meterStop', ['meterStartImplausible', 'meterNegative']]],
    [1e30, 6000, [], [null, null, ['meterStartImplausible']]],
    [1e30, 1e30, [], [null, null, ['meterStartImplausible', 'meterStopImplausible']]],
    [1000, 2 ** 63, [2000, 5000], [4000, 'register', ['meterStopImplausible']]],
    [1000, 2 ** 63, [], [null, null, ['meterStopImplausible']]],
    [1000.4, '5999.6', [], [5000, 'meterStop', []]],
  ])('counts for nothing: %p to %p with %p', async (meterStart, meterStop, samples, row) => {
    expect(await session(meterStart, meterStop, samples)).toEqual(row);
  });
});
