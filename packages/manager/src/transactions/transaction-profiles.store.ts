import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

const removeEnded = statement(
  'chargingProfiles.removeOfTransaction',
  `DELETE FROM charging_profiles WHERE station_id = $1 AND transaction_id = $2::bigint AND purpose = 'TxProfile'`,
);

/** Removes the TxProfiles of an ended transaction, whether Evander knows the transaction or not (SetProfile.7). */
export async function removeOfTransaction(db: Db, stationId: string, transactionId: number): Promise<void> {
  await db.query(removeEnded([stationId, transactionId]));
}
