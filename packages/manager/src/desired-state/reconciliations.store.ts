import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import { bootColumns, BOOTED } from '../stations/boots.store.ts';
import type { BootTimes } from '../stations/boots.store.ts';
import { IS_CONNECTED } from '../stations/connections.store.ts';

export const RECONCILIATION_STATES = ['open', 'succeeded', 'failed'] as const;
export type ReconciliationState = (typeof RECONCILIATION_STATES)[number];

/** A reconciliation as the API shows it. */
export interface ReconciliationRow {
  stationId: string;
  kind: string;
  desired: object;
  state: ReconciliationState;
  doing: string | null;
  commandId: string | null;
  requestedBy: string | null;
  requestedAt: Date;
  completedAt: Date | null;
}

const COLUMNS = `station_id AS "stationId", kind, desired, state, doing, command_id AS "commandId", requested_by AS "requestedBy",
  requested_at AS "requestedAt", completed_at AS "completedAt"`;

const upsert = statement(
  'reconciliations.put',
  `INSERT INTO reconciliations AS known (station_id, kind, desired, permanent, look_at, requested_by, requested_at)
   VALUES ($1, $2, $3, $4, $5, $6, $5)
   ON CONFLICT (station_id, kind) DO UPDATE SET desired = excluded.desired, permanent = excluded.permanent, state = 'open', doing = NULL,
     command_id = NULL, look_at = excluded.look_at, requested_by = excluded.requested_by, requested_at = excluded.requested_at,
     completed_at = NULL
   RETURNING ${COLUMNS}`,
);

export interface NewReconciliation {
  stationId: string;
  kind: string;
  desired: object;
  /** Is it to be looked at again whenever the station has booted? */
  permanent: boolean;
  requestedBy: string | null;
  at: Date;
}

/** Sets a reconciliation for a station; it takes the place of the one of its kind. */
export async function put(db: Db, reconciliation: NewReconciliation): Promise<ReconciliationRow> {
  const { stationId, kind, desired, permanent, requestedBy, at } = reconciliation;
  const { rows } = await db.query<ReconciliationRow>(
    upsert([stationId, kind, JSON.stringify(desired), permanent, at, requestedBy]),
  );
  const [row] = rows;
  if (!row) throw new Error(`the reconciliation ${kind} of ${stationId} was not kept`);
  return row;
}

const selectOne = statement(
  'reconciliations.get',
  `SELECT ${COLUMNS} FROM reconciliations WHERE station_id = $1 AND kind = $2`,
);

export async function get(db: Db, stationId: string, kind: string): Promise<ReconciliationRow | undefined> {
  const { rows } = await db.query<ReconciliationRow>(selectOne([stationId, kind]));
  return rows[0];
}

const selectPage = search(
  `SELECT ${COLUMNS} FROM reconciliations
   WHERE ($1::text IS NULL OR station_id = $1) AND ($2::text IS NULL OR kind = $2) AND ($3::text IS NULL OR state = $3)
     AND ($4::text IS NULL OR (station_id, kind) > ($4, $5))
   ORDER BY station_id, kind LIMIT $6`,
);

export interface ReconciliationFilter {
  stationId?: string;
  kind?: string;
  state?: ReconciliationState;
  after: { stationId: string; kind: string } | null;
  rows: number;
}

/** DesiredStates by station and kind. */
export async function list(db: Db, filter: ReconciliationFilter): Promise<ReconciliationRow[]> {
  const { stationId, kind, state, after, rows: limit } = filter;
  const { rows } = await db.query<ReconciliationRow>(
    selectPage([stationId ?? null, kind ?? null, state ?? null, after?.stationId, after?.kind, limit]),
  );
  return rows;
}

const deleteOne = statement(
  'reconciliations.remove',
  'DELETE FROM reconciliations WHERE station_id = $1 AND kind = $2',
);

/** Gives a reconciliation up; false when there is none. */
export async function remove(db: Db, stationId: string, kind: string): Promise<boolean> {
  const { rowCount } = await db.query(deleteOne([stationId, kind]));
  return rowCount === 1;
}

// Whoever takes one has it to himself for a while; should he die, it is taken again. A connection without a boot is left alone for a
// moment: the boot may be about to come.
const takeDue = statement(
  'reconciliations.take',
  `UPDATE reconciliations SET look_at = $1::timestamptz + interval '30 seconds' WHERE (station_id, kind) IN (
     SELECT o.station_id, o.kind FROM reconciliations o JOIN connections c USING (station_id) JOIN gateways g USING (gateway_id)
       JOIN stations s USING (station_id) LEFT JOIN commands k ON k.command_id = o.command_id
     WHERE o.state = 'open' AND o.look_at <= $1 AND ${IS_CONNECTED} AND s.registration_status = 'Accepted'
       AND (s.booted_at >= c.connected_at OR c.connected_at < $1::timestamptz - interval '3 seconds')
       AND (k.status IS NULL OR k.status NOT IN ('queued', 'sent'))
     ORDER BY o.look_at LIMIT 20 FOR UPDATE OF o SKIP LOCKED)
   RETURNING ${COLUMNS}`,
);

/** Takes reconciliations that something can be done for now. */
export async function take(db: Db, now: Date): Promise<ReconciliationRow[]> {
  const { rows } = await db.query<ReconciliationRow>(takeDue([now]));
  return rows;
}

// Not when somebody has set another reconciliation meanwhile.
const UNCHANGED = `station_id = $1 AND kind = $2 AND requested_at = $3 AND state = 'open'`;

const markStep = statement(
  'reconciliations.step',
  `UPDATE reconciliations SET doing = $4, look_at = $5, command_id = coalesce($6, command_id) WHERE ${UNCHANGED}`,
);

/** What is done for a reconciliation now, and when it is looked at again; false when it is no reconciliation any more. */
export async function step(
  db: Db,
  { stationId, kind, requestedAt }: ReconciliationRow,
  next: { doing: string; lookAt: Date; commandId?: string },
): Promise<boolean> {
  const { doing, lookAt, commandId } = next;
  const { rowCount } = await db.query(
    markStep([stationId, kind, requestedAt, doing, lookAt, commandId ?? null]),
  );
  return rowCount === 1;
}

const markCompleted = statement(
  'reconciliations.complete',
  `UPDATE reconciliations SET state = $4, doing = $5, completed_at = $6 WHERE ${UNCHANGED}`,
);

/** A reconciliation is reached, or given up for a reason. */
export async function complete(
  db: Db,
  { stationId, kind, requestedAt }: ReconciliationRow,
  end: { state: 'succeeded' | 'failed'; reason: string | null; at: Date },
): Promise<void> {
  await db.query(markCompleted([stationId, kind, requestedAt, end.state, end.reason, end.at]));
}

const markDue = statement(
  'reconciliations.lookNow',
  `UPDATE reconciliations SET look_at = least(look_at, $2) WHERE station_id = $1 AND state = 'open'`,
);

/** Something has changed at a station: its reconciliations are looked at now. True when there are any. */
export async function lookNow(db: Db, stationId: string, now: Date): Promise<boolean> {
  const { rowCount } = await db.query(markDue([stationId, now]));
  return (rowCount ?? 0) > 0;
}

/** A configuration is read again when a station connects, but not more often than that. */
export const READING_SECONDS = 3600;

// One that is being worked on is left to whoever does so. Rows are locked in order, so that two of these cannot block each other.
const wake = statement(
  'reconciliations.onConnect',
  `WITH waiting AS (
     SELECT g.station_id, g.kind FROM reconciliations g JOIN stations s USING (station_id)
     WHERE g.station_id = ANY ($1::text[]) AND (
       g.state = 'open' AND g.look_at > $2::timestamptz + interval '30 seconds'
       OR g.state <> 'open' AND g.kind = 'configuration'
         AND greatest(s.configuration_read_at, s.configuration_asked_at) < $2::timestamptz - interval '${READING_SECONDS} seconds')
     ORDER BY 1, 2 FOR UPDATE OF g)
   UPDATE reconciliations g SET state = 'open', look_at = $2, doing = CASE WHEN g.state = 'open' THEN g.doing END,
     command_id = CASE WHEN g.state = 'open' THEN g.command_id END
   FROM waiting w WHERE g.station_id = w.station_id AND g.kind = w.kind`,
);

/** Stations have connected: their open reconciliations are looked at now, and whether their configuration is still as it was, from time to time. */
export async function onConnect(db: Db, stationIds: string[], at: Date): Promise<void> {
  await db.query(wake([stationIds, at]));
}

// Rows are locked in order, so that two of these cannot block each other.
const reopen = statement(
  'reconciliations.onBoot',
  `WITH reopened AS (
     SELECT g.station_id, g.kind, booted.at FROM reconciliations g JOIN ${BOOTED} USING (station_id)
     WHERE g.state = 'open' OR g.permanent ORDER BY 1, 2 FOR UPDATE OF g)
   UPDATE reconciliations g SET state = 'open', doing = NULL, command_id = CASE WHEN g.state = 'open' THEN g.command_id END, look_at = r.at
   FROM reopened r WHERE g.station_id = r.station_id AND g.kind = r.kind`,
);

/** Stations have booted: permanent reconciliations are looked at again, and open ones now. */
export async function onBoot(db: Db, boots: BootTimes): Promise<void> {
  await db.query(reopen(bootColumns(boots)));
}
