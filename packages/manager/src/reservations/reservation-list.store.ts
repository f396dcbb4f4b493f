import { search } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { ReservationState } from './reservations.store.ts';

/** A reservation as the API shows it. */
export interface ReservationRow {
  reservationKey: number;
  stationId: string;
  reservationId: number;
  commandId: string;
  connectorId: number;
  idTag: string;
  parentIdTag: string | null;
  expiryDate: Date;
  state: ReservationState;
  reason: string | null;
  transactionId: number | null;
  requestedAt: Date;
  acceptedAt: Date | null;
  reservedAt: Date | null;
  endedAt: Date | null;
}

const HAS_EXPIRED = "state IN ('requested', 'active') AND expiry_date <= now()";

// An expired reservation is shown as expired even before the cleanup marks it so.
const selectPage = search(
  `SELECT * FROM (
     SELECT reservation_key AS "reservationKey", station_id AS "stationId", reservation_id AS "reservationId",
       command_id AS "commandId", connector_id AS "connectorId", id_tag AS "idTag", parent_id_tag AS "parentIdTag",
       expiry_date AS "expiryDate", CASE WHEN ${HAS_EXPIRED} THEN 'expired' ELSE state END AS state, reason,
       transaction_id AS "transactionId", requested_at AS "requestedAt", accepted_at AS "acceptedAt",
       reserved_at AS "reservedAt", CASE WHEN ${HAS_EXPIRED} THEN expiry_date ELSE ended_at END AS "endedAt"
     FROM reservations WHERE station_id = $1 AND ($2::bigint IS NULL OR reservation_key < $2)) r
   WHERE $3::text IS NULL OR state = $3
   ORDER BY "reservationKey" DESC LIMIT $4`,
);

export interface ReservationFilter {
  stationId: string;
  before: number | null;
  state?: ReservationState;
  rows: number;
}

/** A station's reservations, newest first. */
export async function list(db: Db, filter: ReservationFilter): Promise<ReservationRow[]> {
  const { stationId, before, state, rows: limit } = filter;
  const { rows } = await db.query<ReservationRow>(selectPage([stationId, before, state ?? null, limit]));
  return rows;
}
