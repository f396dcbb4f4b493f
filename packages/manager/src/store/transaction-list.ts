import type { Db } from './db.ts';
import { search, statement } from './db.ts';
import { tagKey } from './tags.ts';

/** A transaction as the API shows it. */
export interface TransactionRow {
  transactionId: number;
  stationId: string;
  connectorId: number;
  idTag: string;
  parentIdTag: string | null;
  idTagStatus: string;
  startedAt: Date;
  meterStartWh: number;
  reservationId: number | null;
  remoteStartCommandId: string | null;
  stoppedAt: Date | null;
  meterStopWh: number | null;
  energyWh: number | null;
  stopReason: string | null;
  stopIdTag: string | null;
  flags: string[];
  startReceivedAt: Date;
  stopReceivedAt: Date | null;
}

const COLUMNS = `transaction_id AS "transactionId", station_id AS "stationId", connector_id AS "connectorId", id_tag AS "idTag",
  parent_id_tag AS "parentIdTag", id_tag_status AS "idTagStatus", started_at AS "startedAt", meter_start_wh AS "meterStartWh",
  reservation_id AS "reservationId", remote_start_command_id AS "remoteStartCommandId", stopped_at AS "stoppedAt", meter_stop_wh AS "meterStopWh", energy_wh AS "energyWh",
  stop_reason AS "stopReason", stop_id_tag AS "stopIdTag", flags, start_received_at AS "startReceivedAt",
  stop_received_at AS "stopReceivedAt"`;

const selectOne = statement(
  'transactions.get',
  `SELECT ${COLUMNS} FROM transactions WHERE transaction_id = $1`,
);

export async function get(db: Db, transactionId: number): Promise<TransactionRow | undefined> {
  const { rows } = await db.query<TransactionRow>(selectOne([transactionId]));
  return rows[0];
}

export interface TransactionFilter {
  before: number | null;
  stationId?: string;
  connectorId?: number;
  idTag?: string;
  open?: boolean;
  flag?: string;
  from: Date | null;
  to: Date | null;
  rows: number;
}

const selectPage = search(
  `SELECT ${COLUMNS} FROM transactions
   WHERE ($1::int IS NULL OR transaction_id < $1) AND ($2::text IS NULL OR station_id = $2)
     AND ($3::int IS NULL OR connector_id = $3) AND ($4::text IS NULL OR id_tag_key = $4)
     AND ($5::bool IS NULL OR (stopped_at IS NULL) = $5) AND ($6::text IS NULL OR flags @> ARRAY[$6])
     AND ($7::timestamptz IS NULL OR started_at >= $7) AND ($8::timestamptz IS NULL OR started_at < $8)
   ORDER BY transaction_id DESC LIMIT $9`,
);

/** Newest first. */
export async function list(db: Db, filter: TransactionFilter): Promise<TransactionRow[]> {
  const { before, stationId, connectorId, idTag, open, flag, from, to } = filter;
  const { rows } = await db.query<TransactionRow>(
    selectPage([
      before,
      stationId ?? null,
      connectorId ?? null,
      idTag === undefined ? null : tagKey(idTag),
      open ?? null,
      flag ?? null,
      from,
      to,
      filter.rows,
    ]),
  );
  return rows;
}
