import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import { bootColumns, BOOTED } from '../stations/boots.store.ts';
import type { BootTimes } from '../stations/boots.store.ts';
import { IS_CONNECTED } from '../stations/connections.store.ts';

export const GOAL_STATES = ['open', 'reached', 'failed'] as const;
export type GoalState = (typeof GOAL_STATES)[number];

/** A goal as the API shows it. */
export interface GoalRow {
  stationId: string;
  kind: string;
  wanted: object;
  state: GoalState;
  doing: string | null;
  commandId: string | null;
  requestedBy: string | null;
  requestedAt: Date;
  settledAt: Date | null;
}

const COLUMNS = `station_id AS "stationId", kind, wanted, state, doing, command_id AS "commandId", requested_by AS "requestedBy",
  requested_at AS "requestedAt", settled_at AS "settledAt"`;

const upsert = statement(
  'goals.put',
  `INSERT INTO goals AS known (station_id, kind, wanted, lasting, look_at, requested_by, requested_at)
   VALUES ($1, $2, $3, $4, $5, $6, $5)
   ON CONFLICT (station_id, kind) DO UPDATE SET wanted = excluded.wanted, lasting = excluded.lasting, state = 'open', doing = NULL,
     command_id = NULL, look_at = excluded.look_at, requested_by = excluded.requested_by, requested_at = excluded.requested_at,
     settled_at = NULL
   RETURNING ${COLUMNS}`,
);

export interface NewGoal {
  stationId: string;
  kind: string;
  wanted: object;
  /** Is it to be looked at again whenever the station has booted? */
  lasting: boolean;
  requestedBy: string | null;
  at: Date;
}

/** Sets a goal for a station; it takes the place of the one of its kind. */
export async function put(db: Db, goal: NewGoal): Promise<GoalRow> {
  const { stationId, kind, wanted, lasting, requestedBy, at } = goal;
  const { rows } = await db.query<GoalRow>(
    upsert([stationId, kind, JSON.stringify(wanted), lasting, at, requestedBy]),
  );
  const [row] = rows;
  if (!row) throw new Error(`the goal ${kind} of ${stationId} was not kept`);
  return row;
}

const selectOne = statement('goals.get', `SELECT ${COLUMNS} FROM goals WHERE station_id = $1 AND kind = $2`);

export async function get(db: Db, stationId: string, kind: string): Promise<GoalRow | undefined> {
  const { rows } = await db.query<GoalRow>(selectOne([stationId, kind]));
  return rows[0];
}

const selectPage = search(
  `SELECT ${COLUMNS} FROM goals
   WHERE ($1::text IS NULL OR station_id = $1) AND ($2::text IS NULL OR kind = $2) AND ($3::text IS NULL OR state = $3)
     AND ($4::text IS NULL OR (station_id, kind) > ($4, $5))
   ORDER BY station_id, kind LIMIT $6`,
);

export interface GoalFilter {
  stationId?: string;
  kind?: string;
  state?: GoalState;
  after: { stationId: string; kind: string } | null;
  rows: number;
}

/** Goals by station and kind. */
export async function list(db: Db, filter: GoalFilter): Promise<GoalRow[]> {
  const { stationId, kind, state, after, rows: limit } = filter;
  const { rows } = await db.query<GoalRow>(
    selectPage([stationId ?? null, kind ?? null, state ?? null, after?.stationId, after?.kind, limit]),
  );
  return rows;
}

const deleteOne = statement('goals.remove', 'DELETE FROM goals WHERE station_id = $1 AND kind = $2');

/** Gives a goal up; false when there is none. */
export async function remove(db: Db, stationId: string, kind: string): Promise<boolean> {
  const { rowCount } = await db.query(deleteOne([stationId, kind]));
  return rowCount === 1;
}

// Whoever takes one has it to himself for a while; should he die, it is taken again. A connection without a boot is left alone for a
// moment: the boot may be about to come.
const takeDue = statement(
  'goals.take',
  `UPDATE goals SET look_at = $1::timestamptz + interval '30 seconds' WHERE (station_id, kind) IN (
     SELECT o.station_id, o.kind FROM goals o JOIN connections c USING (station_id) JOIN gateways g USING (gateway_id)
       JOIN stations s USING (station_id) LEFT JOIN commands k ON k.command_id = o.command_id
     WHERE o.state = 'open' AND o.look_at <= $1 AND ${IS_CONNECTED} AND s.registration_status = 'Accepted'
       AND (s.booted_at >= c.connected_at OR c.connected_at < $1::timestamptz - interval '3 seconds')
       AND (k.status IS NULL OR k.status NOT IN ('queued', 'sent'))
     ORDER BY o.look_at LIMIT 20 FOR UPDATE OF o SKIP LOCKED)
   RETURNING ${COLUMNS}`,
);

/** Takes goals that something can be done for now. */
export async function take(db: Db, now: Date): Promise<GoalRow[]> {
  const { rows } = await db.query<GoalRow>(takeDue([now]));
  return rows;
}

// Not when somebody has set another goal meanwhile.
const UNCHANGED = `station_id = $1 AND kind = $2 AND requested_at = $3 AND state = 'open'`;

const markStep = statement(
  'goals.step',
  `UPDATE goals SET doing = $4, look_at = $5, command_id = coalesce($6, command_id) WHERE ${UNCHANGED}`,
);

/** What is done for a goal now, and when it is looked at again; false when it is no goal any more. */
export async function step(
  db: Db,
  { stationId, kind, requestedAt }: GoalRow,
  next: { doing: string; lookAt: Date; commandId?: string },
): Promise<boolean> {
  const { doing, lookAt, commandId } = next;
  const { rowCount } = await db.query(
    markStep([stationId, kind, requestedAt, doing, lookAt, commandId ?? null]),
  );
  return rowCount === 1;
}

const markSettled = statement(
  'goals.settle',
  `UPDATE goals SET state = $4, doing = $5, settled_at = $6 WHERE ${UNCHANGED}`,
);

/** A goal is reached, or given up for a reason. */
export async function settle(
  db: Db,
  { stationId, kind, requestedAt }: GoalRow,
  end: { state: 'reached' | 'failed'; reason: string | null; at: Date },
): Promise<void> {
  await db.query(markSettled([stationId, kind, requestedAt, end.state, end.reason, end.at]));
}

const markDue = statement(
  'goals.lookNow',
  `UPDATE goals SET look_at = least(look_at, $2) WHERE station_id = $1 AND state = 'open'`,
);

/** Something has changed at a station: its goals are looked at now. True when there are any. */
export async function lookNow(db: Db, stationId: string, now: Date): Promise<boolean> {
  const { rowCount } = await db.query(markDue([stationId, now]));
  return (rowCount ?? 0) > 0;
}

/** A configuration is read again when a station connects, but not more often than that. */
export const READING_SECONDS = 3600;

// One that is being worked on is left to whoever does so. Rows are locked in order, so that two of these cannot block each other.
const wake = statement(
  'goals.onConnect',
  `WITH waiting AS (
     SELECT g.station_id, g.kind FROM goals g JOIN stations s USING (station_id)
     WHERE g.station_id = ANY ($1::text[]) AND (
       g.state = 'open' AND g.look_at > $2::timestamptz + interval '30 seconds'
       OR g.state <> 'open' AND g.kind = 'configuration'
         AND greatest(s.configuration_read_at, s.configuration_asked_at) < $2::timestamptz - interval '${READING_SECONDS} seconds')
     ORDER BY 1, 2 FOR UPDATE OF g)
   UPDATE goals g SET state = 'open', look_at = $2, doing = CASE WHEN g.state = 'open' THEN g.doing END,
     command_id = CASE WHEN g.state = 'open' THEN g.command_id END
   FROM waiting w WHERE g.station_id = w.station_id AND g.kind = w.kind`,
);

/** Stations have connected: their open goals are looked at now, and whether their configuration is still as it was, from time to time. */
export async function onConnect(db: Db, stationIds: string[], at: Date): Promise<void> {
  await db.query(wake([stationIds, at]));
}

// Rows are locked in order, so that two of these cannot block each other.
const reopen = statement(
  'goals.onBoot',
  `WITH reopened AS (
     SELECT g.station_id, g.kind, booted.at FROM goals g JOIN ${BOOTED} USING (station_id)
     WHERE g.state = 'open' OR g.lasting ORDER BY 1, 2 FOR UPDATE OF g)
   UPDATE goals g SET state = 'open', doing = NULL, command_id = CASE WHEN g.state = 'open' THEN g.command_id END, look_at = r.at
   FROM reopened r WHERE g.station_id = r.station_id AND g.kind = r.kind`,
);

/** Stations have booted: lasting goals are looked at anew, and open ones now. */
export async function onBoot(db: Db, boots: BootTimes): Promise<void> {
  await db.query(reopen(bootColumns(boots)));
}
