import { statement } from '../database/database.ts';
import type { Database, Db } from '../database/database.ts';
import { isInUse, whileTableIsFree } from '../database/table-lock.ts';

/** A table that grows with time, and how to find its old rows. */
interface RetentionRule {
  table: string;
  /** For a partitioned table: SQL that is true for a partition that is still needed; `%I` is its name. */
  neededPartition?: string;
  /** For a partitioned table: the column of its default partition that holds the time of receipt. */
  since?: string;
  /** SQL that is true for a row that may be deleted; `$1` is the time, `r` the row. */
  isOld: string;
  /** For a table without an index on the time: the key to scan by, and the time column that rises with it. */
  by?: { key: string; arrivedAt: string };
  /** Rows per statement, if a deletion cascades to other tables. */
  rows?: number;
}

// A lost or closed transaction has ended, even if its stop may still arrive.
const IS_OPEN = "t.state = 'open'";
// The station may still install a signed certificate, and another one may be sent after a refusal: the last change counts.
const HAS_SIGNING_ENDED =
  "r.state <> 'requested' AND coalesce(r.completed_at, r.signed_at, r.requested_at) < $1";
const UNDELIVERED = `EXISTS (SELECT FROM webhooks w WHERE w.active AND (w.last_event_id < r.id
  OR EXISTS (SELECT FROM webhook_deliveries d WHERE d.webhook_id = w.webhook_id AND d.event_id = r.id AND d.dead_at IS NULL)))`;

/** Each kind of data that can be kept for a number of days, and its tables. */
const RETENTION_RULES = {
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
      by: { key: 'sequence', arrivedAt: 'created_at' },
      isOld: "r.completed_at < $1 AND r.status NOT IN ('queued', 'sent')",
    },
    {
      table: 'charging_profile_applications',
      by: { key: 'application_id', arrivedAt: 'requested_at' },
      isOld: 'true',
    },
  ],
  jobs: [
    { table: 'status_notifications', isOld: 'r.received_at < $1' },
    {
      table: 'station_jobs',
      by: { key: 'job_id', arrivedAt: 'requested_at' },
      // A job that has neither ended nor reported anything since then will never end.
      isOld: 'coalesce(r.ended_at, greatest(r.accepted_at, r.status_at, r.requested_at)) < $1',
    },
  ],
  reservations: [
    {
      table: 'reservations',
      by: { key: 'reservation_key', arrivedAt: 'requested_at' },
      isOld: "r.state NOT IN ('requested', 'active')",
    },
  ],
  certificateRequests: [
    {
      table: 'certificate_requests',
      by: { key: 'certificate_request_id', arrivedAt: 'requested_at' },
      isOld: HAS_SIGNING_ENDED,
    },
    {
      table: 'pnc_certificate_requests',
      by: { key: 'pnc_request_id', arrivedAt: 'requested_at' },
      isOld: HAS_SIGNING_ENDED,
    },
  ],
  issuedCertificates: [
    // Certificates with a compromised key stay, so that the key is never signed again.
    {
      table: 'issued_certificates',
      isOld: "r.valid_to < $1 AND r.revocation_reason IS DISTINCT FROM 'keyCompromise'",
    },
  ],
  firmwareCampaigns: [
    {
      table: 'firmware_campaigns',
      // A rollback may begin after the end.
      isOld: `r.state IN ('done', 'cancelled') AND r.ended_at < $1 AND NOT EXISTS (SELECT FROM firmware_campaign_stations s
        WHERE s.campaign_id = r.campaign_id AND (s.completed_at IS NULL OR s.completed_at >= $1))`,
      rows: 10,
    },
  ],
  unmatchedStops: [
    {
      table: 'unmatched_stops',
      by: { key: 'unmatched_stop_id', arrivedAt: 'received_at' },
      isOld: 'true',
    },
  ],
  transactions: [
    {
      table: 'transactions',
      by: { key: 'transaction_id', arrivedAt: 'start_received_at' },
      isOld: `r.state <> 'open' AND coalesce(r.stopped_at, r.close_stopped_at, r.lost_at, r.started_at) < $1
        AND greatest(r.stop_received_at, r.closed_at, r.start_received_at) < $1`,
    },
  ],
} satisfies Record<string, RetentionRule[]>;

export type RetainedData = keyof typeof RETENTION_RULES;
export const RETAINED = Object.keys(RETENTION_RULES) as RetainedData[];

/** What was removed from one table. */
export interface Removal {
  table: string;
  partitions: number;
  rows: number;
}

/** Rows per statement: few enough not to block others for long. */
const BATCH_SIZE = 5000;
/** Statements per run and table; the next run continues. */
const MAX_STATEMENTS = 400;
/** Generous, because tables without an index on their time are scanned completely. */
const STATEMENT_TIMEOUT_MS = 600_000;

/** Removes data of one kind that is older than `before`, except what is still needed. */
export async function removeOld(database: Database, kind: RetainedData, before: Date): Promise<Removal[]> {
  const removals: Removal[] = [];
  for (const rule of RETENTION_RULES[kind] as RetentionRule[]) {
    const partitions = rule.since === undefined ? 0 : await dropOld(database, rule, before);
    removals.push({ table: rule.table, partitions, rows: await deleteOld(database, rule, before) });
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

async function dropOld(database: Database, rule: RetentionRule, before: Date): Promise<number> {
  const { rows } = await database.query<{ partition: string }>(selectOld([rule.table, before]));
  let dropped = 0;
  try {
    for (const { partition } of rows) if (await drop(database, rule, partition)) dropped++;
  } catch (error) {
    // An open database transaction uses the table: the next run continues.
    if (!isInUse(error)) throw error;
  }
  return dropped;
}

const lock = statement(
  'retention.lock',
  "SELECT pg_try_advisory_xact_lock(hashtext('evander retention'), hashtext($1)) AS mine",
);

function drop(
  database: Database,
  { table, neededPartition }: RetentionRule,
  partition: string,
): Promise<boolean> {
  const name = `"${partition}"`;
  return whileTableIsFree(database, async (db) => {
    if (!(await isMine(db, table))) return false;
    if (neededPartition && (await isTrue(db, neededPartition.replaceAll('%I', name)))) return false;
    await db.query({ text: `DROP TABLE ${name}` });
    return true;
  });
}

async function isMine(db: Db, table: string): Promise<boolean> {
  const { rows } = await db.query<{ mine: boolean }>(lock([table]));
  return rows[0]?.mine === true;
}

async function isTrue(db: Db, text: string): Promise<boolean> {
  const { rows } = await db.query<Record<string, boolean>>({ text });
  return Object.values(rows[0] ?? {})[0] === true;
}

/** The rows that one statement deleted, and the key from which the next continues; null at the end. */
interface Step {
  rows: number;
  next: string | null;
}

async function deleteOld(database: Database, rule: RetentionRule, before: Date): Promise<number> {
  const text = rule.by === undefined ? deleteByTime(rule) : deleteByKey(rule, rule.by);
  let deleted = 0;
  let after: string | null = '0';
  for (let i = 0; i < MAX_STATEMENTS && after !== null; i++) {
    const step: Step = await database.transaction(
      async (db) => {
        if (!(await isMine(db, rule.table))) return { rows: 0, next: null };
        const { rows } = await db.query<Step>({ text, values: [before, after] });
        return rows[0] ?? { rows: 0, next: null };
      },
      { statementMs: STATEMENT_TIMEOUT_MS },
    );
    deleted += step.rows;
    after = step.next;
  }
  return deleted;
}

// For a partitioned table, only its default partition, by time of receipt: rows are there because their own time came from a wrong clock.
function deleteByTime({ table, since, isOld, rows = BATCH_SIZE }: RetentionRule): string {
  const from = since === undefined ? table : `${table}_other`;
  return `WITH gone AS (DELETE FROM ${from} WHERE ctid = ANY (ARRAY(SELECT r.ctid FROM ${from} r WHERE ${isOld} LIMIT ${rows})) RETURNING 1)
    SELECT count(*)::int AS rows, CASE WHEN count(*) = ${rows} THEN $2::text END AS next FROM gone`;
}

// Scans page by page from the oldest row, past rows that stay, until a page has no row older than $1.
function deleteByKey(
  { table, isOld }: RetentionRule,
  { key, arrivedAt }: NonNullable<RetentionRule['by']>,
): string {
  return `WITH page AS MATERIALIZED (SELECT r.${key} AS key, r.${arrivedAt} < $1 AS has_time, r.${arrivedAt} < $1 AND (${isOld}) AS is_old
      FROM ${table} r WHERE r.${key} > $2::bigint ORDER BY r.${key} LIMIT ${BATCH_SIZE}),
    gone AS (DELETE FROM ${table} WHERE ${key} = ANY (ARRAY(SELECT key FROM page WHERE is_old)) RETURNING 1)
    SELECT (SELECT count(*)::int FROM gone) AS rows, CASE WHEN bool_or(has_time) THEN max(key)::text END AS next FROM page`;
}

// Deliveries of removed events; most of them are dead.
const forgetDeliveries = statement(
  'retention.forgetDeliveries',
  `DELETE FROM webhook_deliveries d
   WHERE NOT EXISTS (SELECT FROM events e WHERE e.id = d.event_id AND e.at = d.event_at)`,
);
