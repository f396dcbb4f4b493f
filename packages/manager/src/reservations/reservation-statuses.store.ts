import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { ConnectorStatus } from '../stations/connectors.store.ts';
import { isAhead } from '../stations/station-clock.ts';
import { LIVE, SKEW } from './reservations.store.ts';

const MATTERS = new Set(['Reserved', 'Available', 'Unavailable', 'Faulted']);

// Times of statuses are the station's. An Available ends only what was Reserved before, so the two are compared by one clock;
// a status from before the reservation was asked for is about something else. What is told of connector 0 holds for them all. Rows in one
// order, or two managers with the same stations would lock each other out.
const completeAll = statement(
  'reservationStatuses.apply',
  `WITH locked AS (SELECT reservation_key FROM reservations WHERE station_id = ANY ($1::text[]) AND ${LIVE}
     ORDER BY reservation_key FOR NO KEY UPDATE)
   UPDATE reservations r SET
     reserved_at = CASE told.status WHEN 'Reserved' THEN coalesce(r.reserved_at, told.status_at) ELSE r.reserved_at END,
     state = CASE WHEN told.status = 'Reserved' THEN r.state
       WHEN r.expiry_date <= greatest(told.status_at, told.received_at) THEN 'expired'
       WHEN told.status = 'Available' THEN 'cancelled' ELSE 'lost' END,
     reason = CASE WHEN told.status IN ('Unavailable', 'Faulted') THEN told.status ELSE r.reason END,
     ended_at = CASE told.status WHEN 'Reserved' THEN NULL ELSE least(r.expiry_date, told.status_at) END
   FROM unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[], $5::timestamptz[])
     AS told (station_id, connector_id, status, status_at, received_at), locked
   WHERE r.reservation_key = locked.reservation_key AND r.station_id = told.station_id AND r.${LIVE} AND told.status_at >= r.requested_at - ${SKEW}
     AND CASE told.status WHEN 'Reserved' THEN told.connector_id = r.connector_id
       WHEN 'Available' THEN told.connector_id = r.connector_id AND told.status_at >= r.reserved_at
       ELSE told.connector_id IN (0, r.connector_id) AND r.state = 'active' END`,
);

/**
 * What statuses tell of reservations (Status.7). Those of one station in the order of its clock, each in a statement of its own, as one
 * statement would see but one of them; together with those of the other stations, so that a batch takes one statement as a rule. None
 * where no status matters.
 */
export async function apply(db: Db, statuses: ConnectorStatus[]): Promise<void> {
  const told = statuses.filter(({ status }) => MATTERS.has(status)).map(notAhead);
  for (const round of roundsOf(told)) await complete(db, round);
}

// Nothing has happened after it was received. Below half an hour the station's own clock tells the order better.
function notAhead(status: ConnectorStatus): ConnectorStatus {
  return isAhead(status.statusAt, status.receivedAt) ? { ...status, statusAt: status.receivedAt } : status;
}

function roundsOf(told: ConnectorStatus[]): ConnectorStatus[][] {
  const rounds: ConnectorStatus[][] = [];
  const counts = new Map<string, number>();
  for (const status of told.toSorted((a, b) => a.statusAt.getTime() - b.statusAt.getTime())) {
    const before = counts.get(status.stationId) ?? 0;
    counts.set(status.stationId, before + 1);
    (rounds[before] ??= []).push(status);
  }
  return rounds;
}

async function complete(db: Db, told: ConnectorStatus[]): Promise<void> {
  await db.query(
    completeAll([
      told.map(({ stationId }) => stationId),
      told.map(({ connectorId }) => connectorId),
      told.map(({ status }) => status),
      told.map(({ statusAt }) => statusAt),
      told.map(({ receivedAt }) => receivedAt),
    ]),
  );
}
