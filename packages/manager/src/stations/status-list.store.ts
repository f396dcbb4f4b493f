import { search } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** A past status of a connector as the API shows it. */
export interface StatusRow {
  connectorId: number;
  status: string;
  errorCode: string;
  info: string | null;
  vendorId: string | null;
  vendorErrorCode: string | null;
  statusAt: Date;
  receivedAt: Date;
  /** Digest of the content: distinguishes statuses of the same time. */
  digest: string;
}

const selectPage = search(
  `SELECT connector_id AS "connectorId", status, error_code AS "errorCode", info, vendor_id AS "vendorId", vendor_error_code AS "vendorErrorCode",
     status_at AS "statusAt", received_at AS "receivedAt", digest
   FROM connector_statuses WHERE station_id = $1 AND connector_id = $2
     AND ($3::timestamptz IS NULL OR status_at <= $3 AND (status_at, digest) < ($3, $4::uuid))
     AND ($5::timestamptz IS NULL OR status_at >= $5) AND ($6::timestamptz IS NULL OR status_at < $6)
   ORDER BY status_at DESC, digest DESC LIMIT $7`,
);

export interface StatusFilter {
  stationId: string;
  connectorId: number;
  before: { at: string; digest: string } | null;
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
      before?.digest ?? null,
      from,
      to,
      filter.rows,
    ]),
  );
  return rows;
}
