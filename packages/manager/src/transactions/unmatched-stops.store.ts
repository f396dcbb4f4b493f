import type { StopTransactionRequest } from '@evander/ocpp';
import type { IdTagInfo } from '../authorization/authorize.ts';
import { tagKey } from '../authorization/tags.store.ts';
import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { Stop } from './transactions.store.ts';

/**
 * Why a stop ended no transaction: none matches, several match, or another stop ended the matching one (for a stop without an id, possibly
 * the same stop with the id).
 */
export const MISMATCHES = ['unknownTransaction', 'severalTransactions', 'alreadyStopped'] as const;
export type Mismatch = (typeof MISMATCHES)[number];

/** `open`: awaits an operator's review; `assigned`: an operator assigned it to a transaction, which it ended; `dismissed`: by an operator. */
export const UNMATCHED_STOP_STATES = ['open', 'assigned', 'dismissed'] as const;
export type UnmatchedStopState = (typeof UNMATCHED_STOP_STATES)[number];

const lockStation = statement('unmatchedStops.lock', 'SELECT pg_advisory_xact_lock(hashtextextended($1, 4))');

/** Serializes the matching of a station's stops: the lock lasts until the database transaction ends. */
export async function lock(db: Db, stationId: string): Promise<void> {
  await db.query(lockStation([stationId]));
}

const KEY = "station_id, transaction_id, stopped_at, meter_stop_wh, (coalesce(lower(id_tag), ''))";

const selectSame = statement(
  'unmatchedStops.find',
  `SELECT id_tag_info AS "idTagInfo" FROM unmatched_stops WHERE (${KEY}) = ($1, $2::bigint, $3, $4::bigint, coalesce($5, ''))`,
);

/** The answer to a stop that is already stored; undefined when it is new. */
export async function find(
  db: Db,
  { stationId, stoppedAt, meterStopWh, idTag }: Stop,
  transactionId: number,
): Promise<{ idTagInfo: IdTagInfo | null } | undefined> {
  const key = idTag === null ? null : tagKey(idTag);
  const { rows } = await db.query<{ idTagInfo: IdTagInfo | null }>(
    selectSame([stationId, transactionId, stoppedAt, meterStopWh, key]),
  );
  return rows[0];
}

const insert = statement(
  'unmatchedStops.record',
  `INSERT INTO unmatched_stops (station_id, transaction_id, id_tag, meter_stop_wh, stopped_at, stop_reason, why, request,
     received_at, message_id, id_tag_info)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (${KEY}) DO NOTHING`,
);

export interface UnmatchedStop {
  stop: Stop;
  request: StopTransactionRequest;
  /** The IdTagInfo in the response to the station. */
  idTagInfo: IdTagInfo | null;
  why: Mismatch;
}

/** Stores a stop that ended no transaction, for an operator to reconcile; one that is already stored is not changed. */
export async function record(db: Db, { stop, request, idTagInfo, why }: UnmatchedStop): Promise<void> {
  await db.query(
    insert([
      stop.stationId,
      request.transactionId,
      stop.idTag,
      stop.meterStopWh,
      stop.stoppedAt,
      stop.reason,
      why,
      JSON.stringify(request),
      stop.receivedAt,
      stop.messageId,
      idTagInfo && JSON.stringify(idTagInfo),
    ]),
  );
}

/** A stored unmatched stop. */
export interface StoredStop {
  stop: Stop;
  request: StopTransactionRequest;
  state: UnmatchedStopState;
}

const STORED_STOP = `state, request, station_id AS "stationId", id_tag AS "idTag", meter_stop_wh AS "meterStopWh", stopped_at AS "stoppedAt",
  stop_reason AS reason, message_id AS "messageId", received_at AS "receivedAt"`;
type StoredStopRow = Stop & Omit<StoredStop, 'stop'>;

function storedStop({ state, request, ...stop }: StoredStopRow): StoredStop {
  return { state, request, stop };
}

const selectForResolution = statement(
  'unmatchedStops.findForResolution',
  `SELECT ${STORED_STOP} FROM unmatched_stops WHERE unmatched_stop_id = $1 FOR UPDATE`,
);

/** A stop, locked until the database transaction ends. */
export async function findForResolution(db: Db, unmatchedStopId: number): Promise<StoredStop | undefined> {
  const { rows } = await db.query<StoredStopRow>(selectForResolution([unmatchedStopId]));
  return rows.map(storedStop)[0];
}

/** An operator's decision about a stop. */
export interface Resolution {
  unmatchedStopId: number;
  at: Date;
  /** Name of the API key. */
  by: string | null;
  reason: string;
}

const updateResolution = statement(
  'unmatchedStops.resolve',
  `UPDATE unmatched_stops SET state = $2, assigned_transaction_id = $3, resolved_at = $4, resolved_by = $5, resolution_reason = $6
   WHERE unmatched_stop_id = $1`,
);

/** Records that a stop is assigned to a transaction. */
export async function assign(db: Db, resolution: Resolution & { transactionId: number }): Promise<void> {
  const { unmatchedStopId, transactionId, at, by, reason } = resolution;
  await db.query(updateResolution([unmatchedStopId, 'assigned', transactionId, at, by, reason]));
}

/** Records that a stop belongs to no transaction. */
export async function dismiss(db: Db, { unmatchedStopId, at, by, reason }: Resolution): Promise<void> {
  await db.query(updateResolution([unmatchedStopId, 'dismissed', null, at, by, reason]));
}

const reopenAssigned = statement(
  'unmatchedStops.reopen',
  `UPDATE unmatched_stops SET state = 'open', why = 'alreadyStopped', assigned_transaction_id = NULL, resolved_at = NULL,
     resolved_by = NULL, resolution_reason = NULL
   WHERE assigned_transaction_id = $1 RETURNING ${STORED_STOP}`,
);

/** Reopens the stop that was assigned to a transaction, because another one ends it; undefined if there is none. */
export async function reopen(db: Db, transactionId: number): Promise<StoredStop | undefined> {
  const { rows } = await db.query<StoredStopRow>(reopenAssigned([transactionId]));
  return rows.map(storedStop)[0];
}
