import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

// All of these belong to one extension: a station that supports one of them supports all (SEC §4).
const select = statement(
  'signedUpdates.areKnown',
  `SELECT security_profile >= 2
       OR EXISTS (SELECT FROM security_events e WHERE e.station_id = s.station_id)
       OR EXISTS (SELECT FROM certificate_requests r WHERE r.station_id = s.station_id)
       OR EXISTS (SELECT FROM station_jobs j
         WHERE j.station_id = s.station_id AND kind IN ('log', 'signedFirmware') AND accepted_at IS NOT NULL) AS "areKnown"
   FROM stations s WHERE station_id = $1`,
);

/** Whether a station has shown that it supports the security extension, which includes SignedUpdateFirmware. */
export async function areKnown(db: Db, stationId: string): Promise<boolean> {
  const { rows } = await db.query<{ areKnown: boolean }>(select([stationId]));
  return rows[0]?.areKnown ?? false;
}
