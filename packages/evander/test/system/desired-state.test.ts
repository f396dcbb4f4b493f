// Long: many stations and tags.
// Slow: many stations and tags.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Station } from '@evander/station';
import type { StationOptions } from '@evander/station';
import { apiOf, startServices } from './fixture.ts';
import type { Services } from './fixture.ts';

/** A large operator's size: EVANDER_TEST_TAGS=10000 EVANDER_TEST_LISTS=50, which takes minutes. */
const TAGS = Number(process.env.EVANDER_TEST_TAGS ?? 1000);
const LISTS = Number(process.env.EVANDER_TEST_LISTS ?? 10);
const CHUNK = 100;
const DRIFTING = 20;

let services: Services;
let gatewayUrl: string;
let api: ReturnType<typeof apiOf>;
const stations: Station[] = [];
beforeAll(async () => {
  services = await startServices();
  const managers = [await services.startManager(), await services.startManager()];
  gatewayUrl = (await services.startGateway(managers)).url;
  api = apiOf(managers[0]?.apiUrl ?? '');
}, 60_000);
afterAll(async () => {
  await Promise.all(stations.map((station) => station.close()));
  await services.close();
}, 60_000);

async function booted(
  prefix: string,
  count: number,
  configuration: StationOptions['configuration'] = {},
): Promise<Station[]> {
  const made = Array.from(
    { length: count },
    (_, i) =>
      new Station({
        stationId: `${prefix}${String(i).padStart(3, '0')}`,
        url: gatewayUrl,
        configuration,
        reconnect: { minMs: 5, maxMs: 50 },
        speed: Infinity,
      }),
  );
  stations.push(...made);
  for (const station of made) {
    await station.connect();
    await station.boot();
  }
  return made;
}

/** Open reconciliations, to explain a failing test. */
async function openReconciliations(): Promise<string> {
  const rows = await services.rows(
    `SELECT g.station_id, g.state, doing, look_at, k.action, k.status, k.sent_at, k.completed_at, k.response, l.version, mirrored_version
     FROM reconciliations g LEFT JOIN commands k USING (command_id) LEFT JOIN local_lists l ON l.station_id = g.station_id
     WHERE g.state <> 'succeeded'`,
  );
  return JSON.stringify(rows, null, 1);
}

async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const startedAt = performance.now();
  while (!(await isTrue())) {
    if (performance.now() - startedAt > 150_000)
      throw new Error(`not in time: ${what}; ${await openReconciliations()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function haveSucceeded(kind: string, prefix: string, count: number): Promise<boolean> {
  const rows = await services.rows(
    `SELECT count(*)::int AS succeeded FROM reconciliations WHERE kind = $1 AND state = 'succeeded' AND starts_with(station_id, $2)`,
    [kind, prefix],
  );
  return rows[0]?.succeeded === count;
}

/** The contents of a station's list, as text. */
function contents({ localList }: Station): string {
  const entries = [...localList.entries].map(([idTag, { status }]) => `${idTag} ${status}`);
  return entries.sort().join('\n');
}

async function expected(): Promise<string> {
  const rows = await services.rows('SELECT id_tag_key, status FROM tags');
  return rows
    .map(({ id_tag_key: key, status }) => `${String(key)} ${String(status)}`)
    .sort()
    .join('\n');
}

/** Waits until every station's list matches the tags. */
async function allRight(what: string, fleet: Station[]): Promise<void> {
  const right = await expected();
  const wrong = new Set(fleet);
  await until(what, () => {
    for (const station of wrong) if (contents(station) === right) wrong.delete(station);
    return wrong.size === 0;
  });
  await until(`${what}: reconciliations`, () => haveSucceeded('localList', 'LIST', LISTS));
  // Correct lists stay correct.
  for (const station of fleet) expect(contents(station) === right).toBe(true);
}

interface Sent {
  station: string;
  version: number;
  entries: number;
}

async function sendLocalLists(): Promise<Sent[]> {
  const rows = await services.rows(
    `SELECT station_id AS station, (request->>'listVersion')::int AS version,
       jsonb_array_length(coalesce((request->'localAuthorizationList')::jsonb, '[]'::jsonb)) AS entries
     FROM commands WHERE action = 'SendLocalList' ORDER BY station_id, created_at`,
  );
  return rows as unknown as Sent[];
}

test('a local list of many tags stays correct on many stations while tags change', async () => {
  const startedAt = performance.now();
  const lap = (what: string): number =>
    laps.push(`${what} ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  const laps: string[] = [];
  await services.rows(
    `INSERT INTO tags (id_tag_key, id_tag) SELECT 'tag' || i, 'TAG' || i FROM generate_series(1, $1::int) AS i`,
    [TAGS],
  );
  const fleet = await booted('LIST', LISTS, {
    SendLocalListMaxLength: String(CHUNK),
    LocalAuthListMaxLength: String(TAGS + 1000),
    LocalAuthListEnabled: 'true',
  });
  await api('PUT', '/station-groups/lists', { prefix: 'LIST' });
  expect(await api('PUT', '/station-groups/lists/local-list', { all: true })).toMatchObject({ status: 202 });
  await until('the first lists', () => fleet.some(({ localList }) => localList.entries.size > TAGS / 4));
  // While lists are being sent, tags are blocked, removed and added, some stations disconnect, one boots, one has lost its list.
  for (let i = 1; i <= 50; i++) await api('PUT', `/tags/TAG${i}`, { status: 'Blocked' });
  for (let i = 51; i <= 100; i++) await api('DELETE', `/tags/TAG${i}`);
  for (let i = 1; i <= 50; i++) await api('PUT', `/tags/NEW${i}`, {});
  for (const station of fleet.slice(0, 3)) station.drop();
  await fleet[3]?.boot();
  await allRight('all lists', fleet);
  lap('all lists after');

  const before = (await sendLocalLists()).length;
  for (let i = 201; i <= 240; i++) await api('PUT', `/tags/TAG${i}`, { status: 'Blocked' });
  const soon = new Date(Date.now() + 2000).toISOString();
  await api('PUT', '/tags/TAG300', { expiryDate: soon });
  lap('the last change at');
  await until('the tag that expires', () => fleet.every(({ localList }) => !localList.entries.has('tag300')));
  await services.rows(`DELETE FROM tags WHERE id_tag_key = 'tag300'`);
  await allRight('all lists again', fleet);
  lap('all lists again after');
  const all = await sendLocalLists();
  // Forty-two changes, in a few messages per station.
  expect(all.length - before).toBeLessThanOrEqual(LISTS * 7);

  const forgetful = fleet[4];
  if (!forgetful) throw new Error('there are too few stations');
  forgetful.localList.entries.clear();
  forgetful.localList.version = 0;
  await forgetful.boot();
  await allRight('the list that was lost', fleet);
  lap('the list that was lost after');

  const sent = await sendLocalLists();
  expect(Math.max(...sent.map(({ entries }) => entries))).toBeLessThanOrEqual(CHUNK);
  for (const { stationId, localList } of fleet) {
    const versions = sent.filter(({ station }) => station === stationId).map(({ version }) => version);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    expect(localList.version).toBe(versions.at(-1));
  }
  const { body } = await api('GET', '/stations/LIST000/local-list');
  expect(body).toMatchObject({
    needsFull: false,
    desired: { all: true, source: 'group', state: 'succeeded' },
  });
  console.log(`${TAGS} tags on ${LISTS} stations, ${sent.length} messages: ${laps.join(', ')}`);
}, 600_000);

test('configuration drift is corrected on twenty stations, and one that rejects a key does not delay the others', async () => {
  const fleet = await booted('DRIFT', DRIFTING);
  await api('PUT', '/station-groups/drifting', { prefix: 'DRIFT' });
  const values = { MeterValueSampleInterval: '30', ConnectionTimeOut: '77', ClockAlignedDataInterval: '900' };
  await api('PUT', '/station-groups/drifting/configuration', { values });
  await api('PUT', '/stations/DRIFT000/configuration', {
    values: { ConnectionTimeOut: '55', NotAKeyOfIt: 'x' },
  });
  const isRight = (station: Station, i: number): boolean =>
    Object.entries({ ...values, ...(i === 0 && { ConnectionTimeOut: '55' }) }).every(
      ([key, value]) => station.configuration.find(key)?.value === value,
    );
  await until('the values', () => fleet.every(isRight));
  await until('the reconciliations', () => haveSucceeded('configuration', 'DRIFT', DRIFTING - 1));
  for (const [i, station] of fleet.entries()) {
    station.configuration.set('ConnectionTimeOut', String(i + 1000));
    // Half of them boot; the others' configuration is requested.
    if (i % 2 === 0) await station.boot();
    else await api('POST', `/stations/${station.stationId}/commands/GetConfiguration`, {});
  }
  await until('the values again', () => fleet.every(isRight));
  await until('the reconciliations again', () => haveSucceeded('configuration', 'DRIFT', DRIFTING - 1));
  const { body } = await api('GET', '/stations/DRIFT000/configuration?limit=500');
  const items = body?.items as { key: string; desired?: object }[];
  expect(items.find(({ key }) => key === 'NotAKeyOfIt')).toMatchObject({
    value: null,
    readAt: null,
    desired: { value: 'x', source: 'station', outcome: 'notSupported', drift: false },
  });
  expect(items.find(({ key }) => key === 'ConnectionTimeOut')?.desired).toMatchObject({
    value: '55',
    outcome: 'accepted',
    drift: false,
    driftedAt: expect.any(String) as unknown,
  });
}, 60_000);
