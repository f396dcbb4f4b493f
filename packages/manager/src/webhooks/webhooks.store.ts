import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { EventFilter } from '../events/events.store.ts';

/** How far a webhook is behind the newest event: number of unhandled ids, and age in seconds of the oldest unhandled event. */
export interface Behind {
  ids: number;
  seconds: number;
}

/** A webhook as the API shows it. */
export interface Webhook extends EventFilter {
  webhookId: string;
  url: string;
  active: boolean;
  inactiveReason: string | null;
  createdAt: Date;
  /** Events up to this one are delivered, waiting or dead. */
  lastEventId: number;
  behind: Behind;
  lastDeliveredAt: Date | null;
  failingSince: Date | null;
  lastError: string | null;
  lastErrorAt: Date | null;
  waiting: number;
  dead: number;
}

const BEHIND = `json_build_object(
  'ids', greatest(0, (SELECT coalesce(max(id), 0) FROM events) - w.last_event_id - cardinality(w.handled_ids)),
  'seconds', (SELECT coalesce(max(greatest(0, floor(extract(epoch FROM now() - at)))), 0)::int
    FROM (SELECT at FROM events WHERE id > w.last_event_id ORDER BY id LIMIT 1) AS oldest)) AS behind`;

const COLUMNS = `${BEHIND}, w.webhook_id AS "webhookId", w.url, w.kinds, w.station_ids AS "stationIds", w.active,
  w.inactive_reason AS "inactiveReason", w.created_at AS "createdAt", w.last_event_id AS "lastEventId",
  w.last_delivered_at AS "lastDeliveredAt", w.failing_since AS "failingSince", w.last_error AS "lastError",
  w.last_error_at AS "lastErrorAt",
  (SELECT count(*) FROM webhook_deliveries d WHERE d.webhook_id = w.webhook_id AND d.dead_at IS NULL) AS waiting,
  (SELECT count(*) FROM webhook_deliveries d WHERE d.webhook_id = w.webhook_id AND d.dead_at IS NOT NULL) AS dead`;

export interface NewWebhook extends EventFilter {
  url: string;
  active: boolean;
  sealedSecret: Buffer;
}

const selectBehind = statement(
  'webhooks.behind',
  `SELECT w.webhook_id AS "webhookId", ${BEHIND} FROM webhooks w WHERE active`,
);

/** How far each active webhook is behind. */
export async function behind(db: Db): Promise<{ webhookId: string; behind: Behind }[]> {
  const { rows } = await db.query<{ webhookId: string; behind: Behind }>(selectBehind());
  return rows;
}

const insert = statement(
  'webhooks.add',
  `INSERT INTO webhooks AS w (url, kinds, station_ids, active, sealed_secret, last_event_id)
   VALUES ($1, $2, $3, $4, $5, (SELECT coalesce(max(id), 0) FROM events)) RETURNING ${COLUMNS}`,
);

/** Adds a webhook; it receives events from now on. */
export async function add(db: Db, webhook: NewWebhook): Promise<Webhook> {
  const { url, kinds, stationIds, active, sealedSecret } = webhook;
  const { rows } = await db.query<Webhook>(insert([url, kinds, stationIds, active, sealedSecret]));
  return rows[0] as Webhook;
}

const select = statement('webhooks.get', `SELECT ${COLUMNS} FROM webhooks w WHERE webhook_id = $1`);

export async function get(db: Db, webhookId: string): Promise<Webhook | undefined> {
  const { rows } = await db.query<Webhook>(select([webhookId]));
  return rows[0];
}

const selectPage = search(
  `SELECT ${COLUMNS} FROM webhooks w WHERE $1::timestamptz IS NULL OR (created_at, webhook_id) > ($1, $2::uuid)
   ORDER BY created_at, webhook_id LIMIT $3`,
);

/** Oldest first. */
export async function list(
  db: Db,
  page: { after: [createdAt: string, webhookId: string] | null; rows: number },
): Promise<Webhook[]> {
  const { rows } = await db.query<Webhook>(selectPage([...(page.after ?? [null, null]), page.rows]));
  return rows;
}

const update = statement(
  'webhooks.change',
  `UPDATE webhooks w SET url = coalesce($2, url), kinds = CASE WHEN $3 THEN $4::text[] ELSE kinds END,
     station_ids = CASE WHEN $5 THEN $6::text[] ELSE station_ids END, active = coalesce($7, active),
     inactive_reason = CASE WHEN $7 IS NULL THEN inactive_reason END,
     -- Retry immediately, so that the change shows its effect.
     failures = 0, failing_since = NULL, next_attempt_at = '-infinity'
   WHERE webhook_id = $1 RETURNING ${COLUMNS}`,
);

/** Changes the given fields and retries immediately; undefined if there is no such webhook. */
export async function change(
  db: Db,
  webhookId: string,
  changes: Partial<Omit<NewWebhook, 'sealedSecret'>>,
): Promise<Webhook | undefined> {
  const { url, kinds, stationIds, active } = changes;
  const { rows } = await db.query<Webhook>(
    update([
      webhookId,
      url ?? null,
      kinds !== undefined,
      kinds ?? null,
      stationIds !== undefined,
      stationIds ?? null,
      active ?? null,
    ]),
  );
  return rows[0];
}

const remove = statement('webhooks.remove', 'DELETE FROM webhooks WHERE webhook_id = $1');

/** Removes a webhook and its waiting events; false if there is no such webhook. */
export async function removeWebhook(db: Db, webhookId: string): Promise<boolean> {
  const { rowCount } = await db.query(remove([webhookId]));
  return rowCount === 1;
}

/** A webhook with work to do, as given to the holder of its lease. */
export interface LeasedWebhook extends EventFilter {
  webhookId: string;
  lease: string;
  url: string;
  sealedSecret: Buffer;
  lastEventId: number;
  handledIds: number[];
  failures: number;
  failingSince: Date | null;
}

const takeDue = statement(
  'webhooks.lease',
  `UPDATE webhooks w SET lease = gen_random_uuid(), leased_until = now() + $2 * interval '1 ms'
   WHERE webhook_id IN (SELECT webhook_id FROM webhooks c
     WHERE active AND leased_until < now() AND next_attempt_at <= now() AND (last_event_id < $1 OR EXISTS (
       SELECT FROM webhook_deliveries d WHERE d.webhook_id = c.webhook_id AND d.next_attempt_at <= now()))
     ORDER BY leased_until, webhook_id LIMIT $3 FOR UPDATE SKIP LOCKED)
   RETURNING webhook_id AS "webhookId", lease, url, kinds, station_ids AS "stationIds", sealed_secret AS "sealedSecret",
     last_event_id AS "lastEventId", handled_ids::text[] AS "handledIds", failures, failing_since AS "failingSince"`,
);

/** Leases webhooks that have work and no holder: events up to `newest`, or a retry that is due. */
export async function lease(
  db: Db,
  { newest, leaseMs, maxRows }: { newest: number; leaseMs: number; maxRows: number },
): Promise<LeasedWebhook[]> {
  const { rows } = await db.query<LeasedWebhook>(takeDue([newest, leaseMs, maxRows]));
  return rows.map((row) => ({ ...row, handledIds: row.handledIds.map(Number) }));
}

/** The settings of a webhook that a session depends on. */
type Settings = EventFilter & { url: string; active: boolean };

const SETTINGS = 'url, kinds, station_ids AS "stationIds", active';

/** Whether a webhook was changed since it was leased. */
export function differs({ url, kinds, stationIds, active }: Settings, leased: LeasedWebhook): boolean {
  const before = [leased.url, leased.kinds, leased.stationIds, true];
  return JSON.stringify([url, kinds, stationIds, active]) !== JSON.stringify(before);
}

const extend = statement(
  'webhooks.renew',
  `UPDATE webhooks SET leased_until = now() + $3 * interval '1 ms' WHERE webhook_id = $1 AND lease = $2 RETURNING ${SETTINGS}`,
);

/** Extends a lease; undefined if it was lost. */
export async function renew(
  db: Db,
  { webhookId, lease: held }: LeasedWebhook,
  leaseMs: number,
): Promise<Settings | undefined> {
  const { rows } = await db.query<Settings>(extend([webhookId, held, leaseMs]));
  return rows[0];
}

/** Progress of a session. */
export interface Progress {
  webhookId: string;
  lease: string;
  lastEventId: number;
  handledIds: number[];
  /** Null if the receiver is not down. */
  backoff: { failures: number; nextAttemptInMs: number } | null;
  hasDelivered: boolean;
  error: string | null;
  /** Why the webhook must receive no more events; null if it may. */
  inactiveReason: string | null;
  /** Time to extend the lease by; null releases it. */
  leaseMs: number | null;
}

const updateProgress = statement(
  'webhooks.record',
  `UPDATE webhooks SET last_event_id = $3, handled_ids = $4, failures = coalesce($5, 0),
     lease = CASE WHEN $10::float8 IS NOT NULL THEN lease END,
     leased_until = CASE WHEN $10::float8 IS NULL THEN '-infinity' ELSE now() + $10 * interval '1 ms' END,
     failing_since = CASE WHEN $5::int IS NOT NULL THEN coalesce(failing_since, now()) END,
     next_attempt_at = CASE WHEN $5::int IS NULL THEN '-infinity' ELSE now() + $6 * interval '1 ms' END,
     last_delivered_at = CASE WHEN $7 THEN now() ELSE last_delivered_at END,
     last_error = coalesce($8, last_error), last_error_at = CASE WHEN $8::text IS NULL THEN last_error_at ELSE now() END,
     active = active AND $9::text IS NULL, inactive_reason = coalesce($9, inactive_reason)
   WHERE webhook_id = $1 AND lease = $2 RETURNING ${SETTINGS}`,
);

/** Stores the progress of a session; undefined if its lease was lost, and then the caller must roll back. */
export async function record(db: Db, progress: Progress): Promise<Settings | undefined> {
  const { rows } = await db.query<Settings>(
    updateProgress([
      progress.webhookId,
      progress.lease,
      progress.lastEventId,
      progress.handledIds,
      progress.backoff?.failures ?? null,
      progress.backoff?.nextAttemptInMs ?? 0,
      progress.hasDelivered,
      progress.error,
      progress.inactiveReason,
      progress.leaseMs,
    ]),
  );
  return rows[0];
}
