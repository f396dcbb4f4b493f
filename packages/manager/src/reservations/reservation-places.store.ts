import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** What is known about a connector before it is reserved; connector 0 is the station. */
export interface Place {
  connectorId: number;
  /** Last reported status; null when none was reported. */
  status: string | null;
  /** A reservation made by Evander has ended since the status was reported, so a status Reserved is out of date. */
  isFreed: boolean;
  /** The running transaction on the connector. */
  transactionId: number | null;
  /** Ids of the live reservations of the connector. */
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
   reported AS (
     SELECT c.connector_id, c.status, EXISTS (SELECT FROM reservations r WHERE r.station_id = $1
         AND r.connector_id IN (0, c.connector_id) AND r.ended_at >= c.status_at AND r.state <> 'refused') AS is_freed
     FROM connectors c WHERE c.station_id = $1)
   SELECT connector_id AS "connectorId", reported.status, coalesce(reported.is_freed, false) AS "isFreed",
     running.transaction_id AS "transactionId", coalesce(live.ids, '{}') AS "reservationIds"
   FROM reported FULL JOIN running USING (connector_id) FULL JOIN live USING (connector_id) ORDER BY connector_id`,
);

/**
 * The known connectors of a station, in order. Locks the station's reservations until the database transaction ends, so that two
 * requests cannot both reserve the last connector.
 */
export async function lockAndList(db: Db, stationId: string, now: Date): Promise<Place[]> {
  await db.query(lockStation([stationId]));
  const { rows } = await db.query<Place>(select([stationId, now]));
  return rows;
}
