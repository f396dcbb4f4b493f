import { statement } from './database.ts';
import type { Database, Db } from './database.ts';
import { whileTableIsFree } from './table-lock.ts';

/** The partitioned tables, the period of a partition, and how many are created ahead: the lock may be unavailable for days. */
const PARTITIONED = [
  { table: 'meter_values', step: '1 month', ahead: 4 },
  { table: 'connector_statuses', step: '1 month', ahead: 4 },
  { table: 'authorizations', step: '1 month', ahead: 4 },
  { table: 'frames', step: '1 day', ahead: 7 },
  { table: 'events', step: '1 day', ahead: 7 },
];

const lock = statement(
  'partitions.lock',
  `SELECT pg_try_advisory_xact_lock(hashtext('evander partitions'), hashtext($1)) AS "isLocked"`,
);
const create = statement('partitions.create', 'SELECT create_partitions($1, $2::interval, $3, $4)');

/**
 * Creates the partitions of the coming days and months. Tables are independent: one that cannot be locked does not block the others.
 * Of concurrent managers, one creates the partitions and the others skip it. Throws the first table's error, if any.
 */
export async function createPartitions(database: Database, now: Date): Promise<void> {
  const outcomes = await Promise.allSettled(
    PARTITIONED.map(({ table, step, ahead }) =>
      whileTableIsFree(database, async (db: Db) => {
        const { rows } = await db.query<{ isLocked: boolean }>(lock([table]));
        if (rows[0]?.isLocked) await db.query(create([table, step, now, ahead]));
      }),
    ),
  );
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}
