import type { Database, Db } from './db.ts';
import { statement } from './db.ts';

/** A table that grows with time, and how what is too old is told in it. */
interface Kept {
  table: string;
  /** Of a partitioned table: SQL that is true for a partition that is needed still; `%I` is its name. */
  neededPartition?: string;
  /** Of a partitioned table: the column of its default partition that tells how long a row has been here. */
  since?: string;
  /** SQL of what may go; `$1` is the time, `r` the row. */
  isOld: string;
  /** The column that rows are looked through by, where there is no index on their time. */
  key?: string;
}

// One that is lost or closed has ended, though its stop may come late.
const IS_OPEN = "t.state = 'open'";
const UNDELIVERED = `EXISTS (SELECT FROM webhooks w WHERE w.active AND (w.last_event_id < r.id
  OR EXISTS (SELECT FROM webhook_deliveries d WHERE d.webhook_id = w.webhook_id AND d.event_id = r.id AND d.dead_at IS NULL)))`;

/** Each kind of data that can be kept for a number of days, and its tables. */
const KEPT = {
  frames: [{ table: 'frames', since: 'recorded_at', isOld: 'r.recorded_at < $1' }],
  statuses: [{ table: 'connector_statuses', since: 'received_at', isOld: 'r.received_at < $1' }],
  meterValues: [
    {
      table: 'meter_values',
      since: 'received_at',
      isOld: `r.received_at < $1 AND NOT EXISTS (SELECT FROM transactions t WHERE t.transaction_id = r.transaction_id AND ${IS_OPEN})`,
      neededPartition: `SELECT EXISTS (SELECT FROM transactions t WHERE ${IS_OPEN}
        AND EXISTS (SELECT FROM %I m WHERE m.transaction_id = t.transaction_id))`,
    },
  ],
  authorizations: [
    { table: 'authorizations', since: 'received_at', isOld: 'r.received_at < $1' },
    { table: 'pnc_authorizations', isOld: 'r.received_at < $1' },
  ],
  events: [
    {
      table: 'events',
      since: 'at',
      isOld: `r.at < $1 AND NOT ${UNDELIVERED}`,
      neededPartition: `SELECT EXISTS (SELECT FROM (SELECT id FROM %I ORDER BY id DESC LIMIT 1) r WHERE ${UNDELIVERED})
        OR EXISTS (SELECT FROM webhook_deliveries d JOIN webhooks w USING (webhook_id) JOIN %I e ON e.id = d.event_id AND e.at = d.event_at
          WHERE w.active AND d.dead_at IS NULL)`,
    },
  ],
  securityEvents: [{ table: 'security_events', isOld: 'r.received_at < $1' }],
  commands: [
    {
      table: 'commands',
      key: 'sequence',
      isOld: "r.created_at < $1 AND r.settled_at < $1 AND r.status NOT IN ('queued', 'sent')",
    },
  ],
  jobs: [
    { table: 'status_notifications', isOld: 'r.received_at < $1' },
    {
      table: 'station_jobs',
      key: 'job_id',
      isOld: "r.requested_at < $1 AND r.ended_at < $1 AND r.outcome NOT IN ('requested', 'running')",
    },
  ],
  reservations: [
    {
      table: 'reservations',
      key: 'reservation_key',
      isOld: "r.requested_at < $1 AND r.state NOT IN ('requested', 'active')",
    },
  ],
  certificateRequests: [
    {
      table: 'certificate_requests',
      key: 'certificate_request_id',
      isOld: "r.requested_at < $1 AND r.state IN ('rejected', 'installed', 'superseded')",
    },
    {
      table: 'pnc_certificate_requests',
      key: 'pnc_request_id',
      isOld: "r.requested_at < $1 AND r.state IN ('rejected', 'installed', 'superseded')",
    },
  ],
  unmatchedStops: [{ table: 'unmatched_stops', key: 'unmatched_stop_id', isOld: 'r.received_at < $1' }],
  transactions: [
    { table: 'transactions', key: 'transaction_id', isOld: 'r.stopped_at < $1 AND r.stop_received_at < $1' },
  ],
} satisfies Record<string, Kept[]>;

export type RetainedData = keyof typeof KEPT;
export const RETAINED = Object.keys(KEPT) as RetainedData[];

/** What was removed of one table. */
export interface Removal {
  table: string;
  partitions: number;
  rows: number;
}

/** Rows of one statement: short enough that nobody waits for them. */
const ROWS = 5000;
/** Rows without an index on their time that a statement looks through. */
const LOOKED_THROUGH = 50_000;
/** Statements of one run and table; the next run goes on. */
const STATEMENTS = 400;

/** Removes what is older than a time from the tables of a kind of data, except what is needed still. */
export async function removeOld(database: Database, kind: RetainedData, before: Date): Promise<Removal[]> {
  const removals: Removal[] = [];
  for (const kept of KEPT[kind] as Kept[]) {
    const partitions = kept.since === undefined ? 0 : await dropOld(database, kept, before);
    removals.push({ table: kept.table, partitions, rows: await deleteOld(database, kept, before) });
  }
  if (kind === 'events') await database.query(forgetDeliveries());
  return removals;
}

const selectOld = statement(
  'retention.oldPartitions',
  `SELECT partition FROM (
     SELECT c.relname AS partition,
       (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''([^'']+)''\\)'))[1]::timestamptz AS upper
     FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = $1::regclass) p
   WHERE upper <= $2 ORDER BY upper`,
);

async function dropOld(database: Database, kept: Kept, before: Date): Promise<number> {
  const { rows } = await database.query<{ partition: string }>(selectOld([kept.table, before]));
  let dropped = 0;
  for (const { partition } of rows) if (await drop(database, kept, partition)) dropped++;
  return dropped;
}

const lock = statement(
  'retention.lock',
  "SELECT pg_try_advisory_xact_lock(hashtext('evander retention'), hashtext($1)) AS mine",
);

// A partition cannot be had while somebody reads or writes its table in an open database transaction; and those who come while we wait
// would have to wait with us. So we do not wait for long: the next run finds it again.
async function drop(
  database: Database,
  { table, neededPartition }: Kept,
  partition: string,
): Promise<boolean> {
  const name = `"${partition}"`;
  try {
    return await database.transaction(async (db) => {
      if (!(await isMine(db, table))) return false;
      if (neededPartition && (await isTrue(db, neededPartition.replaceAll('%I', name)))) return false;
      await db.query({ text: "SET LOCAL lock_timeout = '1s'" });
      await db.query({ text: `DROP TABLE ${name}` });
      return true;
    });
  } catch (error) {
    if ((error as { code?: string }).code === LOCK_NOT_AVAILABLE) return false;
    throw error;
  }
}

const LOCK_NOT_AVAILABLE = '55P03';

async function isMine(db: Db, table: string): Promise<boolean> {
  const { rows } = await db.query<{ mine: boolean }>(lock([table]));
  return rows[0]?.mine === true;
}

async function isTrue(db: Db, text: string): Promise<boolean> {
  const { rows } = await db.query<Record<string, boolean>>({ text });
  return Object.values(rows[0] ?? {})[0] === true;
}

// Of a partitioned table: what has gone to its default partition, by the time of its receipt, as its own time is that of a clock that was
// wrong.
async function deleteOld(
  database: Database,
  { table, since, isOld, key }: Kept,
  before: Date,
): Promise<number> {
  const from = since === undefined ? table : `${table}_other`;
  // By their ids the oldest come first; among so many there are some that may go, or none at all.
  const rowsOf =
    key === undefined ? from : `(SELECT ctid, * FROM ${from} ORDER BY ${key} LIMIT ${LOOKED_THROUGH})`;
  const text = `DELETE FROM ${from} WHERE ctid = ANY (ARRAY(SELECT r.ctid FROM ${rowsOf} r WHERE ${isOld} LIMIT ${ROWS}))`;
  let deleted = 0;
  for (let i = 0; i < STATEMENTS; i++) {
    const rows = await database.transaction(async (db) => {
      if (!(await isMine(db, table))) return 0;
      const { rowCount } = await db.query({ text, values: [before] });
      return rowCount ?? 0;
    });
    deleted += rows;
    if (rows < ROWS) break;
  }
  return deleted;
}

// Deliveries, dead ones most often, of events that are no more.
const forgetDeliveries = statement(
  'retention.forgetDeliveries',
  `DELETE FROM webhook_deliveries d
   WHERE NOT EXISTS (SELECT FROM events e WHERE e.id = d.event_id AND e.at = d.event_at)`,
);
