import type { Db } from './db.ts';
import { search } from './db.ts';

/** A past status of a connector as the API shows it. */
export interface StatusRow {
  status: string;
  errorCode: string;
  info: string | null;
  vendorId: string | null;
  vendorErrorCode: string | null;
  statusAt: Date;
  receivedAt: Date;
}

const selectPage = search(
  `SELECT status, error_code AS "errorCode", info, vendor_id AS "vendorId", vendor_error_code AS "vendorErrorCode",
     status_at AS "statusAt", received_at AS "receivedAt"
   FROM connector_statuses WHERE station_id = $1 AND connector_id = $2
     AND ($3::timestamptz IS NULL OR status_at <= $3 AND (status_at, status, error_code) < ($3, $4, $5))
     AND ($6::timestamptz IS NULL OR status_at >= $6) AND ($7::timestamptz IS NULL OR status_at < $7)
   ORDER BY status_at DESC, status DESC, error_code DESC LIMIT $8`,
);

export interface StatusFilter {
  stationId: string;
  connectorId: number;
  before: { at: string; status: string; errorCode: string } | null;
  from: Date | null;
  to: Date | null;
  rows: number;
}

/** The statuses of a connector, newest first. */
export async function list(db: Db, filter: StatusFilter): Promise<StatusRow[]> {
  const { before, from, to } = filter;
  const { rows } = await db.query<StatusRow>(
    selectPage([
      filter.stationId,
      filter.connectorId,
      before?.at ?? null,
      before?.status ?? null,
      before?.errorCode ?? null,
      from,
      to,
      filter.rows,
    ]),
  );
  return rows;
}
