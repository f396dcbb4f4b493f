import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { allPages, openApi } from '../http/harness.ts';
import type { TestApi } from '../http/harness.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

const get = (path: string) => api.send('GET', `/api/v1/stations/${path}`);
const all = (path: string, limit: number) => allPages(api, `/api/v1/stations/${path}`, limit);

const PROFILE = {
  stackLevel: 0,
  chargingProfilePurpose: 'TxDefaultProfile',
  chargingProfileKind: 'Relative',
  chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 8.1 }] },
};
/** A ChargePointMaxProfile has no transaction, so it cannot be Relative. */
const OF_STATION = {
  ...PROFILE,
  chargingProfilePurpose: 'ChargePointMaxProfile',
  chargingProfileKind: 'Absolute',
  chargingSchedule: { ...PROFILE.chargingSchedule, startSchedule: '2026-11-20T00:00:00Z' },
};

test('the configuration is listed by key, with a case-insensitive filter, without secrets', async () => {
  const names = ['b', 'A', 'c', 'AuthorizationKey', 'D'];
  const configurationKey = names.map((key) => ({ key, readonly: key === 'A', value: `of ${key}` }));
  await api.manager.command('GetConfiguration', {}, { configurationKey });
  await api.manager.command('ChangeConfiguration', { key: 'e', value: '1' }, { status: 'RebootRequired' });
  const items = await all('CP1/configuration', 2);
  expect(items.map(({ key }) => key)).toEqual(['A', 'AuthorizationKey', 'b', 'c', 'D', 'e']);
  const readAt = expect.stringMatching(/^\d{4}-.*Z$/) as unknown;
  expect(items[0]).toEqual({ key: 'A', value: 'of A', readonly: true, rebootRequired: false, readAt });
  expect(items[1]).toMatchObject({ value: null });
  expect(items[5]).toEqual({ key: 'e', value: '1', readonly: false, rebootRequired: true, readAt });
  expect((await get('CP1/configuration?key=B')).body.items).toEqual([items[2]]);
  expect((await get('CP2/configuration')).status).toBe(404);
});

test('charging profiles are listed by id and filtered', async () => {
  const { manager } = api;
  for (const [connectorId, csChargingProfiles] of [
    [0, OF_STATION],
    [1, PROFILE],
    [2, PROFILE],
  ] as const) {
    await manager.command('SetChargingProfile', { connectorId, csChargingProfiles }, { status: 'Accepted' });
  }
  const items = await all('CP1/charging-profiles', 2);
  expect(items.map(({ chargingProfileId }) => chargingProfileId)).toEqual([1, 2, 3]);
  expect(items[1]).toEqual({
    chargingProfileId: 2,
    connectorId: 1,
    purpose: 'TxDefaultProfile',
    stackLevel: 0,
    transactionId: null,
    chargingProfile: { ...PROFILE, chargingProfileId: 2 },
    setAt: expect.stringMatching(/Z$/) as unknown,
  });
  const ids = async (query: string) =>
    (await get(`CP1/charging-profiles?${query}`)).body.items.map(
      ({ chargingProfileId }) => chargingProfileId,
    );
  expect(await ids('connectorId=2')).toEqual([3]);
  expect(await ids('purpose=TxDefaultProfile')).toEqual([2, 3]);
  expect(await ids('purpose=TxDefaultProfile&connectorId=0')).toEqual([]);
  expect(await ids('transactionId=1')).toEqual([]);
  expect((await get('CP1/charging-profiles?purpose=None')).status).toBe(400);
});

test('the composite schedule is the last answer of the station, in one unit or in any', async () => {
  const path = 'CP1/connectors/1/composite-schedule';
  expect(await get(path)).toMatchObject({
    status: 404,
    body: { detail: expect.stringContaining('commands/GetCompositeSchedule') as unknown },
  });
  const chargingSchedule = { ...PROFILE.chargingSchedule, duration: 60 };
  const answer = {
    status: 'Accepted',
    connectorId: 1,
    scheduleStart: '2026-11-20T10:00:00Z',
    chargingSchedule,
  };
  await api.manager.command('GetCompositeSchedule', { connectorId: 1, duration: 60 }, answer);
  const accepted = {
    connectorId: 1,
    chargingRateUnit: 'A',
    status: 'Accepted',
    durationSeconds: 60,
    scheduleStart: '2026-11-20T10:00:00.000Z',
    chargingSchedule,
    askedAt: expect.stringMatching(/Z$/) as unknown,
  };
  expect((await get(path)).body).toMatchObject(accepted);
  api.manager.setNow(new Date(Date.now() + 1000));
  const inWatts = { connectorId: 1, duration: 60, chargingRateUnit: 'W' };
  await api.manager.command('GetCompositeSchedule', inWatts, { status: 'Rejected' });
  api.manager.setNow(undefined);
  expect((await get(path)).body).toMatchObject({
    chargingRateUnit: 'W',
    status: 'Rejected',
    scheduleStart: null,
    chargingSchedule: null,
  });
  expect((await get(`${path}?unit=A`)).body).toMatchObject(accepted);
});

test('a local list shows its version, whether a Full update is needed, and its entries', async () => {
  expect((await get('CP9/local-list')).status).toBe(404);
  expect((await get('CP1/local-list')).body).toEqual({
    supported: null,
    version: null,
    needsFull: false,
    lastStatus: null,
    lastUpdateType: null,
    updatedAt: null,
  });
  const entry = (idTag: string) => ({ idTag, idTagInfo: { status: 'Accepted', parentIdTag: 'FLEET' } });
  const full = { updateType: 'Full', localAuthorizationList: ['b', 'A', 'C'].map(entry) };
  await api.manager.command('SendLocalList', full, { status: 'Accepted' });
  await api.manager.command('SendLocalList', { updateType: 'Differential' }, { status: 'VersionMismatch' });
  expect((await get('CP1/local-list')).body).toEqual({
    supported: true,
    version: 1,
    needsFull: true,
    lastStatus: 'VersionMismatch',
    lastUpdateType: 'Differential',
    updatedAt: expect.stringMatching(/Z$/) as unknown,
  });
  const items = await all('CP1/local-list/entries', 2);
  expect(items.map(({ idTag }) => idTag)).toEqual(['A', 'b', 'C']);
  expect(items[1]).toEqual({ idTag: 'b', status: 'Accepted', parentIdTag: 'FLEET', expiryDate: null });
  expect((await get('CP1/local-list/entries?idTag=B')).body.items).toEqual([items[1]]);
  await api.manager.command('GetLocalListVersion', {}, { listVersion: -1 });
  expect((await get('CP1/local-list')).body).toMatchObject({ supported: false, version: null });
});

test('deleting a station deletes everything known about it', async () => {
  const { manager } = api;
  await manager.command('ChangeConfiguration', { key: 'AuthorizationKey', value: 'ab'.repeat(16) });
  const tables = [
    'configuration_keys',
    'charging_profiles',
    'composite_schedules',
    'local_lists',
    'local_list_entries',
    'password_changes',
  ];
  const full = {
    updateType: 'Full',
    localAuthorizationList: [{ idTag: 'A', idTagInfo: { status: 'Accepted' } }],
  };
  await manager.rows("UPDATE commands SET status = 'timedOut' WHERE status = 'sent'");
  await manager.command('SendLocalList', full, { status: 'Accepted' });
  const count = async (table: string) => (await manager.rows(`SELECT FROM ${table}`)).length;
  for (const table of tables) expect([table, await count(table)]).not.toEqual([table, 0]);
  expect((await api.send('DELETE', '/api/v1/stations/CP1')).status).toBe(204);
  for (const table of tables) expect([table, await count(table)]).toEqual([table, 0]);
});

test('a password set by an operator discards one from a command that was never answered', async () => {
  await api.send('PUT', '/api/v1/stations/CP1', { securityProfile: 1, password: 'cd'.repeat(16) });
  const hashes = async () =>
    (await api.send('GET', '/gateway/stations/CP1', undefined, 'the-key-of-gateways')).body.passwordHashes;
  const before = await hashes();
  await api.manager.command('ChangeConfiguration', { key: 'AuthorizationKey', value: 'ab'.repeat(16) });
  expect(await hashes()).toHaveLength(6);
  await api.manager.rows("UPDATE commands SET status = 'timedOut' WHERE status = 'sent'");
  await api.send('PUT', '/api/v1/stations/CP1', { password: 'cd'.repeat(16) });
  expect(await hashes()).toEqual(before);
});
