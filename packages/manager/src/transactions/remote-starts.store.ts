import type { ChargingProfile } from '@evander/ocpp';
import { tagKey } from '../authorization/tags.store.ts';
import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { Start } from './transactions.store.ts';

/** Maximum time between a command and its start; ConnectionTimeOut is usually one or a few minutes. */
const MAX_DELAY = '15 minutes';

export interface RemoteStart {
  commandId: string;
  chargingProfile: ChargingProfile | null;
}

// A station may start before its response is processed, and clocks differ, so only a refusal excludes a command. Each command starts one
// transaction.
const selectFor = statement(
  'remoteStarts.findFor',
  `SELECT k.command_id AS "commandId", k.request -> 'chargingProfile' AS "chargingProfile" FROM commands k
   WHERE k.station_id = $1 AND k.action = 'RemoteStartTransaction' AND lower(k.request ->> 'idTag') = $2
     AND coalesce((k.request ->> 'connectorId')::integer, $3) = $3
     AND k.sent_at < $4::timestamptz + interval '1 minute' AND k.sent_at > $4::timestamptz - interval '${MAX_DELAY}'
     AND k.status <> 'failed' AND coalesce(k.response ->> 'status', 'Accepted') = 'Accepted'
     AND NOT EXISTS (SELECT FROM transactions t WHERE t.remote_start_command_id = k.command_id)
   ORDER BY k.sequence DESC LIMIT 1`,
);

/** The remote start that caused a start, by station, tag and connector (RemoteStart.3); undefined if the driver started it locally. */
export async function findFor(db: Db, start: Start): Promise<RemoteStart | undefined> {
  const { stationId, idTag, connectorId, receivedAt } = start;
  const { rows } = await db.query<RemoteStart>(
    selectFor([stationId, tagKey(idTag), connectorId, receivedAt]),
  );
  return rows[0];
}
