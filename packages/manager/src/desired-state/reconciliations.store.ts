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
  /** Whether it is checked again after each boot of the station. */
  permanent: boolean;
  requestedBy: string | null;
  at: Date;
}

/** Sets a reconciliation for a station; replaces the previous one of its kind. */
export async function put(db: Db, reconciliation: NewReconciliation): Promise<ReconciliationRow> {
  const { stationId, kind, desired, permanent, requestedBy, at } = reconciliation;
  const { rows } = await db.query<ReconciliationRow>(
    upsert([stationId, kind, JSON.stringify(desired), permanent, at, requestedBy]),
  );
  const [row] = rows;
  if (!row) throw new Error(`the reconciliation ${kind} of ${stationId} was not stored`);
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

/** A page of reconciliations, by station and kind. */
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

/** Deletes a reconciliation; false if there is none. */
export async function remove(db: Db, stationId: string, kind: string): Promise<boolean> {
  const { rowCount } = await db.query(deleteOne([stationId, kind]));
  return rowCount === 1;
}

// A manager leases reconciliations for 30 s; if it dies, they are taken again. Stations that have just connected without a boot are
// skipped for 3 s: they may be about to boot.
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

/** Leases up to 20 due reconciliations whose station is connected and accepted. */
export async function take(db: Db, now: Date): Promise<ReconciliationRow[]> {
  const { rows } = await db.query<ReconciliationRow>(takeDue([now]));
  return rows;
}

// Applies only if the reconciliation was not replaced meanwhile.
const UNCHANGED = `station_id = $1 AND kind = $2 AND requested_at = $3 AND state = 'open'`;

const markStep = statement(
  'reconciliations.step',
  `UPDATE reconciliations SET doing = $4, look_at = $5, command_id = coalesce($6, command_id) WHERE ${UNCHANGED}`,
);

/** Records the current step of a reconciliation and when to check it again; false if it was removed, replaced or completed. */
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

/** Completes a reconciliation as succeeded, or as failed with a reason. */
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

/** Makes a station's open reconciliations due now, because something has changed; true if there are any. */
export async function lookNow(db: Db, stationId: string, now: Date): Promise<boolean> {
  const { rowCount } = await db.query(markDue([stationId, now]));
  return (rowCount ?? 0) > 0;
}

/** Minimum time between readings of a station's configuration on connect. */
export const READING_SECONDS = 3600;

// Skips reconciliations that a manager has leased. Rows are locked in order, so that concurrent executions cannot deadlock.
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

/** For stations that have connected: makes open reconciliations due now, and reopens that of the configuration if it was not read recently. */
export async function onConnect(db: Db, stationIds: string[], at: Date): Promise<void> {
  await db.query(wake([stationIds, at]));
}

// Rows are locked in order, so that concurrent executions cannot deadlock.
const reopen = statement(
  'reconciliations.onBoot',
  `WITH reopened AS (
     SELECT g.station_id, g.kind, booted.at FROM reconciliations g JOIN ${BOOTED} USING (station_id)
     WHERE g.state = 'open' OR g.permanent ORDER BY 1, 2 FOR UPDATE OF g)
   UPDATE reconciliations g SET state = 'open', doing = NULL, command_id = CASE WHEN g.state = 'open' THEN g.command_id END, look_at = r.at
   FROM reopened r WHERE g.station_id = r.station_id AND g.kind = r.kind`,
);

/** For stations that have booted: reopens permanent reconciliations, and makes open ones due now. */
export async function onBoot(db: Db, boots: BootTimes): Promise<void> {
  await db.query(reopen(bootColumns(boots)));
}
