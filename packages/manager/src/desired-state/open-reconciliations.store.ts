import * as configuration from '../configuration/configuration.store.ts';
import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import { bootColumns, BOOTED } from '../stations/boots.store.ts';
import type { BootTimes } from '../stations/boots.store.ts';
import * as reconciliations from './reconciliations.store.ts';
import type { ReconciliationRow } from './reconciliations.store.ts';

const continues = (startOver: boolean): string =>
  startOver
    ? `known.state = 'open' AND EXISTS (SELECT FROM commands k
         WHERE k.command_id = known.command_id AND (k.status IN ('queued', 'sent') OR k.action = 'Reset'))`
    : `known.state = 'open'`;

// A reconciliation in progress continues, but results of earlier checks can no longer complete it: `requested_at` always rises, by at
// least one millisecond. Rows are locked in the order of stations, so that concurrent executions cannot deadlock.
// `startOver`, for a newly set desired state: previous failures and pauses are forgotten, unless a command is under way or the station is
// being reset.
const open = (which: string, startOver = false): string =>
  `INSERT INTO reconciliations AS known (station_id, kind, desired, permanent, look_at, requested_by, requested_at)
   ${which} ORDER BY 1
   ON CONFLICT (station_id, kind) DO UPDATE SET state = 'open', completed_at = NULL,
     doing = CASE WHEN ${continues(startOver)} THEN known.doing END,
     command_id = CASE WHEN ${continues(startOver)} THEN known.command_id END,
     look_at = CASE WHEN known.state = 'open' THEN least(known.look_at, excluded.look_at) ELSE excluded.look_at END,
     requested_by = coalesce(excluded.requested_by, known.requested_by),
     requested_at = greatest(excluded.requested_at, known.requested_at + interval '1 millisecond')`;

/** A reconciliation whose desired state is stored in its own tables. */
export interface Opened {
  kind: 'configuration' | 'localList';
  requestedBy: string | null;
  at: Date;
}

const openOne = statement(
  'openReconciliations.station',
  open(`SELECT $1, $2, '{}', true, $3, $4::text, $3`, true),
);

// A list that the station contradicted may be sent again immediately.
const forgetAttempts = statement(
  'openReconciliations.forgetAttempts',
  `UPDATE local_lists SET full_attempts = 0 WHERE full_attempts > 0
     AND (station_id = $1 OR station_id IN (SELECT station_id FROM station_group_members WHERE name = $2))`,
);

/** Starts the reconciliation of a station over and returns it. */
export async function ofStation(db: Db, stationId: string, opened: Opened): Promise<ReconciliationRow> {
  const { kind, requestedBy, at } = opened;
  if (kind === 'localList') await db.query(forgetAttempts([stationId, null]));
  await db.query(openOne([stationId, kind, at, requestedBy]));
  const reconciliation = await reconciliations.get(db, stationId, kind);
  if (!reconciliation) throw new Error(`the reconciliation ${kind} of ${stationId} was not stored`);
  return reconciliation;
}

const openMembers = statement(
  'openReconciliations.group',
  open(
    `SELECT station_id, $2, '{}', true, $3::timestamptz, $4::text, $3::timestamptz FROM station_group_members WHERE name = $1`,
    true,
  ),
);

/** Starts the reconciliations of all stations of a group over; returns their number. */
export async function ofGroup(db: Db, name: string, { kind, requestedBy, at }: Opened): Promise<number> {
  if (kind === 'localList') await db.query(forgetAttempts([null, name]));
  const { rowCount } = await db.query(openMembers([name, kind, at, requestedBy]));
  return rowCount ?? 0;
}

// The data in a station's BootNotification may have made it a member of a group.
const addAtBoot = statement(
  'openReconciliations.atBoot',
  `INSERT INTO reconciliations (station_id, kind, desired, permanent, look_at, requested_at)
   SELECT station_id, kind, '{}'::jsonb, true, at, at FROM ${BOOTED} CROSS JOIN (VALUES ('configuration'), ('localList')) AS g (kind)
   WHERE CASE kind WHEN 'configuration' THEN EXISTS (SELECT FROM effective_configuration e WHERE e.station_id = booted.station_id)
     ELSE EXISTS (SELECT FROM effective_local_lists e WHERE e.station_id = booted.station_id) END
   ORDER BY 1, 2 ON CONFLICT DO NOTHING`,
);

/** For stations that have booted: adds reconciliations for the desired state of their groups, if missing. */
export async function atBoot(db: Db, boots: BootTimes): Promise<void> {
  await db.query(addAtBoot(bootColumns(boots)));
}

const openCompleted = statement(
  'openReconciliations.onReading',
  `UPDATE reconciliations SET state = 'open', doing = NULL, command_id = NULL, look_at = $2
   WHERE station_id = $1 AND kind = 'configuration' AND state <> 'open'`,
);

const openListed = statement(
  'openReconciliations.onListUse',
  open(
    `SELECT station_id, 'localList', '{}'::jsonb, true, $2::timestamptz, NULL::text, $2::timestamptz
     FROM effective_local_lists WHERE station_id = $1`,
    true,
  ),
);

/**
 * Reopens reconciliations after a station has reported its configuration, or it was changed. `record` stores the configuration; it runs
 * between two readings, to detect changes that concern the local list.
 */
export async function onReading(
  db: Db,
  { stationId, at }: { stationId: string; at: Date },
  record: () => Promise<void>,
): Promise<void> {
  await db.query(openCompleted([stationId, at]));
  const before = await listUse(db, stationId);
  await record();
  const after = await listUse(db, stationId);
  // Contracts now belong into its local list, or no longer do; or it now accepts a list that it did not accept before.
  const isSwitchedOn = before.isEnabled === false && after.isEnabled !== false;
  if (after.findsEmaids !== before.findsEmaids || isSwitchedOn) await db.query(openListed([stationId, at]));
}

async function listUse(db: Db, stationId: string) {
  const findsEmaids = await configuration.findsEmaidsOffline(db, stationId);
  return { findsEmaids, isEnabled: await configuration.boolean(db, stationId, 'LocalAuthListEnabled') };
}

const selectDue = statement(
  'openReconciliations.hasTagChanges',
  'SELECT EXISTS (SELECT FROM tag_changes WHERE due_at <= $1) AS due',
);
const openAffected = statement(
  'openReconciliations.onTagChanges',
  `WITH changed AS MATERIALIZED (DELETE FROM tag_changes WHERE due_at <= $1 RETURNING id_tag_key, parent_key),
   tags AS MATERIALIZED (SELECT array_agg(DISTINCT id_tag_key) AS keys, array_agg(DISTINCT parent_key) AS parents FROM changed),
   opened AS (${open(
     `SELECT l.station_id, 'localList', '{}'::jsonb, true, $1::timestamptz, NULL::text, $1::timestamptz
      FROM effective_local_lists l CROSS JOIN tags t
      WHERE t.keys IS NOT NULL AND (l.all_tags OR l.id_tags && t.keys OR l.parent_id_tags && t.parents)`,
   )} RETURNING 1)
   SELECT count(*)::int AS stations FROM opened`,
);

/** Reopens the local lists that changed tags affect, in one statement; returns their number. */
export async function onTagChanges(db: Db, now: Date): Promise<number> {
  const { rows: found } = await db.query<{ due: boolean }>(selectDue([now]));
  if (found[0]?.due !== true) return 0;
  const { rows } = await db.query<{ stations: number }>(openAffected([now]));
  return rows[0]?.stations ?? 0;
}

const selectDesired = statement(
  'openReconciliations.isDesiredOfGroup',
  `SELECT CASE $2 WHEN 'configuration' THEN EXISTS (SELECT FROM desired_values WHERE group_name = $1)
     ELSE EXISTS (SELECT FROM desired_local_lists WHERE group_name = $1) END AS desired`,
);

/** Whether a group has any desired state of this kind. */
export async function isDesiredOfGroup(db: Db, name: string, kind: Opened['kind']): Promise<boolean> {
  const { rows } = await db.query<{ desired: boolean }>(selectDesired([name, kind]));
  return rows[0]?.desired ?? false;
}
