import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** The availability requested for a connector (0: the station and all connectors), and the station's answer. */
export interface Availability {
  stationId: string;
  connectorId: number;
  requested: 'Operative' | 'Inoperative';
  answer: string;
  requestedAt: Date;
}

// A request for connector 0 applies to all connectors (ChangeAvailability.1).
const upsert = statement(
  'availabilities.record',
  `INSERT INTO availabilities AS known (station_id, connector_id, requested, answer, requested_at)
   SELECT $1, connector_id, $3, $4, $5
   FROM (SELECT $2::integer UNION SELECT connector_id FROM connectors WHERE station_id = $1 AND $2 = 0) AS affected (connector_id)
   ON CONFLICT (station_id, connector_id) DO UPDATE SET requested = excluded.requested, answer = excluded.answer,
     requested_at = excluded.requested_at
   WHERE known.requested_at <= excluded.requested_at`,
);

/** Stores a request for availability, unless a newer one is known. */
export async function record(db: Db, availability: Availability): Promise<void> {
  const { stationId, connectorId, requested, answer, requestedAt } = availability;
  await db.query(upsert([stationId, connectorId, requested, answer, requestedAt]));
}
