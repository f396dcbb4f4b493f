import { silentLog } from '@evander/process';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { advance } from '../../src/campaigns/advance.ts';
import { CampaignRunner } from '../../src/campaigns/runner.ts';
import { sendRound } from '../../src/campaigns/send.ts';
import type { SenderOptions } from '../../src/campaigns/send.ts';
import * as stations from '../../src/stations/stations.store.ts';
import { ROOT_ONE } from '../certificates/certificates.ts';
import { KEYS, openApi } from '../http/harness.ts';
import type { Answer, TestApi } from '../http/harness.ts';
import { connect } from '../test-manager.ts';

type Json = Record<string, unknown>;

let api: TestApi;
let options: SenderOptions;
let runner: CampaignRunner;
let clockMs: number;
let prefix = 0;
beforeAll(async () => {
  api = await openApi();
  const { manager, files } = api;
  const { callMaker, database, now } = manager;
  options = { database, callMaker, links: files.links, now, log: silentLog() };
  runner = new CampaignRunner(options);
});
afterAll(() => api.close());
beforeEach(() => {
  prefix++;
  clockMs = Date.now();
  api.manager.setNow(new Date(clockMs));
});
afterEach(async () => {
  api.manager.setNow(undefined);
  await api.manager.rows('TRUNCATE firmware_campaigns, firmware_campaign_stations');
});

/** A round of the sweep, so many seconds later. */
async function later(seconds: number): Promise<void> {
  clockMs += seconds * 1000;
  api.manager.setNow(new Date(clockMs));
  await runner.sweep();
}

async function fleet(count: number, { isThere = true } = {}): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, i) => `F${prefix}-${i}${isThere ? '' : '-away'}`);
  for (const stationId of ids) {
    await stations.addUnknown(api.manager.database, [stationId]);
    if (isThere) await connect(api.manager.database, stationId);
    await boot(stationId, '1.0');
  }
  return ids;
}

async function boot(stationId: string, firmwareVersion: string): Promise<void> {
  const request = { chargePointVendor: 'V', chargePointModel: 'M', firmwareVersion };
  await api.manager.ask('BootNotification', request, { stationId });
}

async function tell(stationId: string, ...statuses: string[]): Promise<void> {
  for (const status of statuses) {
    clockMs += 1;
    api.manager.setNow(new Date(clockMs));
    await api.manager.ask('FirmwareStatusNotification', { status }, { stationId });
  }
}

async function firmware(query = 'name=fw.bin&firmwareVersion=2.0'): Promise<string> {
  const response = await fetch(`${api.url}/api/v1/files?${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEYS.operator}`, 'content-type': 'application/octet-stream' },
    body: Buffer.from(query),
  });
  return String(((await response.json()) as Json)['fileId']);
}

function operator(method: string, path: string, body?: object): Promise<Answer> {
  return api.send(method, `/api/v1${path}`, body, KEYS.operator);
}

async function campaign(stationIds: string[], body: Json): Promise<string> {
  const made = await operator('POST', '/firmware-campaigns', { stationIds, start: true, ...body });
  expect({ status: made.status, detail: made.body.detail }).toEqual({ status: 201 });
  return `/firmware-campaigns/${String(made.body['campaignId'])}`;
}

/** `state`, or `state: reason`. */
function inWords({ state, reason }: Json): string {
  return [state, reason].filter((word) => typeof word === 'string').join(': ');
}

/** The campaign's stations, in order. */
async function standing(path: string): Promise<string[]> {
  return (await operator('GET', `${path}/stations`)).body.items.map(inWords);
}

async function stateOf(path: string): Promise<string> {
  return inWords((await operator('GET', path)).body);
}

/** The station answers its command: the actions and locations that it has been sent so far. */
async function answer(stationId: string, reply: Json = {}): Promise<string[]> {
  const { manager } = api;
  const rows = await manager.rows(
    'SELECT command_id, status FROM commands WHERE station_id = $1 ORDER BY sequence',
    [stationId],
  );
  const calls = rows.map(({ command_id: id }) => manager.sent().find((call) => call.id === id));
  const call = calls.at(-1);
  if (call && rows.at(-1)?.['status'] === 'sent') {
    const question = { id: call.id, action: call.action, request: call.request };
    const at = { received_at: manager.now().toISOString() };
    await manager.router.route(
      stationId,
      'error' in reply
        ? { type: 4, ...question, ...at, error_code: String(reply['error']), error_description: 'no' }
        : { type: 3, ...question, ...at, response: reply },
    );
  }
  return calls.map((one) => String(one?.action));
}

test('a wave begins when the one before it has ended', async () => {
  const [one = '', two = ''] = await fleet(2);
  const path = await campaign([one, two], { fileId: await firmware(), waves: { size: 1 } });
  await later(0);
  expect(await answer(one)).toEqual(['UpdateFirmware']);
  await tell(one, 'Downloading');
  await later(1);
  expect(await standing(path)).toEqual(['downloading', 'waiting']);
  await tell(one, 'Downloaded');
  await later(1);
  await tell(one, 'Installing');
  await later(1);
  expect(await standing(path)).toEqual(['installing', 'waiting']);
  await boot(one, '2.0');
  await tell(one, 'Installed');
  await later(1);
  expect(await standing(path)).toEqual(['installed', 'sent']);
  await answer(two);
  await boot(two, '2.0');
  await tell(two, 'Downloading', 'Downloaded', 'Installing', 'Installed');
  await later(1);
  expect(await stateOf(path)).toBe('done');
  const { items } = (await operator('GET', `${path}/stations?state=installed&wave=2`)).body;
  expect(items).toMatchObject([
    {
      stationId: two,
      attempts: 1,
      firmwareVersionBefore: '1.0',
      firmwareVersion: '2.0',
      downloadingAt: expect.any(String) as unknown,
      installingAt: expect.any(String) as unknown,
    },
  ]);
});

test('a station that is not there is waited for, and skipped in the end; one that has the version needs nothing', async () => {
  const [away = ''] = await fleet(1, { isThere: false });
  const [there = '', updated = ''] = await fleet(2);
  await boot(updated, '2.0');
  const body = { fileId: await firmware(), waves: { percent: 34 }, absenceTimeoutSeconds: 600 };
  const path = await campaign([away, there, updated], body);
  await later(0);
  expect(await standing(path)).toContain('skipped: it has 2.0 already');
  await answer(there);
  await tell(there, 'Installed');
  await boot(there, '2.0');
  await later(599);
  expect(await stateOf(path)).toBe('running');
  await later(700);
  await later(700);
  expect((await standing(path)).sort()).toEqual([
    'installed',
    'skipped: it did not come in time',
    'skipped: it has 2.0 already',
  ]);
  expect(await stateOf(path)).toBe('done');
});

test('a station that says nothing new times out; a late Installed still counts', async () => {
  const [silent = '', slow = ''] = await fleet(2);
  const path = await campaign([silent, slow], {
    fileId: await firmware('name=a'),
    progressTimeoutSeconds: 100,
  });
  await later(0);
  await answer(slow);
  await later(90);
  await tell(slow, 'Downloading');
  await later(20);
  expect(await standing(path)).toEqual(['timedOut: it has said nothing since the command', 'downloading']);
  await answer(silent);
  await tell(silent, 'Installed');
  await later(1);
  expect(await standing(path)).toEqual(['installed', 'downloading']);
  await later(101);
  expect(await standing(path)).toEqual(['installed', 'timedOut: it has said nothing since Downloading']);
  expect(await stateOf(path)).toBe('done');
});

test('Installed is believed when the boot says the same, or says nothing', async () => {
  const [wrong = '', quiet = '', mute = ''] = await fleet(3);
  const path = await campaign([wrong, quiet, mute], { fileId: await firmware() });
  await later(0);
  for (const id of [wrong, quiet, mute]) await answer(id);
  await tell(wrong, 'Installing', 'Installed');
  await boot(wrong, '1.0');
  await tell(quiet, 'Installing', 'Installed');
  await tell(mute, 'Installing');
  await boot(mute, '2.0');
  await later(10);
  expect(await standing(path)).toEqual(['installing', 'installing', 'installing']);
  await later(301);
  expect(await standing(path)).toEqual([
    'failed: it said Installed and boots with 1.0, not 2.0',
    'installed: it has not booted since, so nothing confirms 2.0',
    'installed: it boots with 2.0, and has not said Installed',
  ]);
});

test('a station that does not know the signed command is sent the other, once', async () => {
  const [plain = '', knows = '', none = ''] = await fleet(3);
  const fileId = await firmware();
  await operator('PUT', `/files/${fileId}`, { signature: 'AAAA', signingCertificate: ROOT_ONE });
  for (const stationId of [plain, knows, none])
    await api.manager.ask(
      'SecurityEventNotification',
      { type: 'ResetOrReboot', timestamp: '2026-11-01T00:00:00Z' },
      { stationId },
    );
  const path = await campaign([plain, knows, none], { fileId });
  await later(0);
  expect(await answer(knows, { status: 'Accepted' })).toEqual(['SignedUpdateFirmware']);
  await answer(plain, { error: 'NotSupported' });
  await answer(none, { error: 'NotImplemented' });
  await later(1);
  expect(await answer(plain)).toEqual(['SignedUpdateFirmware', 'UpdateFirmware']);
  await answer(none, { error: 'NotImplemented' });
  await tell(plain, 'Installed');
  await boot(plain, '2.0');
  await later(1);
  await later(1);
  expect(await standing(path)).toEqual(['installed', 'sent', 'failed: NotImplemented: no']);
});

test('what a rule of OCPP or the station refuses is a failure with its reason', async () => {
  const [ftp = '', busy = ''] = await fleet(2);
  await api.manager.rows(
    `INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at)
     SELECT $1, 'supportedfiletransferprotocols', 'SupportedFileTransferProtocols', 'FTP', now()`,
    [ftp],
  );
  const path = await campaign([ftp, busy], { fileId: await firmware() });
  await later(0);
  await answer(busy, { error: 'InternalError' });
  await later(1);
  expect(await standing(path)).toEqual([
    `failed: station ${ftp} does not support http; its SupportedFileTransferProtocols are FTP`,
    'failed: InternalError: no',
  ]);
});

test('paused it sends nothing; cancelled it skips those that wait; what is under way goes on', async () => {
  const [one = '', two = ''] = await fleet(2);
  const path = await campaign([one, two], { fileId: await firmware(), waves: { size: 1 } });
  await later(0);
  await answer(one);
  await operator('POST', `${path}/pause`, {});
  await tell(one, 'Installed');
  await boot(one, '2.0');
  await later(1);
  await later(100_000);
  expect(await standing(path)).toEqual(['installed', 'waiting']);
  expect(await operator('POST', `${path}/start`, {})).toMatchObject({ status: 409 });
  await operator('POST', `${path}/resume`, {});
  await connect(api.manager.database, two);
  await later(1);
  expect(await standing(path)).toEqual(['installed', 'sent']);
  const third = await campaign(await fleet(1), { fileId: await firmware(), start: false });
  expect(await stateOf(third)).toBe('draft');
  expect(await operator('POST', `${third}/cancel`)).toMatchObject({ body: { state: 'cancelled' } });
  await operator('POST', `${path}/cancel`);
  await answer(two);
  await boot(two, '2.0');
  await tell(two, 'Installed');
  await later(1);
  expect(await standing(path)).toEqual(['installed', 'installed']);
  expect(await standing(third)).toEqual(['skipped: the campaign was cancelled']);
  expect(await operator('POST', `${path}/resume`, {})).toMatchObject({ status: 409 });
});

test('a file that a campaign needs stays; removed all the same, the campaign stops and says so', async () => {
  const [one = '', two = ''] = await fleet(2);
  const fileId = await firmware();
  const path = await campaign([one, two], { fileId, waves: { size: 1 } });
  await later(0);
  expect(await operator('DELETE', `/files/${fileId}`)).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('campaign') as unknown },
  });
  expect(await operator('DELETE', `/files/${fileId}?force=true`)).toMatchObject({ status: 204 });
  await answer(one);
  await tell(one, 'DownloadFailed');
  await later(1);
  expect(await stateOf(path)).toBe('stopped: its file fw.bin was removed');
  expect(await standing(path)).toEqual(['failed: DownloadFailed', 'waiting']);
  expect(await operator('POST', `${path}/resume`, {})).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('removed') as unknown },
  });
});

test('it rolls back by itself when it was told to, and when it is asked', async () => {
  const [good = '', bad = '', late = ''] = await fleet(3);
  const rollbackFileId = await firmware('name=old.bin&firmwareVersion=1.0');
  const body = { rollbackFileId, rollbackOnStop: 'failed', maxFailurePercent: 30 };
  const path = await campaign([good, bad, late], { fileId: await firmware(), ...body });
  await later(0);
  for (const id of [good, bad, late]) await answer(id);
  await tell(bad, 'InstallationFailed');
  await later(1);
  expect(await stateOf(path)).toBe(
    'stopped: 1 of 3 stations failed or timed out, and 30 % may: InstallationFailed (1)',
  );
  expect(await standing(path)).toEqual(['sent', 'sent', 'sent']);
  expect(await answer(bad)).toEqual(['UpdateFirmware', 'UpdateFirmware']);
  await tell(bad, 'Installed');
  await boot(bad, '1.0');
  // What was under way at the stop is rolled back when it fails.
  await tell(late, 'DownloadFailed');
  await boot(good, '2.0');
  await tell(good, 'Installed');
  await later(1);
  await later(1);
  expect(await answer(late, { error: 'InternalError' })).toHaveLength(2);
  await later(1);
  await later(1);
  expect(await standing(path)).toEqual(['installed', 'rolledBack', 'failed: rollback: InternalError: no']);
  expect((await operator('POST', `${path}/rollback`, { stations: 'updated' })).status).toBe(200);
  await later(1);
  expect(await answer(good)).toHaveLength(2);
  await boot(good, '1.0');
  await tell(good, 'Installed');
  await later(1);
  expect((await standing(path)).slice(0, 2)).toEqual(['rolledBack', 'rolledBack']);
  const { items } = (await operator('GET', `${path}/stations`)).body;
  expect(items.map(({ updateState, updateReason }) => [updateState, updateReason])).toEqual([
    ['installed', null],
    ['failed', 'InstallationFailed'],
    ['failed', 'DownloadFailed'],
  ]);
});

test('managers that send at the same moment send each station one command', async () => {
  const ids = await fleet(8);
  await campaign(ids, { fileId: await firmware() });
  const { database, now } = api.manager;
  const [{ campaign_id: campaignId } = {}] = await api.manager.rows(
    'SELECT campaign_id FROM firmware_campaigns',
  );
  await database.transaction((db) => advance(db, String(campaignId), now()));
  const round = await database.transaction((db) => advance(db, String(campaignId), now()));
  if (!round) throw new Error('there is no campaign');
  await Promise.all([1, 2, 3].map(() => sendRound(round, options)));
  const sent = await api.manager.rows(
    `SELECT count(*)::int AS commands, count(DISTINCT station_id)::int AS stations FROM commands
     WHERE station_id = ANY ($1)`,
    [ids],
  );
  expect(sent).toEqual([{ commands: 8, stations: 8 }]);
  // What was not sent has left no link either.
  expect(
    await api.manager.rows('SELECT count(*)::int FROM file_links WHERE station_id = ANY ($1)', [ids]),
  ).toEqual([{ count: 8 }]);
});

test('a campaign that makes no sense is refused', async () => {
  const fileId = await firmware();
  const make = (body: Json): Promise<Answer> => operator('POST', '/firmware-campaigns', body);
  expect(await make({ fileId })).toMatchObject({ status: 400 });
  expect(await make({ fileId, filter: {} })).toMatchObject({ status: 400 });
  expect(await make({ fileId, filter: { vendor: 'nobody' } })).toMatchObject({ status: 422 });
  expect(await make({ fileId, stationIds: ['nobody'] })).toMatchObject({
    status: 422,
    body: { detail: expect.stringContaining('nobody') as unknown },
  });
  expect(await make({ fileId: '00000000-0000-4000-8000-000000000000', stationIds: ['CP1'] })).toMatchObject({
    status: 404,
  });
  expect(await make({ fileId, stationIds: ['CP1'], signed: true })).toMatchObject({ status: 422 });
  expect(await make({ fileId, stationIds: ['CP1'], signed: 'perhaps' })).toMatchObject({ status: 400 });
  expect(await make({ fileId, stationIds: ['CP1'], rollbackOnStop: 'all' })).toMatchObject({ status: 422 });
  expect(
    await api.send('POST', '/api/v1/firmware-campaigns', { fileId, stationIds: ['CP1'] }, KEYS.viewer),
  ).toMatchObject({ status: 403 });
  expect(
    await operator('POST', '/firmware-campaigns/00000000-0000-4000-8000-000000000000/pause'),
  ).toMatchObject({
    status: 404,
  });
});
