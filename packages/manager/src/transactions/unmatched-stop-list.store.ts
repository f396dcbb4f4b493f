import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { Mismatch, UnmatchedStopState } from './unmatched-stops.store.ts';

/** A stop that ended no transaction, as the API shows it. */
export interface UnmatchedStopRow {
  unmatchedStopId: number;
  stationId: string;
  transactionId: number;
  idTag: string | null;
  meterStopWh: number;
  stoppedAt: Date;
  stopReason: string;
  why: Mismatch;
  state: UnmatchedStopState;
  assignedTransactionId: number | null;
  resolvedAt: Date | null;
  resolvedBy: string | null;
  resolutionReason: string | null;
  request: unknown;
  receivedAt: Date;
}

const COLUMNS = `unmatched_stop_id AS "unmatchedStopId", station_id AS "stationId", transaction_id AS "transactionId",
  id_tag AS "idTag", meter_stop_wh AS "meterStopWh", stopped_at AS "stoppedAt", stop_reason AS "stopReason", why, state,
  assigned_transaction_id AS "assignedTransactionId", resolved_at AS "resolvedAt", resolved_by AS "resolvedBy",
  resolution_reason AS "resolutionReason", request, received_at AS "receivedAt"`;

const selectOne = statement(
  'unmatchedStops.get',
  `SELECT ${COLUMNS} FROM unmatched_stops WHERE unmatched_stop_id = $1`,
);

export async function get(db: Db, unmatchedStopId: number): Promise<UnmatchedStopRow | undefined> {
  const { rows } = await db.query<UnmatchedStopRow>(selectOne([unmatchedStopId]));
  return rows[0];
}

const selectUnmatched = search(
  `SELECT ${COLUMNS} FROM unmatched_stops
   WHERE ($1::bigint IS NULL OR unmatched_stop_id < $1) AND ($2::text IS NULL OR station_id = $2) AND state = $3
   ORDER BY unmatched_stop_id DESC LIMIT $4`,
);

/** A page of stops, newest first. */
export async function list(
  db: Db,
  filter: { before: number | null; stationId?: string; state: UnmatchedStopState; rows: number },
): Promise<UnmatchedStopRow[]> {
  const { before, stationId, state, rows: limit } = filter;
  const { rows } = await db.query<UnmatchedStopRow>(
    selectUnmatched([before, stationId ?? null, state, limit]),
  );
  return rows;
}
