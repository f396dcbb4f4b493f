import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { Event } from '../events/events.store.ts';

/** An event that waits for a retry, with its previous attempts. */
export interface Waiting extends Event {
  attempts: number;
  firstFailedAt: Date | null;
}

const selectStations = statement(
  'webhookDeliveries.stations',
  `SELECT DISTINCT station_id AS "stationId" FROM webhook_deliveries WHERE webhook_id = $1 AND dead_at IS NULL`,
);

/** Stations with waiting events; their later events wait behind these. */
export async function waitingStations(db: Db, webhookId: string): Promise<Set<string>> {
  const { rows } = await db.query<{ stationId: string }>(selectStations([webhookId]));
  return new Set(rows.map(({ stationId }) => stationId));
}

const countAll = statement(
  'webhookDeliveries.count',
  'SELECT count(*) AS count FROM webhook_deliveries WHERE webhook_id = $1 AND dead_at IS NULL',
);

export async function countWaiting(db: Db, webhookId: string): Promise<number> {
  const { rows } = await db.query<{ count: number }>(countAll([webhookId]));
  return rows[0]?.count ?? 0;
}

// Events that retention removed cannot be retried: the join skips such rows, and retention deletes them later.
const selectDue = statement(
  'webhookDeliveries.due',
  `SELECT e.id, e.at, e.kind, e.station_id AS "stationId", e.data, d.attempts, d.first_failed_at AS "firstFailedAt"
   FROM (SELECT station_id FROM webhook_deliveries WHERE webhook_id = $1 AND next_attempt_at <= now() AND station_id <> ALL ($4::text[])
         GROUP BY station_id ORDER BY min(next_attempt_at) LIMIT $2) s
   CROSS JOIN LATERAL (SELECT * FROM webhook_deliveries d
     WHERE d.webhook_id = $1 AND d.station_id = s.station_id AND d.dead_at IS NULL ORDER BY d.event_id LIMIT $3) d
   JOIN events e ON e.id = d.event_id AND e.at = d.event_at
   ORDER BY e.id`,
);

/** The waiting events of stations whose first one is due, in order per station; skips stations that are `busy`. */
export async function due(
  db: Db,
  webhookId: string,
  { stations, perStation, busy }: { stations: number; perStation: number; busy: string[] },
): Promise<Waiting[]> {
  const { rows } = await db.query<Waiting>(selectDue([webhookId, stations, perStation, busy]));
  return rows;
}

/** An event that was not delivered. */
export interface Undelivered {
  event: Event;
  attempts: number;
  /** Null if it waits behind another event. */
  nextAttemptInMs: number | null;
  firstFailedAt: Date | null;
  error: string | null;
  isDead: boolean;
}

const upsert = statement(
  'webhookDeliveries.keep',
  `INSERT INTO webhook_deliveries AS known (webhook_id, event_id, event_at, station_id, attempts, next_attempt_at, first_failed_at,
     last_error, dead_at)
   SELECT $1, event_id, event_at, station_id, attempts, now() + in_ms * interval '1 ms', first_failed_at, last_error,
     CASE WHEN is_dead THEN now() END
   FROM unnest($2::bigint[], $3::timestamptz[], $4::text[], $5::int[], $6::float8[], $7::timestamptz[], $8::text[], $9::bool[])
     AS failed (event_id, event_at, station_id, attempts, in_ms, first_failed_at, last_error, is_dead)
   ORDER BY event_id ON CONFLICT (webhook_id, event_id) DO UPDATE SET attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at,
     first_failed_at = excluded.first_failed_at, last_error = coalesce(excluded.last_error, known.last_error),
     dead_at = excluded.dead_at`,
);

/** Stores events that were not delivered. */
export async function storeUndelivered(db: Db, webhookId: string, undelivered: Undelivered[]): Promise<void> {
  if (undelivered.length === 0) return;
  await db.query(
    upsert([
      webhookId,
      undelivered.map(({ event }) => event.id),
      undelivered.map(({ event }) => event.at),
      undelivered.map(({ event }) => event.stationId),
      undelivered.map(({ attempts }) => attempts),
      undelivered.map(({ nextAttemptInMs }) => nextAttemptInMs),
      undelivered.map(({ firstFailedAt }) => firstFailedAt),
      undelivered.map(({ error }) => error),
      undelivered.map(({ isDead }) => isDead),
    ]),
  );
}

const removeSome = statement(
  'webhookDeliveries.remove',
  'DELETE FROM webhook_deliveries WHERE webhook_id = $1 AND event_id = ANY ($2::bigint[])',
);

/** Deletes events that were finally delivered. */
export async function remove(db: Db, webhookId: string, eventIds: number[]): Promise<void> {
  if (eventIds.length > 0) await db.query(removeSome([webhookId, eventIds]));
}

const moveUp = statement(
  'webhookDeliveries.moveUp',
  `UPDATE webhook_deliveries d SET next_attempt_at = now()
   FROM (SELECT DISTINCT ON (station_id) event_id, next_attempt_at FROM webhook_deliveries
         WHERE webhook_id = $1 AND dead_at IS NULL ORDER BY station_id, event_id) first
   WHERE d.webhook_id = $1 AND d.event_id = first.event_id AND ($2 OR first.next_attempt_at IS NULL)`,
);

/** Makes the first waiting event of each station due if it has no time yet; with `all` also if it has. */
export async function giveTurns(db: Db, webhookId: string, { all }: { all: boolean }): Promise<void> {
  await db.query(moveUp([webhookId, all]));
}

/** A dead delivery as the API shows it. */
export interface DeadDelivery {
  event: Event;
  attempts: number;
  firstFailedAt: Date | null;
  lastError: string | null;
  deadAt: Date;
}

const selectDead = search(
  `SELECT json_build_object('id', e.id, 'at', event_time(e.at), 'kind', e.kind, 'stationId', e.station_id, 'data', e.data) AS event,
     d.attempts, d.first_failed_at AS "firstFailedAt", d.last_error AS "lastError", d.dead_at AS "deadAt"
   FROM webhook_deliveries d JOIN events e ON e.id = d.event_id AND e.at = d.event_at
   WHERE d.webhook_id = $1 AND d.dead_at IS NOT NULL AND ($2::bigint IS NULL OR d.event_id > $2)
   ORDER BY d.event_id LIMIT $3`,
);

/** Events that were given up, oldest first. */
export async function listDead(
  db: Db,
  webhookId: string,
  { after, rows: limit }: { after: number | null; rows: number },
): Promise<DeadDelivery[]> {
  const { rows } = await db.query<DeadDelivery>(selectDead([webhookId, after, limit]));
  return rows;
}

const revive = statement(
  'webhookDeliveries.replay',
  `UPDATE webhook_deliveries SET dead_at = NULL, attempts = 0, first_failed_at = NULL, next_attempt_at = NULL
   WHERE webhook_id = $1 AND dead_at IS NOT NULL AND ($2::bigint[] IS NULL OR event_id = ANY ($2))`,
);

/** Schedules dead events for a retry, all or those with the given ids; returns how many. */
export async function replay(db: Db, webhookId: string, eventIds: number[] | null): Promise<number> {
  const { rowCount } = await db.query(revive([webhookId, eventIds]));
  await giveTurns(db, webhookId, { all: false });
  return rowCount ?? 0;
}
