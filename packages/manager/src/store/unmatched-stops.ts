import type { StopTransactionRequest } from '@evander/ocpp';
import type { Db } from './db.ts';
import { statement } from './db.ts';
import type { Stop } from './transactions.ts';

/** Why a stop ended no transaction. */
export type Mismatch = 'unknownTransaction' | 'alreadyStopped';

const insert = statement(
  'unmatchedStops.record',
  `INSERT INTO unmatched_stops (station_id, transaction_id, id_tag, meter_stop_wh, stopped_at, stop_reason, why, request,
     received_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
);

/** Keeps a stop that ended no transaction, for an operator to reconcile. */
export async function record(
  db: Db,
  { stop, request, why }: { stop: Stop; request: StopTransactionRequest; why: Mismatch },
): Promise<void> {
  await db.query(
    insert([
      stop.stationId,
      request.transactionId,
      stop.idTag,
      stop.meterStopWh,
      stop.stoppedAt,
      stop.reason,
      why,
      JSON.stringify(request),
      stop.receivedAt,
    ]),
  );
}
