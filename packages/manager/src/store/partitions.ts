import type { Database } from './db.ts';
import { statement } from './db.ts';

/** The partitioned tables, the time that one partition holds, and how many are made ahead. */
const PARTITIONED = [
  { table: 'meter_values', step: '1 month', ahead: 2 },
  { table: 'connector_statuses', step: '1 month', ahead: 2 },
  { table: 'authorizations', step: '1 month', ahead: 2 },
  { table: 'frames', step: '1 day', ahead: 3 },
];

const lock = statement(
  'partitions.lock',
  "SELECT pg_try_advisory_xact_lock(hashtext('evander partitions')) AS mine",
);
const create = statement('partitions.create', 'SELECT create_partitions($1, $2::interval, $3, $4)');

/** Makes the partitions of the coming days and months. One manager of the fleet does it, the others pass on. */
export async function createPartitions(database: Database, now: Date): Promise<void> {
  await database.transaction(async (db) => {
    const { rows } = await db.query<{ mine: boolean }>(lock());
    if (!rows[0]?.mine) return;
    for (const { table, step, ahead } of PARTITIONED) await db.query(create([table, step, now, ahead]));
  });
}
