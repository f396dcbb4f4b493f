import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as stations from '../../src/stations/stations.store.ts';
import { allPages, openApi } from '../http/harness.ts';
import type { Answer, TestApi } from '../http/harness.ts';
import { addTag } from '../test-manager.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
  await stations.addUnknown(api.manager.database, ['CP2', 'CP3', 'OTHER']);
});
afterAll(() => api.close());

const send = (method: string, path: string, body?: object): Promise<Answer> =>
  api.send(method, `/api/v1/${path}`, body);
const opened = async (kind: string): Promise<unknown[]> => {
  const rows = await api.manager.rows(
    `SELECT station_id, requested_by FROM reconciliations WHERE kind = $1 AND state = 'open' ORDER BY 1`,
    [kind],
  );
  await api.manager.rows(`UPDATE reconciliations SET state = 'succeeded' WHERE kind = $1`, [kind]);
  return rows.map(({ station_id: stationId }) => stationId);
};

test('a group is created, changed in the fields given, listed and removed', async () => {
  expect(await send('PUT', 'station-groups/g 1', { stationIds: ['CP1', 'OTHER'] })).toMatchObject({
    status: 201,
    body: { name: 'g 1', rank: 100, stationIds: ['CP1', 'OTHER'], vendor: null, stations: 2 },
  });
  expect(await send('PUT', 'station-groups/g 1', { prefix: 'CP', rank: 3 })).toMatchObject({
    status: 200,
    body: { rank: 3, stationIds: ['CP1', 'OTHER'], prefix: 'CP', stations: 4 },
  });
  expect((await send('PUT', 'station-groups/g 1', { prefix: null })).body).toMatchObject({
    prefix: null,
    stations: 2,
  });
  expect((await send('PUT', 'station-groups/g 1', { vendor: 'Vendor' })).body['stations']).toBe(2);
  expect((await send('PUT', 'station-groups/g 1', { prefix: 'CP' })).body['stations']).toBe(2);
  expect((await send('PUT', 'station-groups/g 1', { stationIds: [] })).body['stations']).toBe(1);
  await send('PUT', 'station-groups/g 1', { stationIds: ['CP1', 'OTHER'], vendor: null, prefix: null });
  await send('PUT', 'station-groups/all of a model', { vendor: 'Vendor', model: 'Model' });
  const groups = await allPages(api, '/api/v1/station-groups', 1);
  expect(groups.map(({ name, stations: count }) => [name, count])).toEqual([
    ['all of a model', 1],
    ['g 1', 2],
  ]);
  for (const name of ['g 1', 'all of a model'])
    expect((await send('DELETE', `station-groups/${name}`)).status).toBe(204);
  expect(await send('GET', 'station-groups/g 1')).toMatchObject({
    status: 404,
    body: { detail: expect.stringContaining('PUT /api/v1/station-groups/g%201 adds it') as unknown },
  });
});

test('invalid desired values are refused with key, fault and hint', async () => {
  const refused = async (values: object) => {
    const { status, body } = await send('PUT', 'stations/CP1/configuration', { values });
    expect(status).toBe(400);
    return [body.field, body.detail];
  };
  expect(await refused({ heartbeatinterval: 'abc' })).toEqual([
    'values.heartbeatinterval',
    'the value of heartbeatinterval must be an integer from 1 to 2147483647, not "abc"',
  ]);
  expect(await refused({ LocalPreAuthorize: 'yes' })).toEqual([
    'values.LocalPreAuthorize',
    'the value of LocalPreAuthorize must be true or false, not "yes"',
  ]);
  expect((await refused({ NumberOfConnectors: '3' }))[1]).toContain('read-only');
  expect((await refused({ AuthorizationKey: '00'.repeat(16) }))[1]).toContain('password-rotation');
  expect((await refused({ securityprofile: '2' }))[1]).toContain('security-profile');
  expect((await refused({ A: '1', a: '2' }))[1]).toContain('a is given twice');
  expect((await refused({ A: 'x'.repeat(501) }))[0]).toBe('values.A');
  expect(await send('PUT', 'stations/NOBODY/configuration', { values: {} })).toMatchObject({ status: 404 });
  expect(await opened('configuration')).toEqual([]);
});

test('the configuration of a station shows actual and desired values, and where the desired value comes from', async () => {
  await send('PUT', 'station-groups/g', { prefix: 'CP' });
  const group = await send('PUT', 'station-groups/g/configuration', {
    values: { ConnectionTimeOut: '60', Mine: 'g' },
    reset: 'whenIdle',
  });
  expect(group).toMatchObject({
    status: 202,
    body: { values: { ConnectionTimeOut: '60', Mine: 'g' }, stations: 3 },
  });
  expect(await opened('configuration')).toEqual(['CP1', 'CP2', 'CP3']);
  const own = await send('PUT', 'stations/CP1/configuration', { values: { mine: 'own' } });
  expect(own).toMatchObject({
    status: 202,
    body: { kind: 'configuration', state: 'open', requestedBy: 'admin' },
  });
  expect(await opened('configuration')).toEqual(['CP1']);
  const configurationKey = [
    { key: 'ConnectionTimeOut', value: '060', readonly: false },
    { key: 'Third', value: '3', readonly: false },
  ];
  await api.manager.command('GetConfiguration', {}, { configurationKey });
  const items = await allPages(api, '/api/v1/stations/CP1/configuration', 2);
  expect(items.map(({ key }) => key)).toEqual(['ConnectionTimeOut', 'mine', 'Third']);
  expect(items[0]).toMatchObject({
    value: '060',
    desired: { value: '60', source: 'group', group: 'g', outcome: null, drift: false },
  });
  expect(items[1]).toMatchObject({
    value: null,
    readAt: null,
    desired: { value: 'own', source: 'station', group: null },
  });
  expect(items[2]).not.toHaveProperty('desired');
  const found = await send('GET', 'stations/CP1/configuration?key=MINE');
  expect(found.body.items).toEqual([items[1]]);
  await opened('configuration');
  await send('PUT', 'station-groups/g', { prefix: null, stationIds: ['CP1', 'OTHER'] });
  expect(await opened('configuration')).toEqual(['CP1', 'CP2', 'CP3', 'OTHER']);
  await send('DELETE', 'station-groups/g');
  await send('PUT', 'stations/CP1/configuration', { values: { Mine: null } });
  const left = await allPages(api, '/api/v1/stations/CP1/configuration', 50);
  expect(left.map(({ key }) => key)).toEqual(['ConnectionTimeOut', 'Third']);
});

test('a desired local list of a station or its group is set, shown with its state, and removed', async () => {
  await addTag(api.manager, 'A');
  expect((await send('GET', 'stations/CP1/local-list')).body).not.toHaveProperty('desired');
  for (const body of [{}, { all: false }, { all: true, tags: ['A'] }])
    expect((await send('PUT', 'stations/CP1/local-list', body)).status).toBe(400);
  await send('PUT', 'station-groups/l', { prefix: 'CP' });
  expect((await send('GET', 'station-groups/l/local-list')).status).toBe(404);
  expect((await send('PUT', 'station-groups/l/local-list', { all: true })).status).toBe(202);
  expect(await opened('localList')).toEqual(['CP1', 'CP2', 'CP3']);
  const shown = async (): Promise<unknown> => (await send('GET', 'stations/CP1/local-list')).body.desired;
  expect(await shown()).toMatchObject({ all: true, source: 'group', group: 'l', state: 'succeeded' });
  const own = await send('PUT', 'stations/CP1/local-list', { tags: ['A', 'a'], parentIdTags: ['Family'] });
  expect(own).toMatchObject({ status: 202, body: { kind: 'localList', state: 'open' } });
  expect(await shown()).toMatchObject({
    all: false,
    tags: ['a'],
    parentIdTags: ['family'],
    source: 'station',
    state: 'open',
  });
  expect((await send('DELETE', 'stations/CP1/local-list')).status).toBe(204);
  expect((await send('DELETE', 'stations/CP1/local-list')).status).toBe(404);
  expect(await shown()).toMatchObject({ all: true, group: 'l' });
  expect((await send('DELETE', 'station-groups/l/local-list')).status).toBe(204);
  expect(await shown()).toBeUndefined();
});

test('deleting a station deletes its desired state', async () => {
  await send('PUT', 'stations/CP3/configuration', { values: { A: '1' }, reset: 'never' });
  await send('PUT', 'stations/CP3/local-list', { all: true });
  await send('DELETE', 'stations/CP3');
  for (const table of ['desired_values', 'desired_local_lists', 'reconciliations'])
    expect(await api.manager.rows(`SELECT FROM ${table} WHERE station_id = 'CP3'`)).toEqual([]);
});
