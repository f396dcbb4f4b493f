import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** What is known of a connector before it is reserved; connector 0 is the station. */
export interface Place {
  connectorId: number;
  /** Null when it has told none. */
  status: string | null;
  /** A reservation of ours has ended since it told its status: a Reserved has been overtaken by that. */
  isFreed: boolean;
  /** The transaction that runs there. */
  transactionId: number | null;
  /** Ids of the reservations that hold it. */
  reservationIds: number[];
}

const lockStation = statement(
  'reservationPlaces.lock',
  'SELECT pg_advisory_xact_lock(hashtextextended($1, 3))',
);

const select = statement(
  'reservationPlaces.list',
  `WITH live AS (
     SELECT connector_id, array_agg(reservation_id) AS ids FROM reservations
     WHERE station_id = $1 AND state IN ('requested', 'active') AND expiry_date > $2 GROUP BY connector_id),
   running AS (
     SELECT connector_id, max(transaction_id) AS transaction_id FROM transactions
     WHERE station_id = $1 AND stopped_at IS NULL AND state = 'open' GROUP BY connector_id),
   told AS (
     SELECT c.connector_id, c.status, EXISTS (SELECT FROM reservations r WHERE r.station_id = $1
         AND r.connector_id IN (0, c.connector_id) AND r.ended_at >= c.status_at AND r.state <> 'refused') AS is_freed
     FROM connectors c WHERE c.station_id = $1)
   SELECT connector_id AS "connectorId", told.status, coalesce(told.is_freed, false) AS "isFreed",
     running.transaction_id AS "transactionId", coalesce(live.ids, '{}') AS "reservationIds"
   FROM told FULL JOIN running USING (connector_id) FULL JOIN live USING (connector_id) ORDER BY connector_id`,
);

/**
 * The connectors of a station of which anything is known, in order. Until the database transaction ends nobody else reserves there, so
 * that two cannot both have the last one.
 */
export async function lockAndList(db: Db, stationId: string, now: Date): Promise<Place[]> {
  await db.query(lockStation([stationId]));
  const { rows } = await db.query<Place>(select([stationId, now]));
  return rows;
}
