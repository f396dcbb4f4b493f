import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { allPages, KEYS, openApi } from '../http/harness.ts';
import type { Answer, TestApi } from '../http/harness.ts';
import type { Document } from '../openapi/schema-check.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

function send(action: string, body: object, query = '', stationId = 'CP1'): Promise<Answer> {
  return api.send('POST', `/api/v1/stations/${stationId}/commands/${action}${query}`, body, KEYS.operator);
}

/** The next command that CP1 is sent. */
async function nextCall(before: number) {
  for (;;) {
    const call = api.manager.sent()[before];
    if (call) return call;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('a command waits for its answer, and can be read later', async () => {
  const before = api.manager.sent().length;
  const waiting = send('Reset', { type: 'Soft' });
  await api.manager.answer(await nextCall(before), { status: 'Accepted' });
  const { status, body } = await waiting;
  expect(status).toBe(200);
  expect(body).toMatchObject({
    stationId: 'CP1',
    action: 'Reset',
    status: 'answered',
    request: { type: 'Soft' },
    response: { status: 'Accepted' },
    error: null,
    requestedBy: 'operator',
  });
  expect(body).not.toHaveProperty('sequence');
  expect((await api.send('GET', `/api/v1/commands/${String(body.commandId)}`)).body).toEqual(body);
});

test('with waitSeconds=0 a command gets 202 immediately', async () => {
  const before = api.manager.sent().length;
  const { status, body } = await send('ClearCache', {}, '?waitSeconds=0');
  expect([status, body.status, body.completedAt]).toEqual([202, 'sent', null]);
  await api.manager.answer(await nextCall(before), { error: 'NotSupported' });
  expect((await api.send('GET', `/api/v1/commands/${String(body.commandId)}`)).body).toMatchObject({
    status: 'failed',
    error: { code: 'NotSupported' },
  });
});

test.each([
  ['UpdateFirmware', 'NotSupported', expect.stringContaining('SignedUpdateFirmware') as unknown],
  ['UpdateFirmware', 'InternalError', null],
  ['Reset', 'NotSupported', null],
])('%s answered %s: the hint', async (action, error, hint) => {
  await api.manager.rows('TRUNCATE commands');
  const before = api.manager.sent().length;
  const body =
    action === 'Reset'
      ? { type: 'Soft' }
      : { location: 'https://files.example/firmware.bin', retrieveDate: '2026-11-20T10:00:00Z' };
  const waiting = send(action, body, '?skipRules=true');
  await api.manager.answer(await nextCall(before), { error });
  const answered = await waiting;
  expect(answered.body).toMatchObject({ status: 'failed', error: { code: error }, hint });
  const shown = await api.send('GET', `/api/v1/commands/${String(answered.body.commandId)}`);
  expect(shown.body).toEqual(answered.body);
});

test.each([
  ['Reset', { type: 'Medium' }, 'type must be one of Hard, Soft'],
  ['Reset', {}, 'type is missing'],
  ['Reset', { type: 'Soft', when: 'now' }, 'when is not known'],
  ['ClearCache?waitSeconds=9999', {}, 'waitSeconds'],
])('%s with %j is refused, and the field named', async (action, body, detail) => {
  const answer = await send(action, body);
  expect(answer.status).toBe(400);
  expect(answer.body.detail).toContain(detail);
});

test.each(['Rest', 'BootNotification'])('%s is not a command', async (action) => {
  expect((await send(action, {})).status).toBe(404);
});

test('the error names the violated rule', async () => {
  expect(await send('UnlockConnector', { connectorId: 0 })).toMatchObject({
    status: 422,
    body: { rule: 'Unlock.1', detail: expect.stringContaining('connectorId') as unknown },
  });
  const odd = await send('UnlockConnector', { connectorId: 0 }, '?skipRules=true&waitSeconds=0');
  expect(odd.status).toBe(202);
});

test('an unknown station gives 404; an absent one gives 409, or the command waits', async () => {
  expect((await send('ClearCache', {}, '', 'NOBODY')).status).toBe(404);
  await api.send('PUT', '/api/v1/stations/AWAY', {});
  expect(await send('ClearCache', {}, '', 'AWAY')).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('ttlSeconds') as unknown },
  });
  expect(await send('ClearCache', {}, '?ttlSeconds=60&waitSeconds=0', 'AWAY')).toMatchObject({
    status: 202,
    body: { status: 'queued', sentAt: null },
  });
});

test('ids that the CSMS assigns are optional, and limits have one decimal', async () => {
  const csChargingProfiles = {
    stackLevel: 0,
    chargingProfilePurpose: 'TxDefaultProfile',
    chargingProfileKind: 'Relative',
    chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 8.1 }] },
  };
  const { body } = await api.send('GET', '/openapi.json', undefined, null);
  expect(
    JSON.stringify((body['components'] as Document['components']).schemas['RemoteStartTransactionRequest']),
  ).toContain('chargingProfile');
  const before = api.manager.sent().length;
  await api.manager.rows('TRUNCATE commands');
  const profile = { ...csChargingProfiles, chargingProfilePurpose: 'TxProfile' };
  const answer = await send(
    'RemoteStartTransaction',
    { idTag: 'T', chargingProfile: profile },
    '?waitSeconds=0',
  );
  expect(answer.status).toBe(202);
  expect((await nextCall(before)).request).toEqual({
    idTag: 'T',
    chargingProfile: { ...profile, chargingProfileId: expect.any(Number) as unknown },
  });
});

test('all commands are listed, with paging and filters', async () => {
  await api.manager.rows('TRUNCATE commands');
  for (let i = 0; i < 7; i++) await api.manager.command('ClearCache', {}, { status: 'Accepted' });
  await api.manager.command('Reset', { type: 'Soft' });
  const all = await allPages(api, '/api/v1/commands', 3);
  expect(all.map(({ action }) => action)).toEqual(['Reset', ...Array<string>(7).fill('ClearCache')]);
  expect(new Set(all.map(({ commandId }) => commandId)).size).toBe(8);
  for (const [filter, count] of [
    ['action=Reset', 1],
    ['status=answered', 7],
    ['stationId=CP2', 0],
    ['to=2020-01-01T00:00:00Z', 0],
  ] as const)
    expect((await api.send('GET', `/api/v1/commands?${filter}`)).body.items).toHaveLength(count);
});
