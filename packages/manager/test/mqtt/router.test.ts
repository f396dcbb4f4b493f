import { ACTIONS, checkPayload, ERROR_CODES, isAction, mayBeSentBy } from '@evander/ocpp';
import type { Action } from '@evander/ocpp';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MESSAGES } from '../../src/messages/v16/index.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());

const TIMESTAMP = '2026-11-20T10:00:00Z';

test.each([
  ['an action that OCPP 1.6 does not have', 'TransactionEvent', {}, 'NotImplemented'],
  ['an action that is an inherited property of the registry object', 'constructor', {}, 'NotImplemented'],
  ['an action in the wrong case', 'heartbeat', {}, 'NotImplemented'],
  ['an action that only the central system sends', 'Reset', { type: 'Hard' }, 'NotSupported'],
  ['a missing field', 'Authorize', {}, 'OccurenceConstraintViolation'],
  ['a wrong type', 'Authorize', { idTag: { a: 1 } }, 'TypeConstraintViolation'],
  ['a tag that is too long', 'Authorize', { idTag: 'X'.repeat(21) }, 'PropertyConstraintViolation'],
  [
    'a number out of range',
    'StatusNotification',
    { connectorId: 2 ** 50, status: 'Available', errorCode: 'NoError' },
    'PropertyConstraintViolation',
  ],
])('answers %s with its code', async (_what, action, request, code) => {
  const answer = await manager.ask(action, request);
  expect(answer.code).toBe(code);
  expect(answer.text).not.toBe('');
});

test('ignores harmless defects: extra fields, null for absent, an invalid optional field', async () => {
  const request = {
    chargePointVendor: 'V',
    chargePointModel: 'M',
    iccid: null,
    firmwareVersion: { a: 1 },
    extra: [1],
  };
  expect((await manager.ask('BootNotification', request)).response).toMatchObject({ status: 'Accepted' });
});

test('stores texts that contain U+0000', async () => {
  // As MQTT delivers it: PostgreSQL cannot store the character itself (see hostile-texts.test.ts).
  expect(await manager.ask('Authorize', { idTag: 'a\ufffdb' })).toMatchObject({
    response: { idTagInfo: { status: 'Invalid' } },
  });
});

test('records each frame once, the call and its answer', async () => {
  const question = { id: 'f1', receivedAt: '2026-11-20T10:00:00.000Z' };
  await manager.ask('Authorize', { idTag: 'F' }, question);
  await manager.ask('Nonsense', { a: 1 }, { id: 'f2' });
  await manager.ask('Authorize', { idTag: 'F' }, question);
  await manager.idle();
  const rows = await manager.rows(
    `SELECT direction, type, action, payload, error_code FROM frames WHERE message_id IN ('f1', 'f2')
     ORDER BY message_id, direction, type`,
  );
  expect(rows.filter(({ direction }) => direction === 'in')).toEqual([
    { direction: 'in', type: 2, action: 'Authorize', payload: { idTag: 'F' }, error_code: null },
    { direction: 'in', type: 2, action: 'Nonsense', payload: { a: 1 }, error_code: null },
  ]);
  expect(rows).toContainEqual({
    direction: 'out',
    type: 3,
    action: 'Authorize',
    payload: { idTagInfo: { status: 'Invalid' } },
    error_code: null,
  });
  expect(rows).toContainEqual({
    direction: 'out',
    type: 4,
    action: 'Nonsense',
    payload: {},
    error_code: 'NotImplemented',
  });
});

test('handles a call once if it is redelivered while in progress', async () => {
  const request = { connectorId: 1, idTag: 'X', meterStart: 0, timestamp: TIMESTAMP };
  const question = { id: 'again', receivedAt: '2026-11-20T10:00:00.000Z' };
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => manager.envelopes('StartTransaction', request, question)),
  );
  await manager.router.idle();
  expect((await manager.envelopes('Heartbeat', {}, { id: 'again' })).length).toBe(2);
  expect(Math.max(...answers.map(({ length }) => length))).toBe(1);
});

test("records a station's result and acknowledges it", async () => {
  await manager.router.route('CP1', {
    type: 3,
    id: 'cmd1',
    action: 'Reset',
    request: { type: 'Soft' },
    response: { status: 'Accepted' },
  });
  await manager.router.route('CP1', {
    type: 4,
    id: 'cmd2',
    action: 'Reset',
    error_code: 'NotSupported',
    error_description: '',
  });
  expect(manager.completed).toEqual(['CP1 cmd1', 'CP1 cmd2']);
  expect(
    await manager.rows("SELECT type FROM frames WHERE message_id IN ('cmd1', 'cmd2') ORDER BY type"),
  ).toEqual([{ type: 3 }, { type: 4 }]);
});

test('does not answer a call that is not stored, and recovers automatically', async () => {
  const sick = await openTestManager();
  const [{ name } = {}] = await sick.rows('SELECT current_database() AS name');
  const refuseWrites = async (mode: 'on' | 'off'): Promise<void> => {
    await sick.rows('SET default_transaction_read_only = off');
    await sick.rows(`ALTER DATABASE ${String(name)} SET default_transaction_read_only = ${mode}`);
    await sick.rows(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    await sick.rows('SELECT pg_terminate_backend(pg_backend_pid())').catch(() => {});
  };
  const calls: [string, object][] = [
    ['StartTransaction', { connectorId: 1, idTag: 'X', meterStart: 0, timestamp: TIMESTAMP }],
    [
      'MeterValues',
      { connectorId: 1, meterValue: [{ timestamp: TIMESTAMP, sampledValue: [{ value: '1' }] }] },
    ],
    ['StopTransaction', { transactionId: 5, meterStop: 1, timestamp: TIMESTAMP }],
    ['StatusNotification', { connectorId: 1, status: 'Available', errorCode: 'NoError' }],
    ['BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' }],
    ['Heartbeat', {}],
  ];
  await refuseWrites('on');
  for (const [action, request] of calls) expect(await sick.envelopes(action, request)).toEqual([]);
  await refuseWrites('off');
  for (const [action, request] of calls) {
    const answers = [];
    // The pool may return each of its broken connections once.
    for (let attempt = 0; answers.length === 0 && attempt < 12; attempt++)
      answers.push(...(await sick.envelopes(action, request)));
    expect(answers).toMatchObject([{ type: 3 }]);
  }
  await sick.close();
});

test('an internal error is InternalError and does not blame the station', async () => {
  const broken = await openTestManager();
  await broken.rows('ALTER TABLE tags RENAME TO gone');
  expect(await broken.ask('Authorize', { idTag: 'X' })).toMatchObject({ code: 'InternalError' });
  await broken.close();
});

test('a response that does not match its schema is InternalError', async () => {
  const Heartbeat = { handle: async () => ({ currentTime: 'soon' }) };
  const broken = await openTestManager({ messages: { ...MESSAGES, Heartbeat } });
  expect(await broken.ask('Heartbeat', {})).toMatchObject({ code: 'InternalError' });
  await broken.close();
});

const SERVED = Object.keys(MESSAGES);
const FIELDS = [
  'idTag',
  'connectorId',
  'meterStart',
  'meterStop',
  'timestamp',
  'transactionId',
  'reason',
  'meterValue',
  'transactionData',
  'sampledValue',
  'value',
  'status',
  'errorCode',
  'chargePointVendor',
  'chargePointModel',
  'vendorId',
  'messageId',
  'data',
  'info',
  'reservationId',
  'requestId',
  'type',
  'techInfo',
  'csr',
];

test('answers any call once, with a valid result or an error code of 1.6, and never with InternalError', async () => {
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(
        TIMESTAMP,
        'Available',
        'NoError',
        'Local',
        '1',
        1,
        -1,
        0,
        null,
        true,
        2 ** 31,
        1e300,
        1.5,
        '',
        '1970-01-01',
        '0001-01-01T00:00:00Z',
      ),
      fc.string(),
      fc.integer(),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...FIELDS), tie('node'), { maxKeys: 5 }),
    ),
  })).node;
  const request = fc.dictionary(fc.constantFrom(...FIELDS), value, {
    minKeys: 2,
    maxKeys: 10,
    noNullPrototype: true,
  });
  const action = fc.oneof(
    fc.constantFrom<string>(...SERVED),
    fc.constantFrom<string>(...SERVED),
    fc.constantFrom(...Object.keys(ACTIONS)),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(action, request, fc.uuid(), async (name, payload, id) => {
      const envelopes = await manager.envelopes(name, payload, { id });
      expect(envelopes).toHaveLength(1);
      const [envelope] = envelopes;
      if (envelope?.type === 3) checkPayload(name as Action, 'response', envelope.response);
      else {
        const code = envelope?.type === 4 ? envelope.error_code : '';
        expect(ERROR_CODES).toContain(code);
        expect(code).not.toBe('InternalError');
        if (!isAction(name)) expect(code).toBe('NotImplemented');
        else if (!mayBeSentBy('station', name)) expect(code).toBe('NotSupported');
      }
    }),
    { numRuns: 600 },
  );
});
