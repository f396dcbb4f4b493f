import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { KEYS, openApi } from '../http/harness.ts';
import type { Answer, TestApi } from '../http/harness.ts';
import { addTag } from '../test-manager.ts';
import type { StationAnswer } from '../test-manager.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
  await addTag(api.manager, 'TAG1');
});
afterAll(() => api.close());
beforeEach(() =>
  api.manager.rows(
    'TRUNCATE composite_schedules, charging_profiles, commands, transactions, configuration_keys, issued_ids',
  ),
);

const get = (query = '', { connector = 1, key = KEYS.operator } = {}) =>
  api.send('GET', `/api/v1/stations/CP1/connectors/${connector}/composite-schedule${query}`, undefined, key);

/** A request that asks the station, which answers with `answer`. */
async function getAnswered(query: string, answer: StationAnswer, connector = 1): Promise<Answer> {
  const before = api.manager.sent().length;
  const pending = get(query, { connector });
  for (;;) {
    const call = api.manager.sent()[before];
    if (call) {
      await api.manager.answer(call, answer);
      return pending;
    }
    await delay(5);
  }
}

async function set(connectorId: number, fields: object, limits: [number, number][], more: object = {}) {
  const csChargingProfiles = {
    stackLevel: 0,
    chargingProfileKind: 'Absolute',
    ...fields,
    chargingSchedule: {
      chargingRateUnit: 'A',
      startSchedule: '2026-11-20T00:00:00Z',
      chargingSchedulePeriod: limits.map(([startPeriod, limit]) => ({ startPeriod, limit })),
      ...more,
    },
  };
  const command = await api.manager.command(
    'SetChargingProfile',
    { connectorId, csChargingProfiles },
    { status: 'Accepted' },
  );
  expect(command.status).toBe('answered');
}

async function start(connectorId: number): Promise<number> {
  const timestamp = new Date(Date.now() - 60_000).toISOString();
  const { response } = await api.manager.ask('StartTransaction', {
    connectorId,
    idTag: 'TAG1',
    meterStart: 0,
    timestamp,
  });
  return (response as { transactionId: number }).transactionId;
}

const reported = (limits: [number, number][], more: object = {}) => ({
  status: 'Accepted',
  connectorId: 1,
  scheduleStart: new Date().toISOString(),
  chargingSchedule: {
    chargingRateUnit: 'A',
    duration: 600,
    chargingSchedulePeriod: limits.map(([startPeriod, limit]) => ({ startPeriod, limit })),
  },
  ...more,
});

test('the response contains the answer of the station, the expected schedule and the differences', async () => {
  await set(0, { chargingProfilePurpose: 'ChargePointMaxProfile' }, [[0, 20]]);
  await set(1, { chargingProfilePurpose: 'TxDefaultProfile' }, [[0, 16]]);
  const transactionId = await start(1);
  const answer = reported([
    [0, 16],
    [300, 20],
  ]);
  const { status, body } = await getAnswered('?duration=600&unit=A', answer);
  expect(status).toBe(200);
  expect(api.manager.sent().at(-1)?.request).toEqual({
    connectorId: 1,
    duration: 600,
    chargingRateUnit: 'A',
  });
  const startMs = Date.parse(answer.scheduleStart);
  expect(body).toMatchObject({
    connectorId: 1,
    status: 'Accepted',
    chargingRateUnit: 'A',
    durationSeconds: 600,
    scheduleStart: answer.scheduleStart,
    chargingSchedule: answer.chargingSchedule,
    asked: { outcome: 'answered', commandId: api.manager.sent().at(-1)?.id, detail: null },
    expected: {
      chargingRateUnit: 'A',
      scheduleStart: answer.scheduleStart,
      durationSeconds: 600,
      transactionId,
      periods: [{ startPeriod: 0, limit: 16, numberPhases: null }],
    },
    differences: [
      {
        from: new Date(startMs + 300_000).toISOString(),
        to: new Date(startMs + 600_000).toISOString(),
        expectedLimit: 16,
        toldLimit: 20,
      },
    ],
  });
});

test('without a transaction only the ChargePointMaxProfile counts; without that there is no limit', async () => {
  await set(1, { chargingProfilePurpose: 'TxDefaultProfile' }, [[0, 16]]);
  expect((await get('?duration=60&ask=false')).body).toMatchObject({
    status: null,
    askedAt: null,
    asked: null,
    expected: { transactionId: null, periods: [{ startPeriod: 0, limit: null }] },
    differences: null,
  });
  await set(0, { chargingProfilePurpose: 'ChargePointMaxProfile' }, [[0, 20]]);
  for (const connector of [0, 1])
    expect((await get('?duration=60&ask=false', { connector })).body).toMatchObject({
      expected: { periods: [{ startPeriod: 0, limit: 20 }] },
    });
});

test('connector 0 is expected to have the sum of its connectors, once each has a limit', async () => {
  await set(0, { chargingProfilePurpose: 'ChargePointMaxProfile' }, [[0, 30]]);
  await set(0, { chargingProfilePurpose: 'TxDefaultProfile' }, [[0, 16]]);
  const configurationKey = [{ key: 'NumberOfConnectors', readonly: true, value: '2' }];
  await api.manager.command('GetConfiguration', {}, { configurationKey });
  await start(1);
  const whole = '?duration=60&ask=false';
  expect((await get(whole, { connector: 0 })).body).toMatchObject({
    expected: { transactionId: null, periods: [{ startPeriod: 0, limit: 30 }] },
  });
  await set(2, { chargingProfilePurpose: 'TxDefaultProfile' }, [[0, 8.5]]);
  await start(2);
  expect((await get(whole, { connector: 0 })).body).toMatchObject({
    expected: { transactionId: null, periods: [{ startPeriod: 0, limit: 24.5 }] },
  });
});

test.each([
  ['a connector', 1, 16],
  ['the station', 0, 24.5],
])(
  '%s without a transaction to which TxDefaultProfiles are applied has assumesTransaction',
  async (_what, connector, limit) => {
    await set(0, { chargingProfilePurpose: 'ChargePointMaxProfile' }, [[0, 30]]);
    await set(1, { chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Relative' }, [[0, 16]], {
      startSchedule: undefined,
    });
    await set(2, { chargingProfilePurpose: 'TxDefaultProfile' }, [[0, 8.5]]);
    const configurationKey = [{ key: 'NumberOfConnectors', readonly: true, value: '2' }];
    await api.manager.command('GetConfiguration', {}, { configurationKey });
    await start(2);
    const asking = '?duration=600&unit=A';
    const applied = await getAnswered(asking, reported([[0, limit]]), connector);
    expect(applied.body).toMatchObject({
      expected: { assumesTransaction: true, transactionId: null, periods: [{ startPeriod: 0, limit }] },
      differences: [],
    });
    const plain = await getAnswered(asking, reported([[0, 30]]), connector);
    expect(plain.body).toMatchObject({
      expected: { assumesTransaction: false, periods: [{ startPeriod: 0, limit: 30 }] },
      differences: [],
    });
    const other = await getAnswered(asking, reported([[0, 10]]), connector);
    expect(other.body).toMatchObject({
      expected: { assumesTransaction: false },
      differences: [{ expectedLimit: 30, toldLimit: 10 }],
    });
  },
);

test('the expected schedule is in the requested unit, else in one that the station accepts', async () => {
  await set(0, { chargingProfilePurpose: 'ChargePointMaxProfile' }, [[0, 10]]);
  const inWatts = { expected: { chargingRateUnit: 'W', periods: [{ limit: 6900 }] } };
  expect((await get('?duration=60&ask=false&unit=W')).body).toMatchObject(inWatts);
  expect((await get('?duration=60&ask=false')).body).toMatchObject({ expected: { chargingRateUnit: 'A' } });
  await api.manager.rows(
    `INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at)
     VALUES ('CP1', 'chargingscheduleallowedchargingrateunit', 'ChargingScheduleAllowedChargingRateUnit', 'Power', now())`,
  );
  expect((await get('?duration=60&ask=false')).body).toMatchObject(inWatts);
});

test.each([
  [{ status: 'Rejected' }, { outcome: 'answered' }, 'Rejected'],
  [{ error: 'NotSupported' }, { outcome: 'failed', detail: 'no' }, null],
])('the expected schedule is returned even if the station answers with %j', async (answer, asked, status) => {
  const { body } = await getAnswered('?duration=60', answer);
  expect(body).toMatchObject({ asked, status, differences: null, expected: { durationSeconds: 60 } });
});

test('the last answer is shown if the station is not connected or must not be asked', async () => {
  await getAnswered('?duration=600', reported([[0, 16]]));
  const sent = api.manager.sent().length;
  await api.manager.rows("UPDATE connections SET disconnected_at = now() WHERE station_id = 'CP1'");
  expect((await get('?duration=60')).body).toMatchObject({
    status: 'Accepted',
    asked: { outcome: 'notConnected', commandId: null, detail: expect.stringContaining('CP1') as unknown },
    differences: [],
  });
  await api.manager.rows("UPDATE connections SET disconnected_at = NULL WHERE station_id = 'CP1'");
  expect((await get('?duration=60', { key: KEYS.viewer })).body).toMatchObject({
    asked: { outcome: 'notAllowed' },
  });
  await api.manager.rows(
    `INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at)
     VALUES ('CP1', 'supportedfeatureprofiles', 'SupportedFeatureProfiles', 'Core', now())`,
  );
  expect((await get('?duration=60')).body).toMatchObject({
    asked: { outcome: 'notSent', detail: expect.stringContaining('G.13') as unknown },
  });
  expect(api.manager.sent()).toHaveLength(sent);
});

test('an old answer is not compared with the current expectation', async () => {
  await set(0, { chargingProfilePurpose: 'ChargePointMaxProfile' }, [[0, 10]]);
  await getAnswered('?duration=600', reported([[0, 16]], { scheduleStart: '2026-11-20T10:00:00Z' }));
  expect((await get('?duration=60&ask=false')).body).toMatchObject({ status: 'Accepted', differences: null });
  expect((await get()).body).toMatchObject({
    expected: { scheduleStart: '2026-11-20T10:00:00.000Z', durationSeconds: 600 },
    differences: [{ expectedLimit: 10, toldLimit: 16 }],
  });
});

test.each([
  ['?duration=0', 400],
  ['?duration=99999999', 400],
  ['?duration=60&unit=V', 400],
  ['?ask=true', 400],
  ['', 404],
])('%s gets status %d', async (query, status) => {
  expect((await get(query)).status).toBe(status);
});

test('asking requires the role operator and a known station', async () => {
  expect((await get('?duration=60&ask=true', { key: KEYS.viewer })).status).toBe(403);
  const path = '/api/v1/stations/CP9/connectors/1/composite-schedule?duration=60';
  expect((await api.send('GET', path)).status).toBe(404);
});
