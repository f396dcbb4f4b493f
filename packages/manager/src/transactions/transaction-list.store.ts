import type { Readable } from 'node:stream';
import type pg from 'pg';
import { tagKey } from '../authorization/tags.store.ts';
import { csvColumns, foreignText, plain, time } from '../database/csv-column.ts';
import { search, statement } from '../database/database.ts';
import type { Database, Db } from '../database/database.ts';
import type { EnergySource, TransactionState } from './transaction-state.store.ts';

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
  /** When it ended as far as known: time of its stop, of its closure, or of the next start. */
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

// JSON functions would write times with the session's offset.
const utc = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const ENDED_AT = 'coalesce(stopped_at, close_stopped_at, lost_at)';
const COLUMNS = `transaction_id AS "transactionId", station_id AS "stationId", connector_id AS "connectorId", state, id_tag AS "idTag",
  parent_id_tag AS "parentIdTag", id_tag_status AS "idTagStatus", started_at AS "startedAt", meter_start_wh AS "meterStartWh",
  reservation_id AS "reservationId", remote_start_command_id AS "remoteStartCommandId", stopped_at AS "stoppedAt", meter_stop_wh AS "meterStopWh", energy_wh AS "energyWh",
  energy_source AS "energySource", stop_reason AS "stopReason", stop_id_tag AS "stopIdTag",
  ${ENDED_AT} AS "endedAt", flags || meter_flags AS flags,
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
  before: { at: string | null; id: number } | null;
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
type Choice = Omit<TransactionFilter, 'before' | 'rows'>;

// A range for a single tag makes PostgreSQL use the tag's index: a plan by averages would scan all later transactions for a tag that was
// frequent only long ago.
const WHERE = `($1::text IS NULL OR station_id = $1)
     AND ($2::int IS NULL OR connector_id = $2) AND ($3::text IS NULL OR id_tag_key >= $3 AND id_tag_key <= $3)
     AND ($4::bool IS NULL OR $4 AND state = 'open' OR NOT $4 AND state <> 'open')
     AND ($5::text IS NULL OR flags @> ARRAY[$5] AND flags <> '{}' OR meter_flags @> ARRAY[$5] AND meter_flags <> '{}')
     AND ($6::timestamptz IS NULL OR started_at >= $6) AND ($7::timestamptz IS NULL OR started_at < $7)
     AND ($8::text IS NULL OR state = $8) AND ($9::uuid IS NULL OR remote_start_command_id = $9)`;
const BY_ID = '$10::timestamptz IS NULL AND ($11::int IS NULL OR transaction_id < $11)';
const BY_START = '($10::timestamptz IS NULL OR (started_at, transaction_id) < ($10, $11::int))';
const page = (place: string, order: string): ((values: unknown[]) => pg.QueryConfig) =>
  search(`SELECT ${COLUMNS} FROM transactions WHERE ${WHERE} AND ${place} ORDER BY ${order} LIMIT $12`);
const SELECT = {
  newest: page(BY_ID, 'transaction_id DESC'),
  newestOfTag: page(BY_ID, 'id_tag_key DESC, transaction_id DESC'),
  latest: page(BY_START, 'started_at DESC, transaction_id DESC'),
  latestOfTag: page(BY_START, 'id_tag_key DESC, started_at DESC, transaction_id DESC'),
};

/** A page of transactions, newest first: by id, or by start time if a period is given. */
export async function list(db: Db, filter: TransactionFilter): Promise<TransactionRow[]> {
  const { before, from, to, idTag, rows: limit } = filter;
  const order = from === null && to === null ? 'newest' : 'latest';
  const select = SELECT[idTag === undefined ? order : (`${order}OfTag` as const)];
  const values = [...valuesOf(filter), before?.at ?? null, before?.id ?? null, limit];
  const { rows } = await db.query<TransactionRow>(select(values));
  return rows;
}

const CSV = csvColumns({
  transactionId: [plain, 'transaction_id'],
  stationId: [foreignText, 'station_id'],
  connectorId: [plain, 'connector_id'],
  state: [plain, 'state'],
  idTag: [foreignText, 'id_tag'],
  parentIdTag: [foreignText, 'parent_id_tag'],
  idTagStatus: [plain, 'id_tag_status'],
  startedAt: [time, 'started_at'],
  meterStartWh: [plain, 'meter_start_wh'],
  endedAt: [time, ENDED_AT],
  stoppedAt: [time, 'stopped_at'],
  meterStopWh: [plain, 'meter_stop_wh'],
  energyWh: [plain, 'energy_wh'],
  energySource: [plain, 'energy_source'],
  stopReason: [foreignText, 'stop_reason'],
  stopIdTag: [foreignText, 'stop_id_tag'],
  reservationId: [plain, 'reservation_id'],
  remoteStartCommandId: [plain, 'remote_start_command_id'],
  closedAt: [time, 'closed_at'],
  closedBy: [foreignText, 'closed_by'],
  closeReason: [foreignText, 'close_reason'],
  closeMeterStopWh: [plain, 'close_meter_stop_wh'],
  closeStoppedAt: [time, 'close_stopped_at'],
  flags: [plain, "nullif(array_to_string(flags || meter_flags, ' '), '')"],
});
const selectAll = search(
  `SELECT ${CSV} FROM transactions WHERE ${WHERE} ORDER BY transactions.transaction_id DESC`,
);
const selectAllOfPeriod = search(
  `SELECT ${CSV} FROM transactions WHERE ${WHERE} ORDER BY transactions.started_at DESC, transactions.transaction_id DESC`,
);

/** Streams all matching transactions as CSV, in the order of the list; undefined while too many exports are running. */
export async function exportCsv(database: Database, choice: Choice): Promise<Readable | undefined> {
  const select = choice.from === null && choice.to === null ? selectAll : selectAllOfPeriod;
  return database.exportCsv(select(valuesOf(choice)));
}

function valuesOf(choice: Choice): unknown[] {
  const { stationId, connectorId, idTag, open, flag, from, to, state, remoteStartCommandId } = choice;
  return [
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
