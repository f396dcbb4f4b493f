import type { StopTransactionRequest } from '@evander/ocpp';
import type { IdTagInfo } from '../authorize.ts';
import type { Db } from './db.ts';
import { statement } from './db.ts';
import { tagKey } from './tags.ts';
import { STOP_FLAGS } from './transaction-state.ts';
import type { StopFlag } from './transaction-state.ts';

export interface Start {
  stationId: string;
  connectorId: number;
  idTag: string;
  meterStartWh: number;
  startedAt: Date;
  reservationId: number | null;
  messageId: string;
  receivedAt: Date;
}

export interface StartAnswer {
  transactionId: number;
  idTagInfo: IdTagInfo;
}

const selectStart = statement(
  'transactions.findStart',
  `SELECT transaction_id AS "transactionId", start_id_tag_info AS "idTagInfo" FROM transactions
   WHERE station_id = $1 AND connector_id = $2 AND id_tag_key = $3 AND started_at = $4 AND meter_start_wh = $5`,
);

/** What a start was answered before; undefined when it is new. */
export async function findStart(db: Db, start: Start): Promise<StartAnswer | undefined> {
  const { stationId, connectorId, idTag, startedAt, meterStartWh } = start;
  const { rows } = await db.query<StartAnswer>(
    selectStart([stationId, connectorId, tagKey(idTag), startedAt, meterStartWh]),
  );
  return rows[0];
}

const insertStart = statement(
  'transactions.addStart',
  `INSERT INTO transactions (station_id, connector_id, id_tag, id_tag_key, parent_id_tag, id_tag_status, meter_start_wh, started_at,
     reservation_id, start_message_id, start_received_at, start_id_tag_info)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
   ON CONFLICT ON CONSTRAINT one_start DO NOTHING RETURNING transaction_id AS "transactionId"`,
);

/** Begins a transaction and gives its id; undefined when the same start has been added meanwhile. */
export async function addStart(db: Db, start: Start, idTagInfo: IdTagInfo): Promise<number | undefined> {
  const { rows } = await db.query<{ transactionId: number }>(
    insertStart([
      start.stationId,
      start.connectorId,
      start.idTag,
      tagKey(start.idTag),
      idTagInfo.parentIdTag ?? null,
      idTagInfo.status,
      start.meterStartWh,
      start.startedAt,
      start.reservationId,
      start.messageId,
      start.receivedAt,
      JSON.stringify(idTagInfo),
    ]),
  );
  return rows[0]?.transactionId;
}

// Another start on the same connector is not counted: it has ended, or this one would not have begun.
const countRunning = statement(
  'transactions.countRunning',
  `SELECT count(*)::int AS running FROM transactions
   WHERE id_tag_key = ANY($1) AND started_at <= $2 AND coalesce(stopped_at, close_stopped_at, 'infinity') > $2
     AND NOT flags @> '{supersededByStart}' AND (station_id, connector_id) <> ($3, $4)
     AND id_tag_status = 'Accepted'`,
);

/** In how many other transactions a tag is at the moment of a start, by the idTags that are the same tag. */
export async function countOthers(
  db: Db,
  { startedAt, stationId, connectorId }: Start,
  idTags: string[],
): Promise<number> {
  const keys = [...new Set(idTags.map(tagKey))];
  const { rows } = await db.query<{ running: number }>(
    countRunning([keys, startedAt, stationId, connectorId]),
  );
  return rows[0]?.running ?? 0;
}

/** A transaction that a stop may end. */
export interface StoppableTransaction {
  transactionId: number;
  connectorId: number;
  idTag: string;
  parentIdTag: string | null;
  meterStartWh: number;
  startedAt: Date;
  stoppedAt: Date | null;
  meterStopWh: number | null;
  stopIdTagInfo: IdTagInfo | null;
  /** It was ended by a stop without its id, inferred or assigned by an operator: its own stop, should it come, replaces that. */
  isProvisional: boolean;
}

const STOPPABLE = `t.transaction_id AS "transactionId", t.connector_id AS "connectorId", t.id_tag AS "idTag",
  t.parent_id_tag AS "parentIdTag", t.meter_start_wh AS "meterStartWh", t.started_at AS "startedAt", t.stopped_at AS "stoppedAt",
  t.meter_stop_wh AS "meterStopWh", t.stop_id_tag_info AS "stopIdTagInfo",
  t.flags && '{stopInferred,stopAssigned}' AS "isProvisional"`;

const selectForStop = statement(
  'transactions.findForStop',
  `SELECT ${STOPPABLE} FROM transactions t WHERE station_id = $1 AND transaction_id = $2 FOR UPDATE`,
);

/** A station's transaction, locked until the database transaction ends. */
export async function findForStop(
  db: Db,
  { stationId, transactionId }: { stationId: string; transactionId: number },
): Promise<StoppableTransaction | undefined> {
  const { rows } = await db.query<StoppableTransaction>(selectForStop([stationId, transactionId]));
  return rows[0];
}

export interface Stop {
  stationId: string;
  idTag: string | null;
  meterStopWh: number;
  stoppedAt: Date;
  reason: string;
  /** Null where it was not kept. */
  messageId: string | null;
  receivedAt: Date;
}

/** An open transaction, with what tells whether a stop without an id means it. */
export interface OpenTransaction extends StoppableTransaction {
  idTagStatus: string;
  /** The station has named it by its id. */
  idUsed: boolean;
  hasLaterStart: boolean;
  /** The newest reading of its register; null without any. */
  lastWh: number | null;
  /** When its connector said Finishing, if that is its present status. */
  finishingAt: Date | null;
}

// Of two starts in the same second the one that came later is later.
const HAS_LATER_START = `EXISTS (SELECT FROM transactions l WHERE l.station_id = t.station_id AND l.connector_id = t.connector_id
  AND (l.started_at, l.transaction_id) > (t.started_at, t.transaction_id))`;

// Locked in the order in which samples lock them.
const selectOpenForStop = statement(
  'transactions.findOpenForStop',
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
  'transactions.findSameStop',
  `SELECT stop_id_tag_info AS "idTagInfo", stop_request IS NOT NULL AS "isInferred" FROM transactions
   WHERE station_id = $1 AND stopped_at = $2 AND meter_stop_wh = $3 AND lower(stop_id_tag) IS NOT DISTINCT FROM $4
   ORDER BY 2 DESC LIMIT 1`,
);

/** Whether a stop of the same time, reading and tag has ended a transaction: what it was answered, and whether it had no id either. */
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
  'transactions.findInferredStop',
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

/** The stop without an id that ended a transaction, and what it was answered; undefined when another one did. */
export async function findInferredStop(db: Db, transactionId: number): Promise<InferredStop | undefined> {
  const { rows } = await db.query<Stop & Omit<InferredStop, 'stop'>>(selectInferredStop([transactionId]));
  return rows.map(({ request, idTagInfo, ...stop }) => ({ request, idTagInfo, stop }))[0];
}

const updateStop = statement(
  'transactions.end',
  `UPDATE transactions SET meter_stop_wh = $2, stopped_at = $3, stop_reason = $4, stop_id_tag = $5, stop_message_id = $6,
     stop_received_at = $7, stop_id_tag_info = $8, stop_request = $11,
     flags = ARRAY(SELECT flag FROM unnest(flags) WITH ORDINALITY AS old (flag, place) WHERE flag <> ALL ($10) ORDER BY place) || $9::text[]
   WHERE transaction_id = $1`,
);

export interface Ending {
  transactionId: number;
  stop: Stop;
  idTagInfo: IdTagInfo | undefined;
  flags: StopFlag[];
  /** The stop as it was sent, where it was inferred which transaction it means; otherwise null. */
  inferredFrom: StopTransactionRequest | null;
}

/** Ends a transaction, in place of a provisional end if there is one; its energy follows from its meter readings. */
export async function end(
  db: Db,
  { transactionId, stop, idTagInfo, flags, inferredFrom }: Ending,
): Promise<void> {
  await db.query(
    updateStop([
      transactionId,
      stop.meterStopWh,
      stop.stoppedAt,
      stop.reason,
      stop.idTag,
      stop.messageId,
      stop.receivedAt,
      idTagInfo === undefined ? null : JSON.stringify(idTagInfo),
      flags,
      STOP_FLAGS,
      inferredFrom && JSON.stringify(inferredFrom),
    ]),
  );
}

const selectOpen = statement(
  'transactions.findOpen',
  `SELECT transaction_id AS "transactionId", started_at AS "startedAt" FROM transactions
   WHERE station_id = $1 AND connector_id = $2 AND stopped_at IS NULL AND state = 'open' ORDER BY started_at DESC LIMIT 1`,
);

/** The youngest open transaction on a connector. */
export async function findOpen(
  db: Db,
  { stationId, connectorId }: { stationId: string; connectorId: number },
): Promise<{ transactionId: number; startedAt: Date } | undefined> {
  const { rows } = await db.query<{ transactionId: number; startedAt: Date }>(
    selectOpen([stationId, connectorId]),
  );
  return rows[0];
}

const selectUnlearnt = statement(
  'transactions.findUnlearnt',
  `SELECT t.transaction_id AS "transactionId" FROM transactions t
   WHERE t.station_id = $1 AND t.connector_id = $2 AND t.stopped_at IS NULL AND t.state = 'open' AND NOT t.id_used
     AND NOT ${HAS_LATER_START}`,
);

/** The transaction that charges on a connector, if its station has never used its id; null otherwise. */
export async function findUnlearnt(
  db: Db,
  { stationId, connectorId }: { stationId: string; connectorId: number },
): Promise<number | null> {
  const { rows } = await db.query<{ transactionId: number }>(selectUnlearnt([stationId, connectorId]));
  return rows[0]?.transactionId ?? null;
}
