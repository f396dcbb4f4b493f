import type { StationAction } from '@evander/ocpp';
import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** Names in TriggerMessage and ExtendedTriggerMessage that differ from the names of the messages that they trigger. */
const TRIGGERED_AS: Partial<Record<StationAction, string>> = {
  SignCertificate: 'SignChargePointCertificate',
  SignedFirmwareStatusNotification: 'FirmwareStatusNotification',
};

// A station may send the message before its answer to the trigger is stored; only a refusal rules it out.
const selectTrigger = statement(
  'triggers.hasAsked',
  `SELECT FROM commands
   WHERE station_id = $1 AND action IN ('TriggerMessage', 'ExtendedTriggerMessage') AND request ->> 'requestedMessage' = $2
     AND sent_at >= $3 AND status <> 'failed' AND coalesce(response ->> 'status', 'Accepted') = 'Accepted'
   LIMIT 1`,
);

/** Whether a station was triggered to send such a message since a time. */
export async function hasAsked(
  db: Db,
  { stationId, action, since }: { stationId: string; action: StationAction; since: Date },
): Promise<boolean> {
  const { rowCount } = await db.query(selectTrigger([stationId, TRIGGERED_AS[action] ?? action, since]));
  return rowCount === 1;
}
