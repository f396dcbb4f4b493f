import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createPartitions } from '../../src/store/partitions.ts';
import { openDesk } from '../desk.ts';
import type { Desk } from '../desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

const AHEAD = new Date(Date.now() + 150 * 86_400_000);

async function partitions(): Promise<string[]> {
  const rows = await desk.rows('SELECT tableoid::regclass::text AS partition FROM meter_values');
  return rows.map(({ partition }) => String(partition));
}

test('what has come before its time moves to its partition once that is made, and is there once', async () => {
  const meterValue = [{ timestamp: AHEAD.toISOString(), sampledValue: [{ value: '5' }] }];
  await desk.ask('MeterValues', { connectorId: 1, meterValue });
  expect(await partitions()).toEqual(['meter_values_other']);
  await createPartitions(desk.database, AHEAD);
  const month = AHEAD.toISOString().slice(0, 7).replace('-', '');
  expect(await partitions()).toEqual([`meter_values_${month}`]);
  await desk.ask('MeterValues', { connectorId: 1, meterValue });
  expect(await desk.rows('SELECT value FROM meter_values')).toEqual([{ value: '5' }]);
  // And once more, as every hour.
  await createPartitions(desk.database, AHEAD);
});

test('partitions are made ahead for every table', async () => {
  const rows = await desk.rows(
    `SELECT parent.relname AS parent, count(*)::int AS children FROM pg_inherits
     JOIN pg_class parent ON parent.oid = inhparent WHERE parent.relkind = 'p' GROUP BY 1`,
  );
  const counts = Object.fromEntries(rows.map(({ parent, children }) => [parent, children])) as object;
  for (const table of ['meter_values', 'connector_statuses', 'authorizations', 'frames'])
    expect(counts).toHaveProperty(table, expect.any(Number));
});
