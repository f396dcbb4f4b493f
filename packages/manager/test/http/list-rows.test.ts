import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { fill } from '../../../bench/src/lists-fill.ts';
import { listsOf, placesOf } from '../../../bench/src/lists-requests.ts';
import type { List, OpenApi } from '../../../bench/src/lists-requests.ts';
import { openApi } from './harness.ts';
import type { TestApi } from './harness.ts';

/** Enough rows to show slow lists: one that reads a tenth of them would be slow with a million. */
const TRANSACTIONS = 20_000;
const MAX_ROWS = TRANSACTIONS / 10;

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: Plan[];
}

let api: TestApi;
let client: pg.Client;
let lists: List[];
/** The queries of the API since the last call. */
let asked: pg.QueryConfig[] = [];
const query = pg.Client.prototype.query as (this: pg.Client, ...args: unknown[]) => unknown;
beforeAll(async () => {
  api = await openApi();
  client = new pg.Client({ connectionString: api.manager.databaseUrl });
  await client.connect();
  await client.query(
    "DELETE FROM connections; DELETE FROM gateways WHERE gateway_id = 'bench'; DELETE FROM stations",
  );
  await fill(client, { stations: 400, transactions: TRANSACTIONS, samples: 2 }, () => undefined);
  // For small tables, reading all rows is often the right plan.
  await client.query('SET enable_seqscan = off; SET jit = off');
  const { body } = await api.send('GET', '/openapi.json');
  lists = listsOf(body as unknown as OpenApi, await placesOf(client));
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const [config] = args as [pg.QueryConfig];
    if (this !== client && typeof config === 'object' && 'text' in config && config.name === undefined)
      asked.push(config);
    return query.apply(this, args);
  } as typeof pg.Client.prototype.query;
}, 120_000);
afterAll(async () => {
  pg.Client.prototype.query = query as typeof pg.Client.prototype.query;
  await client.end();
  await api.close();
});

/** The number of rows that a plan reads, including those that it filters out. */
function rowsRead(plan: Plan): number {
  const isScan = plan['Relation Name'] !== undefined;
  const inVain = (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Index Recheck'] ?? 0);
  const own = isScan ? (plan['Actual Rows'] + inVain) * plan['Actual Loops'] : 0;
  return (plan.Plans ?? []).reduce((sum, part) => sum + rowsRead(part), own);
}

/** Number of rows that the queries of a list read for a page of ten. */
async function rowsReadFor(path: string, filter: string): Promise<number> {
  asked = [];
  const { status, body } = await api.send('GET', `/api/v1${path}?${filter}&limit=10`.replace('?&', '?'));
  expect({ status, detail: body.detail }).toEqual({ status: 200, detail: undefined });
  let rows = 0;
  for (const { text, values } of asked.filter(
    (one) => one.text.trimStart().startsWith('SELECT') || one.text.startsWith('WITH'),
  )) {
    const { rows: plans } = await client.query<{ 'QUERY PLAN': { Plan: Plan }[] }>({
      text: `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${text}`,
      values: values as unknown[],
    });
    rows += rowsRead((plans[0]?.['QUERY PLAN'][0] as { Plan: Plan }).Plan);
  }
  return rows;
}

test('no list reads a large part of a large table for a page, whatever the filter', async () => {
  const slow: Record<string, number> = {};
  let count = 0;
  for (const { path, single } of lists) {
    for (const filter of single.filter((one) => !one.startsWith('limit='))) {
      const rows = await rowsReadFor(path, filter);
      if (rows > MAX_ROWS) slow[`${path}?${filter}`] = rows;
      count++;
    }
  }
  expect(count).toBeGreaterThan(150);
  expect(slow).toEqual({});
}, 300_000);
