import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { createPartitions } from '../../src/database/partitions.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());

const AHEAD = new Date(Date.now() + 150 * 86_400_000);

async function partitions(): Promise<string[]> {
  const rows = await manager.rows('SELECT tableoid::regclass::text AS partition FROM meter_values');
  return rows.map(({ partition }) => String(partition));
}

test('rows that arrived before their partition existed move to it, without duplicates', async () => {
  const meterValue = [{ timestamp: AHEAD.toISOString(), sampledValue: [{ value: '5' }] }];
  await manager.ask('MeterValues', { connectorId: 1, meterValue });
  expect(await partitions()).toEqual(['meter_values_other']);
  await createPartitions(manager.database, AHEAD);
  const month = AHEAD.toISOString().slice(0, 7).replace('-', '');
  expect(await partitions()).toEqual([`meter_values_${month}`]);
  await manager.ask('MeterValues', { connectorId: 1, meterValue });
  expect(await manager.rows('SELECT value FROM meter_values')).toEqual([{ value: '5' }]);
  // It runs again every hour.
  await createPartitions(manager.database, AHEAD);
});

test('partitions are created ahead for every table', async () => {
  const rows = await manager.rows(
    `SELECT parent.relname AS parent, count(*)::int AS children FROM pg_inherits
     JOIN pg_class parent ON parent.oid = inhparent WHERE parent.relkind = 'p' GROUP BY 1`,
  );
  const counts = Object.fromEntries(rows.map(({ parent, children }) => [parent, children])) as object;
  for (const table of ['meter_values', 'connector_statuses', 'authorizations', 'frames'])
    expect(counts).toHaveProperty(table, expect.any(Number));
});

/** A client that reads a table in an open transaction until it is ended, like an export with a slow reader. */
async function openReader(table: string): Promise<pg.Client> {
  const reader = new pg.Client({ connectionString: manager.databaseUrl });
  await reader.connect();
  await reader.query('BEGIN');
  await reader.query(`SELECT FROM ${table} LIMIT 1`);
  return reader;
}

async function childrenOf(table: string): Promise<number> {
  const [row] = await manager.rows(
    'SELECT count(*)::int AS n FROM pg_inherits WHERE inhparent = $1::regclass',
    [table],
  );
  return Number(row?.n);
}

/** Sends meter values until the work is done; resolves with the duration of the slowest, in ms. */
async function slowestMeterValues(work: Promise<unknown>): Promise<number> {
  let done = false;
  const end = work.finally(() => (done = true));
  let slowest = 0;
  for (let i = 0; !done || i < 10; i++) {
    const startedMs = performance.now();
    const timestamp = new Date(Date.now() - i * 1000).toISOString();
    const { response } = await manager.ask('MeterValues', {
      connectorId: 1,
      meterValue: [{ timestamp, sampledValue: [{ value: String(i) }] }],
    });
    expect(response).toEqual({});
    slowest = Math.max(slowest, performance.now() - startedMs);
  }
  await end;
  return slowest;
}

test('while a reader holds a table, its partitions wait, and MeterValues do not', async () => {
  const far = new Date(Date.now() + 900 * 86_400_000);
  const before = await childrenOf('meter_values');
  const reader = await openReader('meter_values');
  const work = createPartitions(manager.database, far).catch((error: unknown) => error);
  expect(await slowestMeterValues(work)).toBeLessThan(1500);
  expect(await work).toMatchObject({ code: '55P03' });
  expect(await childrenOf('meter_values')).toBe(before);
  // Tables are independent: the others are not in use.
  expect(await childrenOf('authorizations')).toBeGreaterThan(before);
  await reader.end();
  await createPartitions(manager.database, far);
  expect(await childrenOf('meter_values')).toBe(before + 5);
}, 60_000);

test('partitions are created if the reader ends in time', async () => {
  const far = new Date(Date.now() + 1800 * 86_400_000);
  const before = await childrenOf('meter_values');
  const reader = await openReader('meter_values');
  const work = createPartitions(manager.database, far);
  const isWaiting = `SELECT FROM pg_locks WHERE relation = 'meter_values_other'::regclass AND NOT granted`;
  while ((await manager.rows(isWaiting)).length === 0);
  await reader.end();
  await work;
  expect(await childrenOf('meter_values')).toBe(before + 5);
});

const EARLY_ROWS: Record<string, string> = {
  meter_values: `(station_id, connector_id, measured_at, context, measurand, location, format, value, received_at, digest)
    VALUES ('S', 1, $1, '', '', '', '', '1', now(), gen_random_uuid())`,
  connector_statuses: `(station_id, connector_id, status, error_code, status_at, received_at) VALUES ('S', 1, 'Available', '', $1, now())`,
  authorizations: `VALUES ('S', 'T', 'Accepted', $1)`,
  frames: `VALUES ('S', $1, 'in', 2, 'early')`,
  events: `(at, kind, station_id, data) VALUES ($1, 'x.y', 'S', '{}')`,
};

test.each(Object.entries(EARLY_ROWS))(
  'rows of %s that arrived before their partition existed move to it',
  async (table, row) => {
    const at = new Date(Date.now() + 3000 * 86_400_000);
    await manager.rows(`INSERT INTO ${table} ${row}`, [at]);
    await createPartitions(manager.database, at);
    expect(await manager.rows(`SELECT FROM ${table}_other WHERE station_id = 'S'`)).toEqual([]);
    expect(await manager.rows(`SELECT FROM ${table} WHERE station_id = 'S'`)).toHaveLength(1);
  },
);
