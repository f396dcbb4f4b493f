import type { Readable } from 'node:stream';
import type { Database, Db } from './db.ts';
import { search, statement } from './db.ts';
import { tagKey } from './tags.ts';
import type { EnergySource, TransactionState } from './transaction-state.ts';

/** A transaction as the API shows it. */
export interface TransactionRow {
  transactionId: number;
  stationId: string;
  connectorId: number;
  state: TransactionState;
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
  energySource: EnergySource | null;
  stopReason: string | null;
  stopIdTag: string | null;
  /** When it ended as far as we know: by its stop, its closure, or the start that came after it. */
  endedAt: Date | null;
  closure: {
    closedAt: string;
    closedBy: string | null;
    reason: string;
    meterStopWh: number | null;
    stoppedAt: string;
  } | null;
  flags: string[];
  startReceivedAt: Date;
  stopReceivedAt: Date | null;
}

// json writes times with the offset of the session.
const utc = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const COLUMNS = `transaction_id AS "transactionId", station_id AS "stationId", connector_id AS "connectorId", state, id_tag AS "idTag",
  parent_id_tag AS "parentIdTag", id_tag_status AS "idTagStatus", started_at AS "startedAt", meter_start_wh AS "meterStartWh",
  reservation_id AS "reservationId", remote_start_command_id AS "remoteStartCommandId", stopped_at AS "stoppedAt", meter_stop_wh AS "meterStopWh", energy_wh AS "energyWh",
  energy_source AS "energySource", stop_reason AS "stopReason", stop_id_tag AS "stopIdTag",
  coalesce(stopped_at, close_stopped_at, lost_at) AS "endedAt", flags || meter_flags AS flags,
  CASE WHEN closed_at IS NOT NULL THEN json_build_object('closedAt', ${utc('closed_at')}, 'closedBy', closed_by, 'reason', close_reason,
    'meterStopWh', close_meter_stop_wh, 'stoppedAt', ${utc('close_stopped_at')}) END AS closure,
  start_received_at AS "startReceivedAt",
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
  state?: TransactionState;
  flag?: string;
  remoteStartCommandId?: string;
  from: Date | null;
  to: Date | null;
  rows: number;
}

const WHERE = `($1::int IS NULL OR transaction_id < $1) AND ($2::text IS NULL OR station_id = $2)
     AND ($3::int IS NULL OR connector_id = $3) AND ($4::text IS NULL OR id_tag_key = $4)
     AND ($5::bool IS NULL OR $5 AND state = 'open' OR NOT $5 AND state <> 'open')
     AND ($6::text IS NULL OR flags @> ARRAY[$6] AND flags <> '{}' OR meter_flags @> ARRAY[$6] AND meter_flags <> '{}')
     AND ($7::timestamptz IS NULL OR started_at >= $7) AND ($8::timestamptz IS NULL OR started_at < $8)
     AND ($9::text IS NULL OR state = $9) AND ($10::uuid IS NULL OR remote_start_command_id = $10)`;
const selectPage = search(
  `SELECT ${COLUMNS} FROM transactions WHERE ${WHERE} ORDER BY transaction_id DESC LIMIT $11`,
);

/** Newest first. */
export async function list(db: Db, filter: TransactionFilter): Promise<TransactionRow[]> {
  const { rows } = await db.query<TransactionRow>(selectPage([...valuesOf(filter), filter.rows]));
  return rows;
}

const selectAll = search(`SELECT ${COLUMNS} FROM transactions WHERE ${WHERE} ORDER BY transaction_id DESC`);

/** All that fit, newest first, as they are read; undefined while too many are reading. */
export async function stream(
  database: Database,
  filter: Omit<TransactionFilter, 'before' | 'rows'>,
): Promise<Readable | undefined> {
  return database.stream(selectAll(valuesOf({ ...filter, before: null })));
}

function valuesOf(filter: Omit<TransactionFilter, 'rows'>): unknown[] {
  const { before, stationId, connectorId, idTag, open, flag, from, to, state, remoteStartCommandId } = filter;
  return [
    before,
    stationId ?? null,
    connectorId ?? null,
    idTag === undefined ? null : tagKey(idTag),
    open ?? null,
    flag ?? null,
    from,
    to,
    state ?? null,
    remoteStartCommandId ?? null,
  ];
}
