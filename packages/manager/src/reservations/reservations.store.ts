import { tagKey } from '../authorization/tags.store.ts';
import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/**
 * `refused`: by the station, or the request was never sent; `lost`: to a fault; `replaced`: by another with the same id; `ended`: the
 * station no longer knows it, for an unknown reason.
 */
export const RESERVATION_STATES = [
  'requested',
  'active',
  'refused',
  'used',
  'cancelled',
  'expired',
  'lost',
  'replaced',
  'ended',
] as const;
export type ReservationState = (typeof RESERVATION_STATES)[number];

export interface NewReservation {
  stationId: string;
  commandId: string;
  reservationId: number;
  connectorId: number;
  idTag: string;
  parentIdTag: string | null;
  expiryDate: Date;
  requestedAt: Date;
}

/** SQL for reservations that are or may be active at the station. */
export const LIVE = "state IN ('requested', 'active')";

const insert = statement(
  'reservations.add',
  `INSERT INTO reservations (station_id, command_id, reservation_id, connector_id, id_tag, id_tag_key, parent_id_tag,
     expiry_date, requested_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
);

/** Adds a reservation that is about to be requested from a station. */
export async function add(db: Db, reservation: NewReservation): Promise<void> {
  const { stationId, commandId, reservationId, connectorId, idTag, parentIdTag } = reservation;
  const { expiryDate, requestedAt } = reservation;
  await db.query(
    insert([
      stationId,
      commandId,
      reservationId,
      connectorId,
      idTag,
      tagKey(idTag),
      parentIdTag,
      expiryDate,
      requestedAt,
    ]),
  );
}

const activate = statement(
  'reservations.accept',
  `WITH accepted AS (
     UPDATE reservations SET accepted_at = $2, state = CASE state WHEN 'requested' THEN 'active' ELSE state END
     WHERE command_id = $1 RETURNING station_id, reservation_id, reservation_key)
   UPDATE reservations r SET state = 'replaced', ended_at = $2 FROM accepted a
   WHERE r.station_id = a.station_id AND r.reservation_id = a.reservation_id AND r.reservation_key < a.reservation_key
     AND r.${LIVE}`,
);

/** The station accepted the reservation; it replaces any earlier one with the same id (ReserveNow.1). */
export async function accept(db: Db, commandId: string, at: Date): Promise<void> {
  await db.query(activate([commandId, at]));
}

const markRefused = statement(
  'reservations.refuse',
  `UPDATE reservations SET state = 'refused', reason = $2, ended_at = $3 WHERE command_id = $1 AND state = 'requested'`,
);

/** Marks a requested reservation as refused (ReserveNow.4). */
export async function refuse(
  db: Db,
  refusal: { commandId: string; reason: string; at: Date },
): Promise<void> {
  await db.query(markRefused([refusal.commandId, refusal.reason, refusal.at]));
}

const endById = statement(
  'reservations.end',
  `UPDATE reservations SET state = CASE WHEN expiry_date <= $4 THEN 'expired' ELSE $3 END, ended_at = least(expiry_date, $4)
   WHERE station_id = $1 AND reservation_id = $2 AND ${LIVE}`,
);

/** Ends a reservation that the station no longer has; if its expiry date has passed, as expired. */
export async function end(
  db: Db,
  ending: { stationId: string; reservationId: number; state: 'cancelled' | 'ended'; at: Date },
): Promise<void> {
  const { stationId, reservationId, state, at } = ending;
  await db.query(endById([stationId, reservationId, state, at]));
}

/** A transaction that may use a reservation. */
export interface Use {
  stationId: string;
  connectorId: number;
  idTag: string;
  parentIdTag: string | null;
  startedAt: Date;
  transactionId: number;
}

// A late start overrides an end by the clock or by a connector status.
const useById = statement(
  'reservations.useById',
  `UPDATE reservations SET state = 'used', transaction_id = $3, ended_at = $4
   WHERE reservation_key = (SELECT reservation_key FROM reservations WHERE station_id = $1 AND reservation_id = $2
       AND state NOT IN ('refused', 'replaced') ORDER BY reservation_key DESC LIMIT 1)
     AND (state <> 'used' OR transaction_id = $3)`,
);

/** Ends the reservation that a start names; false when there is none, or another transaction used it. */
export async function useNamed(db: Db, reservationId: number, use: Use): Promise<boolean> {
  const { stationId, transactionId, startedAt } = use;
  const { rowCount } = await db.query(useById([stationId, reservationId, transactionId, startedAt]));
  return rowCount === 1;
}

/** Tolerated difference between a station's clock and Evander's when station times are compared with `requested_at`. */
export const SKEW = "interval '10 seconds'";

const useByTag = statement(
  'reservations.useByTag',
  `UPDATE reservations SET state = 'used', transaction_id = $5, ended_at = $6
   WHERE reservation_key = (SELECT reservation_key FROM reservations
     WHERE station_id = $1 AND state = 'active' AND connector_id IN (0, $2) AND requested_at <= $6::timestamptz + ${SKEW}
       AND expiry_date > $6 AND (id_tag_key = $3 OR lower(parent_id_tag) = $4)
     ORDER BY connector_id DESC, reservation_key LIMIT 1)
     AND state = 'active'`,
);

/** Ends the reservation of a tag, or of its group, that a start on its connector does not name (Start.8). */
export async function useUnnamed(db: Db, use: Use): Promise<void> {
  const { stationId, connectorId, idTag, parentIdTag, transactionId, startedAt } = use;
  const parentKey = parentIdTag === null ? null : tagKey(parentIdTag);
  await db.query(useByTag([stationId, connectorId, tagKey(idTag), parentKey, transactionId, startedAt]));
}

const expireAll = statement(
  'reservations.expire',
  `UPDATE reservations SET state = 'expired', ended_at = expiry_date WHERE ${LIVE} AND expiry_date <= $1`,
);

/** Marks reservations past their expiry date as expired (ReserveNow.5), which keeps the live set small; lists already show them so. */
export async function expire(db: Db, now: Date): Promise<void> {
  await db.query(expireAll([now]));
}
