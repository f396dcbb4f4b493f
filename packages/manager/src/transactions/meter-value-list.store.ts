import type { Readable } from 'node:stream';
import { csvColumns, foreignText, plain, time } from '../database/csv-column.ts';
import { search } from '../database/database.ts';
import type { Database, Db } from '../database/database.ts';

/** A sample as the API shows it, with the digest that orders samples of the same time. */
export interface MeterValueRow {
  connectorId: number;
  transactionId: number | null;
  measuredAt: Date;
  context: string;
  measurand: string;
  phase: string | null;
  location: string;
  format: string;
  unit: string | null;
  value: string;
  receivedAt: Date;
  digest: string;
}

export interface Place {
  at: string;
  connectorId: number;
  digest: string;
}

export interface MeterValueFilter {
  stationId: string;
  after: Place | null;
  measurand?: string;
  context?: string;
  rows: number;
}

const COLUMNS = `connector_id AS "connectorId", transaction_id AS "transactionId", measured_at AS "measuredAt", context,
  measurand, phase, location, format, unit, value, received_at AS "receivedAt", digest::text AS digest`;

// The plain comparison of times is redundant, but lets PostgreSQL skip partitions.
const WHERE = `station_id = $1
  AND ($2::timestamptz IS NULL OR measured_at >= $2 AND (measured_at, connector_id, digest) > ($2, $3::int, $4::uuid))
  AND ($5::text IS NULL OR measurand = $5) AND ($6::text IS NULL OR context = $6)`;

const selectOfTransaction = search(
  `SELECT ${COLUMNS} FROM meter_values WHERE ${WHERE} AND transaction_id = $8
   ORDER BY measured_at, connector_id, meter_values.digest LIMIT $7`,
);

/** The samples of a transaction, oldest first. */
export async function listOfTransaction(
  db: Db,
  filter: MeterValueFilter & { transactionId: number },
): Promise<MeterValueRow[]> {
  const { rows } = await db.query<MeterValueRow>(
    selectOfTransaction([...valuesOf(filter), filter.transactionId]),
  );
  return rows;
}

const CSV = csvColumns({
  measuredAt: [time, 'measured_at'],
  connectorId: [plain, 'connector_id'],
  transactionId: [plain, 'transaction_id'],
  context: [foreignText, 'context'],
  measurand: [foreignText, 'measurand'],
  phase: [foreignText, 'phase'],
  location: [foreignText, 'location'],
  format: [foreignText, 'format'],
  unit: [foreignText, 'unit'],
  value: [foreignText, 'value'],
  receivedAt: [time, 'received_at'],
});

const selectAllOfTransaction = search(
  `SELECT ${CSV} FROM meter_values
   WHERE station_id = $1 AND transaction_id = $2 AND ($3::text IS NULL OR measurand = $3) AND ($4::text IS NULL OR context = $4)
   ORDER BY measured_at, connector_id, meter_values.digest`,
);

/** Streams all samples of a transaction as CSV, oldest first; undefined while too many exports are running. */
export async function exportCsvOfTransaction(
  database: Database,
  filter: { stationId: string; transactionId: number; measurand?: string; context?: string },
): Promise<Readable | undefined> {
  const { stationId, transactionId, measurand = null, context = null } = filter;
  return database.exportCsv(selectAllOfTransaction([stationId, transactionId, measurand, context]));
}

// The key of the table orders by time only within a connector. So the query finds the connectors one by one (a loose index scan) and reads
// at most one page from each, instead of sorting all samples of the station.
const selectOfStation = search(
  `WITH RECURSIVE connector AS (
     SELECT coalesce($8::int, (SELECT min(connector_id) FROM meter_values WHERE station_id = $1)) AS id
     UNION ALL
     SELECT (SELECT min(m.connector_id) FROM meter_values m WHERE m.station_id = $1 AND m.connector_id > connector.id)
     FROM connector WHERE $8::int IS NULL AND connector.id IS NOT NULL)
   SELECT page.* FROM connector CROSS JOIN LATERAL (
     SELECT ${COLUMNS} FROM meter_values WHERE ${WHERE} AND connector_id = connector.id
       AND ($9::timestamptz IS NULL OR measured_at >= $9) AND ($10::timestamptz IS NULL OR measured_at < $10)
     ORDER BY measured_at, meter_values.digest LIMIT $7) page
   ORDER BY page."measuredAt", page."connectorId", page.digest::uuid LIMIT $7`,
);

/** The samples of a station, in transactions and outside of them, oldest first. */
export async function listOfStation(
  db: Db,
  filter: MeterValueFilter & { connectorId?: number; from: Date | null; to: Date | null },
): Promise<MeterValueRow[]> {
  const { connectorId = null, from, to } = filter;
  const { rows } = await db.query<MeterValueRow>(
    selectOfStation([...valuesOf(filter), connectorId, from, to]),
  );
  return rows;
}

function valuesOf({ stationId, after, measurand, context, rows }: MeterValueFilter): unknown[] {
  return [
    stationId,
    after?.at ?? null,
    after?.connectorId ?? null,
    after?.digest ?? null,
    measurand ?? null,
    context ?? null,
    rows,
  ];
}
