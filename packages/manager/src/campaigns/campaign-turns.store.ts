import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { Rollback } from './firmware-campaigns.store.ts';

/** The progress of a campaign's waves that have begun. */
export interface Tally {
  /** Stations of these waves whose failures count. */
  begun: number;
  failed: number;
  /** Stations of these waves that have not ended. */
  open: number;
}

const countAll = statement(
  'campaignTurns.tally',
  `SELECT count(*) FILTER (WHERE NOT is_forgiven)::int AS begun,
     count(*) FILTER (WHERE NOT is_forgiven AND state IN ('failed', 'timedOut'))::int AS failed,
     count(*) FILTER (WHERE state IN ('waiting', 'sent', 'downloading', 'downloaded', 'installing'))::int AS open
   FROM firmware_campaign_stations WHERE campaign_id = $1 AND wave <= $2 AND phase = 'update'`,
);

export async function tally(db: Db, campaignId: string, wave: number): Promise<Tally> {
  const { rows } = await db.query<Tally>(countAll([campaignId, wave]));
  return rows[0] ?? { begun: 0, failed: 0, open: 0 };
}

const selectReasons = statement(
  'campaignTurns.reasons',
  `SELECT coalesce(reason, state) AS reason, count(*)::int AS count FROM firmware_campaign_stations
   WHERE campaign_id = $1 AND phase = 'update' AND state IN ('failed', 'timedOut') AND NOT is_forgiven
   GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 3`,
);

/** The three most frequent failure reasons, with their counts. */
export async function reasons(db: Db, campaignId: string): Promise<{ reason: string; count: number }[]> {
  return (await db.query<{ reason: string; count: number }>(selectReasons([campaignId]))).rows;
}

const startWaiting = statement(
  'campaignTurns.await',
  `UPDATE firmware_campaign_stations SET waiting_since = $3 WHERE campaign_id = $1 AND wave <= $2 AND state = 'waiting'`,
);

/** Starts the absence timeout of the waiting stations in the waves that have begun. */
export async function startWaitingFor(
  db: Db,
  campaignId: string,
  turn: { wave: number; at: Date },
): Promise<void> {
  await db.query(startWaiting([campaignId, turn.wave, turn.at]));
}

const skipWaiting = statement(
  'campaignTurns.skipAbsent',
  `UPDATE firmware_campaign_stations SET state = 'skipped', completed_at = $2,
     reason = CASE phase WHEN 'rollback' THEN 'rollback: ' ELSE '' END || 'the station did not connect in time'
   WHERE campaign_id = $1 AND state = 'waiting' AND waiting_since < $3`,
);

/** Skips stations that have been waiting since before `since`. */
export async function skipAbsent(
  db: Db,
  campaignId: string,
  { since, at }: { since: Date; at: Date },
): Promise<void> {
  await db.query(skipWaiting([campaignId, at, since]));
}

const forgiveAll = statement(
  'campaignTurns.forgive',
  `UPDATE firmware_campaign_stations SET is_forgiven = true
   WHERE campaign_id = $1 AND phase = 'update' AND state IN ('failed', 'timedOut')`,
);

/** Excludes the failures so far from the failure count. */
export async function forgive(db: Db, campaignId: string): Promise<void> {
  await db.query(forgiveAll([campaignId]));
}

const retryAll = statement(
  'campaignTurns.retry',
  `UPDATE firmware_campaign_stations SET state = 'waiting', reason = NULL, completed_at = NULL, is_forgiven = false,
     is_signed = NULL, other_way_tried = false
   WHERE campaign_id = $1 AND phase = 'update' AND state IN ('failed', 'timedOut')`,
);

/** Makes failed stations wait for another attempt. */
export async function retryFailed(db: Db, campaignId: string): Promise<void> {
  await db.query(retryAll([campaignId]));
}

const cancelAll = statement(
  'campaignTurns.cancel',
  `UPDATE firmware_campaign_stations SET state = 'skipped', reason = 'the campaign was cancelled', completed_at = $2
   WHERE campaign_id = $1 AND state = 'waiting'`,
);

/** Skips all waiting stations. */
export async function cancelWaiting(db: Db, campaignId: string, at: Date): Promise<void> {
  await db.query(cancelAll([campaignId, at]));
}

const rollBackAll = statement(
  'campaignTurns.rollBack',
  `UPDATE firmware_campaign_stations SET
     update_state = coalesce(update_state, state), update_reason = CASE WHEN update_state IS NULL THEN reason ELSE update_reason END,
     phase = 'rollback', state = 'waiting', reason = NULL, completed_at = NULL, waiting_since = $3,
     is_signed = NULL, other_way_tried = false
   WHERE campaign_id = $1 AND state IN ('installed', 'failed', 'timedOut') AND (phase = 'update' OR $4::boolean)
     AND ($2 IN ('failed', 'all') AND coalesce(update_state, state) <> 'installed'
       OR $2 IN ('updated', 'all') AND coalesce(update_state, state) = 'installed')`,
);

/**
 * Makes stations that failed, or have the new firmware, wait for the previous firmware. Resolves with their number. `again`: includes
 * stations whose rollback failed.
 */
export async function beginRollback(
  db: Db,
  campaignId: string,
  { which, at, again }: { which: Rollback; at: Date; again: boolean },
): Promise<number> {
  return (await db.query(rollBackAll([campaignId, which, at, again]))).rowCount ?? 0;
}
