import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import * as stations from '../../src/stations/stations.store.ts';
import { allPages, KEYS, openApi } from '../http/harness.ts';
import type { TestApi } from '../http/harness.ts';
import { addTag, connect } from '../test-manager.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
  await addTag(api.manager, 'TAG1');
});
afterAll(() => api.close());
beforeEach(() =>
  api.manager.rows(
    'TRUNCATE charging_profile_templates, charging_profiles, commands, transactions, configuration_keys, issued_ids CASCADE',
  ),
);

const BASE = '/api/v1/charging-profile-templates';
const NIGHT = {
  name: 'night',
  purpose: 'TxDefaultProfile',
  stackLevel: 1,
  kind: 'Recurring',
  recurrencyKind: 'Daily',
  unit: 'A',
  schedule: {
    startSchedule: '2026-11-20T22:00:00Z',
    duration: 28_800,
    periods: [
      { startPeriod: 0, limit: 16 },
      { startPeriod: 3600, limit: 8.1, numberPhases: 1 },
    ],
  },
};
const CHARGED = {
  name: 'charged',
  purpose: 'TxProfile',
  stackLevel: 0,
  kind: 'Relative',
  unit: 'A',
  schedule: { periods: [{ startPeriod: 0, limit: 10 }] },
};

const post = (body: unknown, key = KEYS.operator) => api.send('POST', BASE, body, key);
async function add(body: object): Promise<string> {
  const { status, body: made } = await post(body);
  expect(status).toBe(201);
  return made['templateId'] as string;
}
const apply = (id: string, body: unknown, key = KEYS.operator) =>
  api.send('POST', `${BASE}/${id}/apply`, body, key);
const applications = async (id: string, query = '') =>
  (await api.send('GET', `${BASE}/${id}/applications${query}`, undefined, KEYS.viewer)).body.items;
const configure = (stationId: string, key: string, value: string) =>
  api.manager.rows(
    'INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at) VALUES ($1, lower($2), $2, $3, now())',
    [stationId, key, value],
  );
async function addStation(stationId: string): Promise<void> {
  await stations.addUnknown(api.manager.database, [stationId]);
  await connect(api.manager.database, stationId);
}
async function start(connectorId: number): Promise<number> {
  const request = { connectorId, idTag: 'TAG1', meterStart: 0, timestamp: new Date().toISOString() };
  const { response } = await api.manager.ask('StartTransaction', request);
  return (response as { transactionId: number }).transactionId;
}
const profileSent = () =>
  api.manager.sent().at(-1)?.request['csChargingProfiles'] as Record<string, unknown> | undefined;

test('a template can be added, read, changed, listed by name and removed', async () => {
  const { status, body } = await post(NIGHT);
  expect(status).toBe(201);
  const id = body['templateId'] as string;
  const time = expect.stringMatching(/Z$/) as unknown;
  const shown = {
    ...NIGHT,
    templateId: id,
    validFrom: null,
    validTo: null,
    voltage: null,
    phases: null,
    createdAt: time,
    updatedAt: time,
  };
  expect(body).toEqual(shown);
  expect((await api.send('GET', `${BASE}/${id}`, undefined, KEYS.viewer)).body).toEqual(shown);
  const change = { stackLevel: 2, voltage: 230, validTo: '2027-01-01T00:00:00Z' };
  expect((await api.send('PUT', `${BASE}/${id}`, change)).body).toEqual({ ...shown, ...change });
  expect((await api.send('PUT', `${BASE}/${id}`, { voltage: null, validTo: null })).body).toEqual({
    ...shown,
    stackLevel: 2,
  });
  await add(CHARGED);
  await add({ ...NIGHT, name: 'other' });
  const names = (await allPages(api, BASE, 2)).map(({ name }) => name);
  expect(names).toEqual(['charged', 'night', 'other']);
  expect(await allPages(api, `${BASE}?purpose=TxProfile`, 2)).toHaveLength(1);
  expect((await api.send('DELETE', `${BASE}/${id}`)).status).toBe(204);
  for (const [method, path] of [
    ['GET', id],
    ['PUT', id],
    ['DELETE', id],
    ['GET', `${id}/applications`],
    ['POST', `${id}/apply`],
  ] as const) {
    const filled =
      method === 'POST' ? { stationIds: ['CP1'], connectorId: 1 } : method === 'PUT' ? {} : undefined;
    expect((await api.send(method, `${BASE}/${path}`, filled)).status).toBe(404);
  }
});

test.each([
  ['no name', { name: undefined }, 400, { field: 'name' }],
  ['a blank name', { name: ' ' }, 400, { field: 'name' }],
  ['two decimals', { schedule: { ...NIGHT.schedule, periods: [{ startPeriod: 0, limit: 8.15 }] } }, 400, {}],
  ['no periods', { schedule: { ...NIGHT.schedule, periods: [] } }, 400, { field: 'schedule.periods' }],
  ['an invalid time', { validFrom: 'noon' }, 400, { field: 'validFrom' }],
  ['an unknown unit', { unit: 'V' }, 400, { field: 'unit' }],
  ['an unknown field', { color: 'red' }, 400, { field: 'color' }],
  ['4 phases', { phases: 4 }, 400, { field: 'phases' }],
  ['Recurring without a recurrencyKind', { recurrencyKind: undefined }, 422, { rule: 'SetProfile.5' }],
  ['Relative with a start', { kind: 'Relative', recurrencyKind: undefined }, 422, { rule: 'SetProfile.5' }],
  [
    'a Relative ChargePointMaxProfile',
    { ...CHARGED, purpose: 'ChargePointMaxProfile', recurrencyKind: undefined },
    422,
    { rule: 'SetProfile.5' },
  ],
  [
    'periods out of order',
    {
      schedule: { ...NIGHT.schedule, periods: [0, 60, 60].map((startPeriod) => ({ startPeriod, limit: 6 })) },
    },
    422,
    { rule: 'SetProfile.5' },
  ],
  [
    'a first period that does not start at 0',
    { schedule: { ...NIGHT.schedule, periods: [{ startPeriod: 1, limit: 6 }] } },
    422,
    { rule: 'SetProfile.5' },
  ],
  [
    'an end before its start',
    { validFrom: '2026-12-01T00:00:00Z', validTo: '2026-11-01T00:00:00Z' },
    422,
    { rule: 'SetProfile.5' },
  ],
])('a template with %s is refused', async (_name, fields, status, problem) => {
  expect(await post({ ...NIGHT, ...fields })).toMatchObject({ status, body: problem });
});

test('names are unique, also with concurrent requests; a change to an invalid profile is refused', async () => {
  const both = await Promise.all([post(NIGHT), post(NIGHT)]);
  expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
  const id = await add(CHARGED);
  expect(await api.send('PUT', `${BASE}/${id}`, { name: 'night' })).toMatchObject({
    status: 409,
    body: { field: 'name' },
  });
  expect(await api.send('PUT', `${BASE}/${id}`, { kind: 'Absolute' })).toMatchObject({
    status: 422,
    body: { rule: 'SetProfile.5' },
  });
});

test('applying a template sends one SetChargingProfile with its own id to each station and shows each outcome', async () => {
  for (const stationId of ['CP2', 'CP3']) await addStation(stationId);
  await api.manager.rows("UPDATE connections SET disconnected_at = now() WHERE station_id = 'CP3'");
  const id = await add(NIGHT);
  const { status, body } = await apply(id, { stationIds: ['CP1', 'CP2', 'CP3', 'CP9'], connectorId: 1 });
  expect(status).toBe(202);
  expect(body.items).toMatchObject([
    { stationId: 'CP1', outcome: 'sent', commandId: expect.any(String) as unknown, chargingRateUnit: 'A' },
    { stationId: 'CP2', outcome: 'sent' },
    {
      stationId: 'CP3',
      outcome: 'refused',
      commandId: null,
      reason: expect.stringContaining('not connected') as unknown,
    },
    { stationId: 'CP9', outcome: 'refused', reason: expect.stringContaining('not known') as unknown },
  ]);
  const call = api.manager.sent().find((one) => one.id === body.items[0]?.['commandId']);
  expect(call?.request).toEqual({
    connectorId: 1,
    csChargingProfiles: {
      chargingProfileId: 1,
      stackLevel: 1,
      chargingProfilePurpose: 'TxDefaultProfile',
      chargingProfileKind: 'Recurring',
      recurrencyKind: 'Daily',
      chargingSchedule: {
        duration: 28_800,
        startSchedule: '2026-11-20T22:00:00Z',
        chargingRateUnit: 'A',
        chargingSchedulePeriod: NIGHT.schedule.periods,
      },
    },
  });
  if (call) await api.manager.answer(call, { status: 'Accepted' });
  const listed = await applications(id);
  expect(listed.map(({ outcome }) => outcome).sort()).toEqual(['accepted', 'refused', 'refused', 'sent']);
  expect(await applications(id, '?outcome=accepted')).toMatchObject([
    { stationId: 'CP1', requestedBy: 'operator', completedAt: expect.stringMatching(/Z$/) as unknown },
  ]);
  expect(await applications(id, '?stationId=CP2')).toMatchObject([{ outcome: 'sent' }]);
  expect(await allPages(api, `${BASE}/${id}/applications`, 3)).toHaveLength(4);
  expect((await api.send('GET', '/api/v1/stations/CP1/charging-profiles')).body.items).toHaveLength(1);
});

test.each([
  [{ status: 'Rejected' }, { outcome: 'rejected' }],
  [{ status: 'NotSupported' }, { outcome: 'notSupported' }],
  [{ error: 'NotImplemented' }, { outcome: 'failed', reason: 'no' }],
])('the outcome follows the answer %j of a station', async (answer, shown) => {
  const id = await add(NIGHT);
  await apply(id, { stationIds: ['CP1'], connectorId: 1 });
  const call = api.manager.sent().at(-1);
  if (call) await api.manager.answer(call, answer);
  expect(await applications(id)).toMatchObject([shown]);
});

test('the outcome of an application stays after its command was removed, and is right for a command that was answered before', async () => {
  const id = await add(NIGHT);
  const { body } = await apply(id, { stationIds: ['CP1'], connectorId: 1 });
  const commandId = body.items[0]?.['commandId'];
  const call = api.manager.sent().at(-1);
  if (call) await api.manager.answer(call, { status: 'Accepted' });
  // As recorded by a manager of an older version.
  await api.manager.rows(
    `INSERT INTO charging_profile_applications (template_id, station_id, connector_id, command_id, requested_at)
     SELECT template_id, 'CP1', 2, command_id, requested_at FROM charging_profile_applications WHERE command_id = $1`,
    [commandId],
  );
  expect(await applications(id, '?outcome=accepted')).toMatchObject([{ connectorId: 2 }, { connectorId: 1 }]);
  await api.manager.rows('DELETE FROM commands WHERE command_id = $1', [commandId]);
  expect(await applications(id, '?outcome=accepted')).toEqual([]);
  expect(await applications(id, '?outcome=forgotten')).toMatchObject([{ commandId }, { commandId }]);
});

test('a filter selects stations by common properties', async () => {
  for (const stationId of ['F-1', 'F-2']) await addStation(stationId);
  await api.manager.rows(
    "UPDATE stations SET vendor = 'Acme', model = station_id WHERE station_id LIKE 'F-%'",
  );
  const id = await add(NIGHT);
  const chosen = async (filter: object) => {
    const { body } = await apply(id, { filter, connectorId: 1 });
    return (body.items ?? []).map(({ stationId }) => stationId);
  };
  expect(await chosen({ prefix: 'F-' })).toEqual(['F-1', 'F-2']);
  expect(await chosen({ vendor: 'Acme', model: 'F-2' })).toEqual(['F-2']);
  await api.manager.rows("UPDATE connections SET disconnected_at = now() WHERE station_id = 'F-1'");
  expect(await chosen({ prefix: 'F-', connected: true })).toEqual(['F-2']);
  expect(await chosen({ prefix: 'F-', connected: false })).toEqual(['F-1']);
  expect(await apply(id, { filter: { prefix: 'none' }, connectorId: 1 })).toMatchObject({ status: 422 });
  await api.manager.rows("INSERT INTO stations (station_id) SELECT 'N-' || n FROM generate_series(1, 501) n");
  expect(await apply(id, { filter: { prefix: 'N-' }, connectorId: 1 })).toMatchObject({
    status: 422,
    body: { detail: expect.stringContaining('500') as unknown },
  });
});

test('a TxProfile applies to the running transaction on the connector, or to the given transaction', async () => {
  const id = await add(CHARGED);
  const none = await apply(id, { stationIds: ['CP1'], connectorId: 2 });
  expect(none.body.items).toMatchObject([{ outcome: 'refused', rule: 'SetProfile.1' }]);
  const transactionId = await start(2);
  expect((await apply(id, { stationIds: ['CP1'], connectorId: 2 })).body.items).toMatchObject([
    { outcome: 'sent', transactionId },
  ]);
  expect(profileSent()).toMatchObject({ transactionId, chargingProfilePurpose: 'TxProfile' });
  const other = await apply(id, { stationIds: ['CP1'], connectorId: 3, transactionId });
  expect(other.body.items).toMatchObject([{ outcome: 'refused', rule: 'SetProfile.1' }]);
});

test('limits are converted for a station that accepts only the other unit: rounded down, with the given phases', async () => {
  await configure('CP1', 'ChargingScheduleAllowedChargingRateUnit', 'Power');
  const id = await add({ ...NIGHT, voltage: 230, phases: 3 });
  await apply(id, { stationIds: ['CP1'], connectorId: 1 });
  expect(profileSent()).toMatchObject({
    chargingSchedule: {
      chargingRateUnit: 'W',
      chargingSchedulePeriod: [
        { startPeriod: 0, limit: 11_040, numberPhases: 3 },
        { startPeriod: 3600, limit: 1863, numberPhases: 1 },
      ],
    },
  });
  expect(await applications(id)).toMatchObject([{ chargingRateUnit: 'W' }]);
  await api.manager.rows("UPDATE configuration_keys SET value = 'Current'");
  await api.manager.rows("UPDATE commands SET status = 'timedOut' WHERE status = 'sent'");
  const inWatts = {
    ...NIGHT,
    name: 'watts',
    unit: 'W',
    voltage: 230,
    phases: 3,
    schedule: { ...NIGHT.schedule, minChargingRate: 690, periods: [{ startPeriod: 0, limit: 5000 }] },
  };
  await apply(await add(inWatts), { stationIds: ['CP1'], connectorId: 1 });
  expect(profileSent()).toMatchObject({
    chargingSchedule: {
      chargingRateUnit: 'A',
      minChargingRate: 1,
      chargingSchedulePeriod: [{ startPeriod: 0, limit: 7.2, numberPhases: 3 }],
    },
  });
});

test.each([
  ['voltage', {}],
  ['phases', { voltage: 230 }],
])('a profile that cannot be converted is refused: it needs %s', async (needs, fields) => {
  await configure('CP1', 'ChargingScheduleAllowedChargingRateUnit', 'Power');
  const id = await add({ ...NIGHT, ...fields });
  const { body } = await apply(id, { stationIds: ['CP1'], connectorId: 1 });
  expect(body.items).toMatchObject([
    {
      outcome: 'refused',
      rule: 'SetProfile.4',
      reason: expect.stringContaining(`needs ${needs}`) as unknown,
    },
  ]);
});

test('a profile beyond the reported limits of a station is refused only there', async () => {
  await addStation('CP2');
  await configure('CP2', 'ChargeProfileMaxStackLevel', '0');
  const id = await add(NIGHT);
  const { body } = await apply(id, { stationIds: ['CP1', 'CP2'], connectorId: 1 });
  expect(body.items).toMatchObject([{ outcome: 'sent' }, { outcome: 'refused', rule: 'SetProfile.4' }]);
});

test.each([
  ['neither stations nor a filter', { connectorId: 1 }, 400],
  ['both', { stationIds: ['CP1'], filter: {}, connectorId: 1 }, 400],
  ['no connector', { stationIds: ['CP1'] }, 400],
  ['a station twice', { stationIds: ['CP1', 'CP1'], connectorId: 1 }, 400],
  ['a transaction with a TxDefaultProfile', { stationIds: ['CP1'], connectorId: 1, transactionId: 5 }, 422],
])('applying with %s is refused', async (_name, body, status) => {
  const id = await add(NIGHT);
  expect((await apply(id, body)).status).toBe(status);
  expect(await applications(id)).toEqual([]);
});

test('a purpose that does not fit the connector is refused immediately', async () => {
  const station = await add({ ...NIGHT, name: 'station', purpose: 'ChargePointMaxProfile' });
  expect(await apply(station, { stationIds: ['CP1'], connectorId: 1 })).toMatchObject({
    status: 422,
    body: { rule: 'SetProfile.1' },
  });
  const charged = await add(CHARGED);
  expect((await apply(charged, { stationIds: ['CP1'], connectorId: 0 })).status).toBe(422);
  const both = { stationIds: ['CP1', 'CP2'], connectorId: 1, transactionId: 5 };
  expect((await apply(charged, both)).status).toBe(422);
});

test('viewers cannot change or apply templates', async () => {
  const id = await add(NIGHT);
  expect((await post(CHARGED, KEYS.viewer)).status).toBe(403);
  expect((await apply(id, { stationIds: ['CP1'], connectorId: 1 }, KEYS.viewer)).status).toBe(403);
  expect((await api.send('DELETE', `${BASE}/${id}`, undefined, KEYS.viewer)).status).toBe(403);
  expect((await api.send('PUT', `${BASE}/${id}`, {}, KEYS.viewer)).status).toBe(403);
});
