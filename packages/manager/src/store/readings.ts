import type { Db } from './db.ts';
import { search } from './db.ts';
import type { Sample } from './meter-values.ts';

/** A sample as the API shows it, with its place in the list. */
export interface Reading extends Sample {
  /** Microseconds, as text: a Date would lose some and a page would lose rows. */
  at: string;
  digest: string;
}

const COLUMNS = `station_id AS "stationId", connector_id AS "connectorId", transaction_id AS "transactionId",
  measured_at AS "measuredAt", context, measurand, phase, location, format, unit, value, received_at AS "receivedAt",
  measured_at::text AS at, digest::text`;

export interface ReadingFilter {
  stationId: string;
  after: { at: string; connectorId: number; digest: string } | null;
  transactionId?: number | undefined;
  connectorId?: number | undefined;
  measurand?: string | undefined;
  context?: string | undefined;
  from?: Date | null;
  to?: Date | null;
  rows: number;
}

const WHERE = `station_id = $1
  AND ($2::timestamptz IS NULL OR (measured_at, connector_id, digest) > ($2, $3::int, $4::uuid))
  AND ($5::int IS NULL OR connector_id = $5) AND ($6::text IS NULL OR measurand = $6)
  AND ($7::text IS NULL OR context = $7) AND ($8::timestamptz IS NULL OR measured_at >= $8)
  AND ($9::timestamptz IS NULL OR measured_at < $9)`;
const ORDER = 'ORDER BY measured_at, connector_id, digest';

const selectOfStation = search(`SELECT ${COLUMNS} FROM meter_values WHERE ${WHERE} ${ORDER} LIMIT $10`);
const selectOfTransaction = search(
  `SELECT ${COLUMNS} FROM meter_values WHERE ${WHERE} AND transaction_id = $11 ${ORDER} LIMIT $10`,
);

/** Oldest first. */
export async function list(db: Db, filter: ReadingFilter): Promise<Reading[]> {
  const { after, transactionId } = filter;
  const values = [
    filter.stationId,
    after?.at ?? null,
    after?.connectorId ?? null,
    after?.digest ?? null,
    filter.connectorId ?? null,
    filter.measurand ?? null,
    filter.context ?? null,
    filter.from ?? null,
    filter.to ?? null,
    filter.rows,
  ];
  const query =
    transactionId === undefined ? selectOfStation(values) : selectOfTransaction([...values, transactionId]);
  const { rows } = await db.query<Reading>(query);
  return rows;
}
