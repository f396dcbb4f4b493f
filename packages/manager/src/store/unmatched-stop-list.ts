import type { Db } from './db.ts';
import { search } from './db.ts';
import type { Mismatch } from './unmatched-stops.ts';

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
  request: unknown;
  receivedAt: Date;
}

const selectUnmatched = search(
  `SELECT unmatched_stop_id AS "unmatchedStopId", station_id AS "stationId", transaction_id AS "transactionId",
     id_tag AS "idTag", meter_stop_wh AS "meterStopWh", stopped_at AS "stoppedAt", stop_reason AS "stopReason", why, request,
     received_at AS "receivedAt"
   FROM unmatched_stops WHERE ($1::bigint IS NULL OR unmatched_stop_id < $1) AND ($2::text IS NULL OR station_id = $2)
   ORDER BY unmatched_stop_id DESC LIMIT $3`,
);

/** Newest first. */
export async function list(
  db: Db,
  filter: { before: number | null; stationId: string | undefined; rows: number },
): Promise<UnmatchedStopRow[]> {
  const { rows } = await db.query<UnmatchedStopRow>(
    selectUnmatched([filter.before, filter.stationId ?? null, filter.rows]),
  );
  return rows;
}
