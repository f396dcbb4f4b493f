// Long: a campaign over many stations.
// Slow: a campaign over many stations.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Gateway } from '@evander/gateway';
import type { Manager } from '@evander/manager';
import { Station } from '@evander/station';
import { createHash, randomBytes } from 'node:crypto';
import { ADMIN_KEY, apiOf, eventually, startServices } from './fixture.ts';
import type { Services } from './fixture.ts';

const STATIONS = 100;

let services: Services;
let managers: Manager[];
let gateway: Gateway;
let stations: Station[];
const hashes: string[] = [];
beforeAll(async () => {
  services = await startServices();
  managers = [await services.startManager(), await services.startManager()];
  gateway = await services.startGateway(managers);
  stations = Array.from({ length: STATIONS }, (_, i) => {
    const station = new Station({
      url: gateway.url,
      stationId: `CP${String(i).padStart(3, '0')}`,
      transfers: 'real',
      speed: Infinity,
      nextFirmwareVersion: '2.0',
      // One in five fails.
      jobs: { firmware: i % 5 === 0 ? 'InstallationFailed' : 'success' },
    });
    station.on('fetched', ({ bytes }) => hashes.push(createHash('sha256').update(bytes).digest('hex')));
    return station;
  });
  await Promise.all(
    stations.map(async (station) => {
      await station.connect();
      await station.boot();
    }),
  );
}, 60_000);
afterAll(async () => {
  await Promise.all(stations.map((station) => station.close()));
  await services.close();
});

type Json = Record<string, unknown>;

function api(method: string, path: string, body?: object): ReturnType<ReturnType<typeof apiOf>> {
  return apiOf(managers.at(-1)?.apiUrl ?? '')(method, path, body);
}

async function until(path: string, state: string): Promise<Json> {
  for (;;) {
    const { body = {} } = await eventually(() => api('GET', path));
    if (body['state'] === state) return body;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function completed(path: string, count: number): Promise<Json[]> {
  return eventually(async () => {
    const { body = {} } = await api('GET', `${path}/stations?limit=500`);
    const items = (body['items'] as Json[]).filter(({ completedAt }) => completedAt !== null);
    expect(items).toHaveLength(count);
    return items;
  });
}

test('a campaign stops when too many stations fail, explains why, resumes and ends, though a manager dies; every download is complete', async () => {
  const bytes = randomBytes(600_000);
  const response = await fetch(
    `${managers[0]?.apiUrl ?? ''}/api/v1/files?name=fw-2.0.bin&firmwareVersion=2.0`,
    {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/octet-stream' },
      body: bytes,
    },
  );
  const { fileId, sha256 } = (await response.json()) as Json;
  const made = await api('POST', '/firmware-campaigns', {
    fileId,
    filter: { vendor: 'Evander' },
    signed: false,
    waves: { size: 50 },
    maxFailures: 9,
    start: true,
  });
  expect(made).toMatchObject({ status: 201, body: { state: 'running', waves: 2 } });
  const path = `/firmware-campaigns/${String(made.body?.['campaignId'])}`;

  const stopped = await until(path, 'stopped');
  expect(stopped['reason']).toBe('10 of 50 stations failed or timed out (limit: 9): InstallationFailed (10)');
  expect(stopped).toMatchObject({ currentWave: 1 });
  const ended = await completed(path, 50);
  expect(ended.filter(({ state }) => state === 'installed')).toHaveLength(40);
  expect(
    ended.filter(({ state }) => state === 'failed').every(({ reason }) => reason === 'InstallationFailed'),
  ).toBe(true);
  expect(ended[1]).toMatchObject({
    firmwareVersionBefore: expect.not.stringMatching('2.0'),
    firmwareVersion: '2.0',
  });

  // One manager is gone; the other continues alone.
  await managers.shift()?.close();
  expect(await api('POST', `${path}/resume`, {})).toMatchObject({ body: { state: 'running' } });
  const again = await until(path, 'stopped');
  expect(again['reason']).toBe('10 of 90 stations failed or timed out (limit: 9): InstallationFailed (10)');
  await completed(path, 100);

  for (const station of stations) station.jobs.setOutcome('firmware', 'success');
  await api('POST', `${path}/resume`, { retryFailed: true });
  expect(await until(path, 'done')).toMatchObject({
    currentWave: 2,
    reason: null,
    stations: { installed: STATIONS },
  });
  expect(stations.map(({ firmwareVersion }) => firmwareVersion)).toEqual(
    Array.from({ length: STATIONS }, () => '2.0'),
  );
  // Each station received its command once, the failed ones a second time; every download was complete.
  expect(hashes).toEqual(Array.from({ length: STATIONS + STATIONS / 5 }, () => sha256));
  expect(
    await services.rows(
      'SELECT attempts, count(*)::int FROM firmware_campaign_stations GROUP BY 1 ORDER BY 1',
    ),
  ).toEqual([
    { attempts: 1, count: 80 },
    { attempts: 2, count: 20 },
  ]);
  expect(await services.rows("SELECT count(*)::int FROM commands WHERE action = 'UpdateFirmware'")).toEqual([
    { count: 120 },
  ]);
}, 120_000);

test('a simulated station uploads its diagnostics and its log to the manager', async () => {
  const [station] = stations;
  const stationId = station?.stationId ?? '';
  for (const [what, body] of [
    ['diagnostics', {}],
    ['logs', { logType: 'SecurityLog' }],
  ] as const) {
    const { body: command } = await api('POST', `/stations/${stationId}/${what}`, body);
    expect(command).toMatchObject({ status: 'answered' });
    const jobId = String(command?.['jobId']);
    await eventually(async () =>
      expect((await api('GET', `/jobs/${jobId}`)).body).toMatchObject({ outcome: 'succeeded' }),
    );
    const { body: listed } = await api('GET', `/files?jobId=${jobId}`);
    const { body: job } = await api('GET', `/jobs/${jobId}`);
    expect(listed?.['items']).toMatchObject([{ stationId, name: job?.['fileName'] }]);
  }
});
