import { statement } from './database.ts';
import type { Database, Db } from './database.ts';
import { whileTableIsFree } from './table-lock.ts';

/** The partitioned tables, the time that one partition holds, and how many are made ahead: a lock may not be had for days. */
const PARTITIONED = [
  { table: 'meter_values', step: '1 month', ahead: 4 },
  { table: 'connector_statuses', step: '1 month', ahead: 4 },
  { table: 'authorizations', step: '1 month', ahead: 4 },
  { table: 'frames', step: '1 day', ahead: 7 },
  { table: 'events', step: '1 day', ahead: 7 },
];

const lock = statement(
  'partitions.lock',
  "SELECT pg_try_advisory_xact_lock(hashtext('evander partitions'), hashtext($1)) AS mine",
);
const create = statement('partitions.create', 'SELECT create_partitions($1, $2::interval, $3, $4)');

/**
 * Makes the partitions of the coming days and months, each table by itself: one that cannot be had now is no reason to be without the
 * others. One manager of the fleet does it, the others pass on. Throws what the first of them threw.
 */
export async function createPartitions(database: Database, now: Date): Promise<void> {
  const outcomes = await Promise.allSettled(
    PARTITIONED.map(({ table, step, ahead }) =>
      whileTableIsFree(database, async (db: Db) => {
        const { rows } = await db.query<{ mine: boolean }>(lock([table]));
        if (rows[0]?.mine) await db.query(create([table, step, now, ahead]));
      }),
    ),
  );
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}
