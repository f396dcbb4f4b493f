import type { ChargingProfile } from '@evander/ocpp';
import { tagKey } from '../authorization/tags.store.ts';
import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { Start } from './transactions.store.ts';

/** A start follows its command within this time: ConnectionTimeOut is a minute or a few. */
const WITHIN = '15 minutes';

export interface RemoteStart {
  commandId: string;
  chargingProfile: ChargingProfile | null;
}

// A station may start before its answer is taken in, and clocks differ; only a refusal rules a command out. Each command starts one transaction.
const selectFor = statement(
  'remoteStarts.findFor',
  `SELECT k.command_id AS "commandId", k.request -> 'chargingProfile' AS "chargingProfile" FROM commands k
   WHERE k.station_id = $1 AND k.action = 'RemoteStartTransaction' AND lower(k.request ->> 'idTag') = $2
     AND coalesce((k.request ->> 'connectorId')::integer, $3) = $3
     AND k.sent_at < $4::timestamptz + interval '1 minute' AND k.sent_at > $4::timestamptz - interval '${WITHIN}'
     AND k.status <> 'failed' AND coalesce(k.response ->> 'status', 'Accepted') = 'Accepted'
     AND NOT EXISTS (SELECT FROM transactions t WHERE t.remote_start_command_id = k.command_id)
   ORDER BY k.sequence DESC LIMIT 1`,
);

/** The remote start that a start answers, by station, tag and connector (RemoteStart.3); undefined for a driver's own. */
export async function findFor(db: Db, start: Start): Promise<RemoteStart | undefined> {
  const { stationId, idTag, connectorId, receivedAt } = start;
  const { rows } = await db.query<RemoteStart>(
    selectFor([stationId, tagKey(idTag), connectorId, receivedAt]),
  );
  return rows[0];
}
