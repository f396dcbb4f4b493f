import type { StopTransactionRequest } from '@evander/ocpp';
import type { IdTagInfo } from '../authorization/authorize.ts';
import { tagKey } from '../authorization/tags.store.ts';
import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import { STOP_FLAGS } from './transaction-state.store.ts';
import type { TransactionFlag } from './transaction-state.store.ts';

export interface Start {
  stationId: string;
  connectorId: number;
  idTag: string;
  meterStartWh: number;
  startedAt: Date;
  /** The time as sent, if it is unreadable; `startedAt` is then the time of receipt. Otherwise null. */
  unreadableStart: string | null;
  flags: TransactionFlag[];
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

// A resend has another time of receipt. After the stop, the same request is a new start, because stations send messages in order.
const selectUnreadableStart = statement(
  'transactions.findUnreadableStart',
  `SELECT transaction_id AS "transactionId", start_id_tag_info AS "idTagInfo" FROM transactions
   WHERE station_id = $1 AND connector_id = $2 AND id_tag_key = $3 AND meter_start_wh = $5 AND unreadable_start = $6
     AND (started_at = $4 OR stopped_at IS NULL)
   ORDER BY started_at = $4 DESC LIMIT 1`,
);

/** The answer to an earlier delivery of a start; undefined when it is new. */
export async function findStart(db: Db, start: Start): Promise<StartAnswer | undefined> {
  const { stationId, connectorId, idTag, startedAt, meterStartWh, unreadableStart } = start;
  const key = [stationId, connectorId, tagKey(idTag), startedAt, meterStartWh];
  const { rows } = await db.query<StartAnswer>(
    unreadableStart === null ? selectStart(key) : selectUnreadableStart([...key, unreadableStart]),
  );
  return rows[0];
}

const insertStart = statement(
  'transactions.addStart',
  `INSERT INTO transactions (station_id, connector_id, id_tag, id_tag_key, parent_id_tag, id_tag_status, meter_start_wh, started_at,
     reservation_id, start_message_id, start_received_at, start_id_tag_info, unreadable_start, flags, remote_start_command_id)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
   ON CONFLICT DO NOTHING RETURNING transaction_id AS "transactionId"`,
);

/** Adds a transaction and returns its id; undefined when the same start was added in the meantime. */
export async function addStart(
  db: Db,
  start: Start,
  { idTagInfo, remoteStartCommandId }: { idTagInfo: IdTagInfo; remoteStartCommandId: string | null },
): Promise<number | undefined> {
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
      start.unreadableStart,
      start.flags,
      remoteStartCommandId,
    ]),
  );
  return rows[0]?.transactionId;
}

// Transactions on the same connector are not counted: they must have ended, or this one could not have started.
const countRunning = statement(
  'transactions.countRunning',
  `SELECT count(*)::int AS running FROM transactions
   WHERE id_tag_key = ANY($1) AND started_at <= $2 AND coalesce(stopped_at, close_stopped_at, 'infinity') > $2
     AND NOT flags @> '{supersededByStart}' AND (station_id, connector_id) <> ($3, $4)
     AND id_tag_status = 'Accepted'`,
);

/** The number of other transactions of a tag that are running at the time of a start; `idTags` are all ids of the tag. */
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
  /** Ended by a stop without its id, inferred or assigned by an operator: a stop with its id replaces that one. */
  isProvisional: boolean;
}

/** SQL: the columns of a StoppableTransaction, from `transactions t`. */
export const STOPPABLE = `t.transaction_id AS "transactionId", t.connector_id AS "connectorId", t.id_tag AS "idTag",
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
  /** Null if it was not stored. */
  messageId: string | null;
  receivedAt: Date;
}

const selectStopTime = statement(
  'transactions.findStopTime',
  `SELECT stopped_at AS "stoppedAt" FROM unmatched_stops
   WHERE station_id = $1 AND transaction_id = $2::bigint AND request::jsonb = $3::jsonb
   UNION ALL SELECT stopped_at FROM transactions
   WHERE station_id = $1 AND (stop_request::jsonb = $3::jsonb OR transaction_id = $2::bigint
     AND meter_stop_wh = ($3::jsonb ->> 'meterStop')::bigint AND stopped_at = stop_received_at)
   LIMIT 1`,
);

/**
 * When a stop with an unreadable time was first received; undefined when it is new. This time replaces the stop's own, so that a resend gets
 * the same one.
 */
export async function findStopTime(
  db: Db,
  stationId: string,
  request: StopTransactionRequest,
): Promise<Date | undefined> {
  const { rows } = await db.query<{ stoppedAt: Date }>(
    selectStopTime([stationId, request.transactionId, JSON.stringify(request)]),
  );
  return rows[0]?.stoppedAt;
}

const updateStop = statement(
  'transactions.end',
  `UPDATE transactions SET meter_stop_wh = $2, stopped_at = $3, stop_reason = $4, stop_id_tag = $5, stop_message_id = $6,
     stop_received_at = $7, stop_id_tag_info = $8, stop_request = $11,
     flags = ARRAY(SELECT flag FROM unnest(flags) WITH ORDINALITY AS old (flag, place) WHERE flag <> ALL ($10) ORDER BY place)
       || ARRAY(SELECT flag FROM unnest($9::text[]) AS flag WHERE flag <> ALL (flags) OR flag = ANY ($10))
   WHERE transaction_id = $1`,
);

export interface Ending {
  transactionId: number;
  stop: Stop;
  idTagInfo: IdTagInfo | undefined;
  flags: TransactionFlag[];
  /** The stop as sent, if its transaction was inferred; otherwise null. */
  inferredFrom: StopTransactionRequest | null;
}

/** Ends a transaction, replacing a provisional end. The database derives its energy from its meter readings. */
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

/** The newest open transaction on a connector. */
export async function findOpen(
  db: Db,
  { stationId, connectorId }: { stationId: string; connectorId: number },
): Promise<{ transactionId: number; startedAt: Date } | undefined> {
  const { rows } = await db.query<{ transactionId: number; startedAt: Date }>(
    selectOpen([stationId, connectorId]),
  );
  return rows[0];
}
