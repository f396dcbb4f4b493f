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

/** Runs the campaigns again, this many seconds later. */
async function later(seconds: number): Promise<void> {
  clockMs += seconds * 1000;
  api.manager.setNow(new Date(clockMs));
  await runner.runDue();
}

async function fleet(count: number, { isConnected = true } = {}): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, i) => `F${prefix}-${i}${isConnected ? '' : '-away'}`);
  for (const stationId of ids) {
    await stations.addUnknown(api.manager.database, [stationId]);
    if (isConnected) await connect(api.manager.database, stationId);
    await boot(stationId, '1.0');
  }
  return ids;
}

async function boot(stationId: string, firmwareVersion: string): Promise<void> {
  const request = { chargePointVendor: 'V', chargePointModel: 'M', firmwareVersion };
  await api.manager.ask('BootNotification', request, { stationId });
}

async function report(stationId: string, ...statuses: string[]): Promise<void> {
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
function textOf({ state, reason }: Json): string {
  return [state, reason].filter((word) => typeof word === 'string').join(': ');
}

/** The states of the campaign's stations, in order. */
async function stationStates(path: string): Promise<string[]> {
  return (await operator('GET', `${path}/stations`)).body.items.map(textOf);
}

async function stateOf(path: string): Promise<string> {
  return textOf((await operator('GET', path)).body);
}

/** Answers the station's last command; resolves with the actions of all commands sent to it so far. */
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

test('a wave begins when the previous one has ended', async () => {
  const [one = '', two = ''] = await fleet(2);
  const path = await campaign([one, two], { fileId: await firmware(), waves: { size: 1 } });
  await later(0);
  expect(await answer(one)).toEqual(['UpdateFirmware']);
  await report(one, 'Downloading');
  await later(1);
  expect(await stationStates(path)).toEqual(['downloading', 'waiting']);
  await report(one, 'Downloaded');
  await later(1);
  await report(one, 'Installing');
  await later(1);
  expect(await stationStates(path)).toEqual(['installing', 'waiting']);
  await boot(one, '2.0');
  await report(one, 'Installed');
  await later(1);
  expect(await stationStates(path)).toEqual(['installed', 'sent']);
  await answer(two);
  await boot(two, '2.0');
  await report(two, 'Downloading', 'Downloaded', 'Installing', 'Installed');
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

test('an absent station is skipped after the timeout; one that already has the version is skipped immediately', async () => {
  const [away = ''] = await fleet(1, { isConnected: false });
  const [there = '', updated = ''] = await fleet(2);
  await boot(updated, '2.0');
  const body = { fileId: await firmware(), waves: { percent: 34 }, absenceTimeoutSeconds: 600 };
  const path = await campaign([away, there, updated], body);
  await later(0);
  expect(await stationStates(path)).toContain('skipped: already has 2.0');
  await answer(there);
  await report(there, 'Installed');
  await boot(there, '2.0');
  await later(599);
  expect(await stateOf(path)).toBe('running');
  await later(700);
  await later(700);
  expect((await stationStates(path)).sort()).toEqual([
    'installed',
    'skipped: already has 2.0',
    'skipped: the station did not connect in time',
  ]);
  expect(await stateOf(path)).toBe('done');
});

test('a station that reports nothing new times out; a late Installed still counts', async () => {
  const [silent = '', slow = ''] = await fleet(2);
  const path = await campaign([silent, slow], {
    fileId: await firmware('name=a'),
    progressTimeoutSeconds: 100,
  });
  await later(0);
  await answer(slow);
  await later(90);
  await report(slow, 'Downloading');
  await later(20);
  expect(await stationStates(path)).toEqual([
    'timedOut: it reported nothing after the command',
    'downloading',
  ]);
  await answer(silent);
  await report(silent, 'Installed');
  await later(1);
  expect(await stationStates(path)).toEqual(['installed', 'downloading']);
  await later(101);
  expect(await stationStates(path)).toEqual(['installed', 'timedOut: it reported nothing after Downloading']);
  expect(await stateOf(path)).toBe('done');
});

test('Installed counts unless the station boots with another version', async () => {
  const [wrong = '', quiet = '', mute = ''] = await fleet(3);
  const path = await campaign([wrong, quiet, mute], { fileId: await firmware() });
  await later(0);
  for (const id of [wrong, quiet, mute]) await answer(id);
  await report(wrong, 'Installing', 'Installed');
  await boot(wrong, '1.0');
  await report(quiet, 'Installing', 'Installed');
  await report(mute, 'Installing');
  await boot(mute, '2.0');
  await later(10);
  expect(await stationStates(path)).toEqual(['installing', 'installing', 'installing']);
  await later(301);
  expect(await stationStates(path)).toEqual([
    'failed: it reported Installed but boots with 1.0, not 2.0',
    'installed: it has not booted since, so 2.0 is not confirmed',
    'installed: it boots with 2.0 but did not report Installed',
  ]);
});

test('a station that does not know the signed command is sent the unsigned one, once', async () => {
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
  await report(plain, 'Installed');
  await boot(plain, '2.0');
  await later(1);
  await later(1);
  expect(await stationStates(path)).toEqual(['installed', 'sent', 'failed: NotImplemented: no']);
});

test('a refusal by an OCPP rule or by the station is a failure with its reason', async () => {
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
  expect(await stationStates(path)).toEqual([
    `failed: station ${ftp} does not support http; its SupportedFileTransferProtocols are FTP`,
    'failed: InternalError: no',
  ]);
});

test('a paused campaign sends nothing, a cancelled one skips waiting stations; updates under way continue', async () => {
  const [one = '', two = ''] = await fleet(2);
  const path = await campaign([one, two], { fileId: await firmware(), waves: { size: 1 } });
  await later(0);
  await answer(one);
  await operator('POST', `${path}/pause`, {});
  await report(one, 'Installed');
  await boot(one, '2.0');
  await later(1);
  await later(100_000);
  expect(await stationStates(path)).toEqual(['installed', 'waiting']);
  expect(await operator('POST', `${path}/start`, {})).toMatchObject({ status: 409 });
  await operator('POST', `${path}/resume`, {});
  await connect(api.manager.database, two);
  await later(1);
  expect(await stationStates(path)).toEqual(['installed', 'sent']);
  const third = await campaign(await fleet(1), { fileId: await firmware(), start: false });
  expect(await stateOf(third)).toBe('draft');
  expect(await operator('POST', `${third}/cancel`)).toMatchObject({ body: { state: 'cancelled' } });
  await operator('POST', `${path}/cancel`);
  await answer(two);
  await boot(two, '2.0');
  await report(two, 'Installed');
  await later(1);
  expect(await stationStates(path)).toEqual(['installed', 'installed']);
  expect(await stationStates(third)).toEqual(['skipped: the campaign was cancelled']);
  expect(await operator('POST', `${path}/resume`, {})).toMatchObject({ status: 409 });
});

test('the file of a campaign cannot be removed; if it is gone anyway, the campaign stops and says why', async () => {
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
  await report(one, 'DownloadFailed');
  await later(1);
  expect(await stateOf(path)).toBe('stopped: its file fw.bin was removed');
  expect(await stationStates(path)).toEqual(['failed: DownloadFailed', 'waiting']);
  expect(await operator('POST', `${path}/resume`, {})).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('removed') as unknown },
  });
});

test('it rolls back automatically if configured, and on request', async () => {
  const [good = '', bad = '', late = ''] = await fleet(3);
  const rollbackFileId = await firmware('name=old.bin&firmwareVersion=1.0');
  const body = { rollbackFileId, rollbackOnStop: 'failed', maxFailurePercent: 30 };
  const path = await campaign([good, bad, late], { fileId: await firmware(), ...body });
  await later(0);
  for (const id of [good, bad, late]) await answer(id);
  await report(bad, 'InstallationFailed');
  await later(1);
  expect(await stateOf(path)).toBe(
    'stopped: 1 of 3 stations failed or timed out (limit: 30 %): InstallationFailed (1)',
  );
  expect(await stationStates(path)).toEqual(['sent', 'sent', 'sent']);
  expect(await answer(bad)).toEqual(['UpdateFirmware', 'UpdateFirmware']);
  await report(bad, 'Installed');
  await boot(bad, '1.0');
  // A station that was under way at the stop is rolled back if it fails.
  await report(late, 'DownloadFailed');
  await boot(good, '2.0');
  await report(good, 'Installed');
  await later(1);
  await later(1);
  expect(await answer(late, { error: 'InternalError' })).toHaveLength(2);
  await later(1);
  await later(1);
  expect(await stationStates(path)).toEqual([
    'installed',
    'rolledBack',
    'failed: rollback: InternalError: no',
  ]);
  expect((await operator('POST', `${path}/rollback`, { stations: 'updated' })).status).toBe(200);
  await later(1);
  expect(await answer(good)).toHaveLength(2);
  await boot(good, '1.0');
  await report(good, 'Installed');
  await later(1);
  expect((await stationStates(path)).slice(0, 2)).toEqual(['rolledBack', 'rolledBack']);
  const { items } = (await operator('GET', `${path}/stations`)).body;
  expect(items.map(({ updateState, updateReason }) => [updateState, updateReason])).toEqual([
    ['installed', null],
    ['failed', 'InstallationFailed'],
    ['failed', 'DownloadFailed'],
  ]);
});

test('managers that send at the same time send each station only one command', async () => {
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
  // Commands that were not sent leave no link.
  expect(
    await api.manager.rows('SELECT count(*)::int FROM file_links WHERE station_id = ANY ($1)', [ids]),
  ).toEqual([{ count: 8 }]);
});

test('an invalid campaign is refused', async () => {
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
