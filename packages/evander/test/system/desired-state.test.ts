import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Station } from '@evander/station';
import type { StationOptions } from '@evander/station';
import { apiOf, startServices } from './fixture.ts';
import type { Services } from './fixture.ts';

/** Fewer of them for a quicker round: EVANDER_TEST_TAGS=1000 EVANDER_TEST_LISTS=10. */
const TAGS = Number(process.env.EVANDER_TEST_TAGS ?? 10_000);
const LISTS = Number(process.env.EVANDER_TEST_LISTS ?? 50);
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

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const startedAt = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startedAt > 150_000) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function areReached(kind: string, prefix: string, count: number): Promise<boolean> {
  const rows = await services.rows(
    `SELECT count(*)::int AS reached FROM goals WHERE kind = $1 AND state = 'reached' AND starts_with(station_id, $2)`,
    [kind, prefix],
  );
  return rows[0]?.reached === count;
}

/** What a station's list has, as text. */
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

test('a local list of many tags is kept right on many stations while tags change', async () => {
  await services.rows(
    `INSERT INTO tags (id_tag_key, id_tag) SELECT 'tag' || i, 'TAG' || i FROM generate_series(1, $1::int) AS i`,
    [TAGS],
  );
  const fleet = await booted('LIST', LISTS, {
    SendLocalListMaxLength: '100',
    LocalAuthListMaxLength: String(TAGS + 1000),
    LocalAuthListEnabled: 'true',
  });
  await api('PUT', '/station-groups/lists', { prefix: 'LIST' });
  expect(await api('PUT', '/station-groups/lists/local-list', { all: true })).toMatchObject({ status: 202 });
  await until('the first lists', () => fleet.some(({ localList }) => localList.entries.size > TAGS / 4));
  // While lists are on their way, and after: through the API and, many at once, beside it.
  for (let i = 1; i <= 50; i++) await api('PUT', `/tags/TAG${i}`, { status: 'Blocked' });
  for (let i = 51; i <= 100; i++) await api('DELETE', `/tags/TAG${i}`);
  for (let i = 1; i <= 50; i++) await api('PUT', `/tags/NEW${i}`, {});
  const right = await expected();
  await until('all lists', () => fleet.every((station) => contents(station) === right));
  await until('all goals', () => areReached('localList', 'LIST', LISTS));

  const sent = async (): Promise<number> => {
    const rows = await services.rows(
      `SELECT count(*)::int AS sent FROM commands WHERE action = 'SendLocalList'`,
    );
    return Number(rows[0]?.sent);
  };
  const before = await sent();
  for (let i = 201; i <= 240; i++) await api('PUT', `/tags/TAG${i}`, { status: 'Blocked' });
  const changed = await expected();
  await until('all lists again', () => fleet.every((station) => contents(station) === changed));
  await until('all goals again', () => areReached('localList', 'LIST', LISTS));
  // Forty changes, in a few messages to each station.
  expect((await sent()) - before).toBeLessThanOrEqual(LISTS * 5);
  const { body } = await api('GET', '/stations/LIST000/local-list');
  expect(body).toMatchObject({ needsFull: false, desired: { all: true, source: 'group', state: 'reached' } });
}, 180_000);

test('twenty stations whose configuration drifts are brought back, and one that refuses a key holds up nobody', async () => {
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
  await until('the goals', () => areReached('configuration', 'DRIFT', DRIFTING - 1));
  for (const [i, station] of fleet.entries()) {
    station.configuration.set('ConnectionTimeOut', String(i + 1000));
    // Half of them boot, of the others somebody asks.
    if (i % 2 === 0) await station.boot();
    else await api('POST', `/stations/${station.stationId}/commands/GetConfiguration`, {});
  }
  await until('the values again', () => fleet.every(isRight));
  await until('the goals again', () => areReached('configuration', 'DRIFT', DRIFTING - 1));
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
