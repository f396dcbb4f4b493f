import type { StopTransactionRequest } from '@evander/ocpp';
import type { IdTagInfo } from '../authorization/authorize.ts';
import { tagKey } from '../authorization/tags.store.ts';
import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import { STOPPABLE } from './transactions.store.ts';
import type { Stop, StoppableTransaction } from './transactions.store.ts';

/** An open transaction, with the data to decide whether a stop without an id refers to it. */
export interface OpenTransaction extends StoppableTransaction {
  idTagStatus: string;
  /** The station has used its id. */
  idUsed: boolean;
  hasLaterStart: boolean;
  /** The newest reading of the energy register; null without any. */
  lastWh: number | null;
  /** When its connector reported Finishing, if that is its current status. */
  finishingAt: Date | null;
}

// Of two starts with the same time, the one received later counts as later.
const HAS_LATER_START = `EXISTS (SELECT FROM transactions l WHERE l.station_id = t.station_id AND l.connector_id = t.connector_id
  AND (l.started_at, l.transaction_id) > (t.started_at, t.transaction_id))`;

// Locked in the same order as by samples.
const selectOpenForStop = statement(
  'messagesWithoutId.findOpenForStop',
  `SELECT ${STOPPABLE}, t.id_tag_status AS "idTagStatus", t.id_used AS "idUsed", ${HAS_LATER_START} AS "hasLaterStart",
     t.last_wh AS "lastWh", c.status_at AS "finishingAt"
   FROM transactions t LEFT JOIN connectors c ON c.station_id = t.station_id AND c.connector_id = t.connector_id
     AND c.status = 'Finishing'
   WHERE t.station_id = $1 AND t.stopped_at IS NULL AND t.state = 'open' ORDER BY t.transaction_id FOR UPDATE OF t`,
);

/** A station's open transactions, locked until the database transaction ends. */
export async function findOpenForStop(db: Db, stationId: string): Promise<OpenTransaction[]> {
  const { rows } = await db.query<OpenTransaction>(selectOpenForStop([stationId]));
  return rows;
}

const selectSameStop = statement(
  'messagesWithoutId.findSameStop',
  `SELECT stop_id_tag_info AS "idTagInfo", stop_request IS NOT NULL AS "isInferred" FROM transactions
   WHERE station_id = $1 AND stopped_at = $2 AND meter_stop_wh = $3 AND lower(stop_id_tag) IS NOT DISTINCT FROM $4
   ORDER BY 2 DESC LIMIT 1`,
);

/** The answer to a stop with the same time, reading and tag that ended a transaction, and whether that stop had no id either. */
export async function findSameStop(
  db: Db,
  { stationId, stoppedAt, meterStopWh, idTag }: Stop,
): Promise<{ idTagInfo: IdTagInfo | null; isInferred: boolean } | undefined> {
  const key = idTag === null ? null : tagKey(idTag);
  const { rows } = await db.query<{ idTagInfo: IdTagInfo | null; isInferred: boolean }>(
    selectSameStop([stationId, stoppedAt, meterStopWh, key]),
  );
  return rows[0];
}

const selectInferredStop = statement(
  'messagesWithoutId.findInferredStop',
  `SELECT stop_id_tag_info AS "idTagInfo", stop_request AS request, station_id AS "stationId", stop_id_tag AS "idTag",
     meter_stop_wh AS "meterStopWh", stopped_at AS "stoppedAt", stop_reason AS reason, stop_message_id AS "messageId",
     stop_received_at AS "receivedAt"
   FROM transactions WHERE transaction_id = $1 AND stop_request IS NOT NULL`,
);

interface InferredStop {
  stop: Stop;
  request: StopTransactionRequest;
  idTagInfo: IdTagInfo | null;
}

/** The stop without an id that ended a transaction, and the answer to it; undefined when another stop did. */
export async function findInferredStop(db: Db, transactionId: number): Promise<InferredStop | undefined> {
  const { rows } = await db.query<Stop & Omit<InferredStop, 'stop'>>(selectInferredStop([transactionId]));
  return rows.map(({ request, idTagInfo, ...stop }) => ({ request, idTagInfo, stop }))[0];
}

const selectWithUnusedId = statement(
  'messagesWithoutId.findUnlearnt',
  `SELECT t.transaction_id AS "transactionId" FROM transactions t
   WHERE t.station_id = $1 AND t.connector_id = $2 AND t.stopped_at IS NULL AND t.state = 'open' AND NOT t.id_used
     AND NOT ${HAS_LATER_START}`,
);

/** The running transaction on a connector, if its station has never used its id; null otherwise. */
export async function findUnlearnt(
  db: Db,
  { stationId, connectorId }: { stationId: string; connectorId: number },
): Promise<number | null> {
  const { rows } = await db.query<{ transactionId: number }>(selectWithUnusedId([stationId, connectorId]));
  return rows[0]?.transactionId ?? null;
}
