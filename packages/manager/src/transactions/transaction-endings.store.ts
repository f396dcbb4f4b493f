import { statement } from '../database/database.ts';
import type { Database, Db } from '../database/database.ts';
import * as transactionProfilesStore from './transaction-profiles.store.ts';
import type { TransactionState } from './transaction-state.store.ts';
import type { Start } from './transactions.store.ts';

const endOlder = statement(
  'transactionEndings.endSuperseded',
  `UPDATE transactions SET flags = flags || '{supersededByStart}', lost_at = $3
   WHERE station_id = $1 AND connector_id = $2 AND stopped_at IS NULL AND state = 'open' AND started_at < $3
   RETURNING transaction_id AS "transactionId"`,
);

/** Marks earlier open transactions on the connector of a start as lost: their stop is lost or late (rule Start.10). Returns their ids. */
export async function endSuperseded(db: Db, { stationId, connectorId, startedAt }: Start): Promise<number[]> {
  const { rows } = await db.query<{ transactionId: number }>(endOlder([stationId, connectorId, startedAt]));
  return rows.map(({ transactionId }) => transactionId);
}

/** An operator's closure of a transaction that its station did not stop. */
export interface Closure {
  transactionId: number;
  by: string | null;
  reason: string;
  /** Null when the reading is unknown. */
  meterStopWh: number | null;
  stoppedAt: Date;
  at: Date;
}

const lockOne = statement(
  'transactionEndings.lock',
  `SELECT station_id AS "stationId", state, started_at AS "startedAt", meter_start_wh AS "meterStartWh" FROM transactions
   WHERE transaction_id = $1 FOR UPDATE`,
);

export interface Closable {
  stationId: string;
  state: TransactionState;
  startedAt: Date;
  meterStartWh: number;
}

const update = statement(
  'transactionEndings.close',
  `UPDATE transactions SET closed_at = $2, closed_by = $3, close_reason = $4, close_meter_stop_wh = $5, close_stopped_at = $6
   WHERE transaction_id = $1`,
);

/** Closes a transaction and removes its TxProfiles, unless `check` throws; false when there is none. */
export async function close(
  database: Database,
  closure: Closure,
  check: (transaction: Closable) => void,
): Promise<boolean> {
  const { transactionId, at, by, reason, meterStopWh, stoppedAt } = closure;
  return database.transaction(async (db) => {
    const { rows } = await db.query<Closable>(lockOne([transactionId]));
    const [transaction] = rows;
    if (!transaction) return false;
    check(transaction);
    await db.query(update([transactionId, at, by, reason, meterStopWh, stoppedAt]));
    await transactionProfilesStore.removeOfTransaction(db, transaction.stationId, transactionId);
    return true;
  });
}
