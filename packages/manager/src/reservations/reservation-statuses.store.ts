import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { ConnectorStatus } from '../stations/connectors.store.ts';
import { isAhead } from '../stations/station-clock.ts';
import { LIVE, SKEW } from './reservations.store.ts';

const RELEVANT_STATUSES = new Set(['Reserved', 'Available', 'Unavailable', 'Faulted']);

// Status times come from the station's clock. An Available ends a reservation only if the connector was Reserved before, so that two times
// of the same clock are compared; a status from before the reservation request is unrelated. A status of connector 0 applies to all
// connectors. Rows are locked in a fixed order, or two managers with the same stations could deadlock.
const completeAll = statement(
  'reservationStatuses.apply',
  `WITH locked AS (SELECT reservation_key FROM reservations WHERE station_id = ANY ($1::text[]) AND ${LIVE}
     ORDER BY reservation_key FOR NO KEY UPDATE)
   UPDATE reservations r SET
     reserved_at = CASE reported.status WHEN 'Reserved' THEN coalesce(r.reserved_at, reported.status_at) ELSE r.reserved_at END,
     state = CASE WHEN reported.status = 'Reserved' THEN r.state
       WHEN r.expiry_date <= greatest(reported.status_at, reported.received_at) THEN 'expired'
       WHEN reported.status = 'Available' THEN 'cancelled' ELSE 'lost' END,
     reason = CASE WHEN reported.status IN ('Unavailable', 'Faulted') THEN reported.status ELSE r.reason END,
     ended_at = CASE reported.status WHEN 'Reserved' THEN NULL ELSE least(r.expiry_date, reported.status_at) END
   FROM unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[], $5::timestamptz[])
     AS reported (station_id, connector_id, status, status_at, received_at), locked
   WHERE r.reservation_key = locked.reservation_key AND r.station_id = reported.station_id AND r.${LIVE} AND reported.status_at >= r.requested_at - ${SKEW}
     AND CASE reported.status WHEN 'Reserved' THEN reported.connector_id = r.connector_id
       WHEN 'Available' THEN reported.connector_id = r.connector_id AND reported.status_at >= r.reserved_at
       ELSE reported.connector_id IN (0, r.connector_id) AND r.state = 'active' END`,
);

/**
 * Applies reported statuses to reservations (Status.7). Statuses of one station are applied in the order of its clock, each in a separate
 * statement, because a statement applies only one status per reservation. Each statement covers many stations, so a batch usually takes one
 * statement, and none if no status is relevant.
 */
export async function apply(db: Db, statuses: ConnectorStatus[]): Promise<void> {
  const relevant = statuses.filter(({ status }) => RELEVANT_STATUSES.has(status)).map(notAhead);
  for (const round of roundsOf(relevant)) await complete(db, round);
}

// A status cannot be later than its receipt. Below half an hour of deviation, the station's own clock gives the better order.
function notAhead(status: ConnectorStatus): ConnectorStatus {
  return isAhead(status.statusAt, status.receivedAt) ? { ...status, statusAt: status.receivedAt } : status;
}

function roundsOf(statuses: ConnectorStatus[]): ConnectorStatus[][] {
  const rounds: ConnectorStatus[][] = [];
  const counts = new Map<string, number>();
  for (const status of statuses.toSorted((a, b) => a.statusAt.getTime() - b.statusAt.getTime())) {
    const before = counts.get(status.stationId) ?? 0;
    counts.set(status.stationId, before + 1);
    (rounds[before] ??= []).push(status);
  }
  return rounds;
}

async function complete(db: Db, statuses: ConnectorStatus[]): Promise<void> {
  await db.query(
    completeAll([
      statuses.map(({ stationId }) => stationId),
      statuses.map(({ connectorId }) => connectorId),
      statuses.map(({ status }) => status),
      statuses.map(({ statusAt }) => statusAt),
      statuses.map(({ receivedAt }) => receivedAt),
    ]),
  );
}
