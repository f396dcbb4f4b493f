import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { StatusRow } from './status-list.store.ts';

export interface ConnectorStatus extends Omit<StatusRow, 'digest'> {
  stationId: string;
  /** The timestamp as the station sent it, if it is implausible or more than a minute ahead; used to detect repeats. Otherwise null. */
  stationTime: string | null;
}

const ROWS = `unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
  $9::timestamptz[], $10::text[])`;
const COLUMNS =
  'station_id, connector_id, status, error_code, info, vendor_id, vendor_error_code, status_at, received_at';

// A status that is older than the known one is only added to the history (1.6 §6.47; rule Status.4). Of several statuses for one connector
// in a batch, the newest counts. Rows are locked in a fixed order, or two managers with the same statuses could deadlock. A status cannot
// be later than its receipt: if the station's clock is ahead, the time of receipt counts.
const happenedAt = (row: string): string => `least(${row}.status_at, ${row}.received_at)`;
const insert = statement(
  'connectors.record',
  `WITH reported (${COLUMNS}, station_time) AS (SELECT * FROM ${ROWS}),
   history AS (INSERT INTO connector_statuses (${COLUMNS}, station_time) SELECT * FROM reported
     ORDER BY station_id, connector_id, status_at, status, error_code, info, vendor_id, vendor_error_code ON CONFLICT DO NOTHING)
   INSERT INTO connectors AS known (${COLUMNS})
   SELECT DISTINCT ON (station_id, connector_id) ${COLUMNS} FROM reported
   ORDER BY station_id, connector_id, ${happenedAt('reported')} DESC, received_at DESC, status_at DESC
   ON CONFLICT (station_id, connector_id) DO UPDATE SET status = excluded.status, error_code = excluded.error_code,
     info = excluded.info, vendor_id = excluded.vendor_id, vendor_error_code = excluded.vendor_error_code,
     status_at = excluded.status_at, received_at = excluded.received_at
   WHERE (${happenedAt('excluded')}, excluded.received_at) >= (${happenedAt('known')}, known.received_at)`,
);

/** Stores statuses in the history and as the current state of each connector. */
export async function record(db: Db, statuses: ConnectorStatus[]): Promise<void> {
  await db.query(insert(columnsOf(statuses)));
}

const lockStations = statement(
  'connectors.lockStations',
  `SELECT pg_advisory_xact_lock(hashtext('evander statuses'), hashtext(station_id))
   FROM (SELECT DISTINCT station_id FROM unnest($1::text[]) AS reported (station_id) ORDER BY station_id) AS stations`,
);
const selectKnown = statement(
  'connectors.known',
  `SELECT place::int AS place FROM ${ROWS} WITH ORDINALITY AS reported (${COLUMNS}, station_time, place)
   WHERE EXISTS (SELECT FROM connector_statuses s WHERE s.station_id = reported.station_id AND s.connector_id = reported.connector_id
     AND s.station_time = reported.station_time AND (s.status, s.error_code, s.info, s.vendor_id, s.vendor_error_code)
       IS NOT DISTINCT FROM (reported.status, reported.error_code, reported.info, reported.vendor_id, reported.vendor_error_code))`,
);

/**
 * Removes repeats among the statuses that have a `stationTime`: their `statusAt` may be the time of receipt, which differs between repeats.
 * Record the result in the same database transaction, so that of two managers with the same repeat one detects it.
 */
export async function withoutRepeats(db: Db, statuses: ConnectorStatus[]): Promise<ConnectorStatus[]> {
  const candidates = new Map<string, ConnectorStatus>();
  for (const status of statuses) {
    const key = JSON.stringify({ ...status, statusAt: null, receivedAt: null });
    if (status.stationTime !== null && !candidates.has(key)) candidates.set(key, status);
  }
  const first = [...candidates.values()];
  await db.query(lockStations([first.map(({ stationId }) => stationId)]));
  const { rows } = await db.query<{ place: number }>(selectKnown(columnsOf(first)));
  const known = new Set(rows.map(({ place }) => first[place - 1]));
  const fresh = new Set(first.filter((status) => !known.has(status)));
  return statuses.filter((status) => status.stationTime === null || fresh.has(status));
}

function columnsOf(statuses: ConnectorStatus[]): unknown[][] {
  return [
    statuses.map(({ stationId }) => stationId),
    statuses.map(({ connectorId }) => connectorId),
    statuses.map(({ status }) => status),
    statuses.map(({ errorCode }) => errorCode),
    statuses.map(({ info }) => info),
    statuses.map(({ vendorId }) => vendorId),
    statuses.map(({ vendorErrorCode }) => vendorErrorCode),
    statuses.map(({ statusAt }) => statusAt),
    statuses.map(({ receivedAt }) => receivedAt),
    statuses.map(({ stationTime }) => stationTime),
  ];
}

export interface ChargingConnector {
  connectorId: number;
  /** The newest open transaction. */
  transaction?: { transactionId: number; startedAt: Date };
}

const selectCharging = statement(
  'connectors.charging',
  `SELECT connector_id AS "connectorId", transaction_id AS "transactionId", started_at AS "startedAt"
   FROM (SELECT connector_id FROM connectors WHERE station_id = $1 AND connector_id > 0
         UNION SELECT connector_id FROM transactions WHERE station_id = $1 AND stopped_at IS NULL AND state = 'open'
         UNION SELECT generate_series(1, $2)) AS listed
   LEFT JOIN LATERAL (SELECT transaction_id, started_at FROM transactions t WHERE t.station_id = $1 AND t.connector_id = listed.connector_id
     AND stopped_at IS NULL AND state = 'open' ORDER BY started_at DESC LIMIT 1) AS running ON true
   ORDER BY connector_id`,
);

/** The connectors of a station with their open transactions: all known connectors, and at least those from 1 to `count`. */
export async function charging(db: Db, stationId: string, count: number): Promise<ChargingConnector[]> {
  const { rows } = await db.query<{
    connectorId: number;
    transactionId: number | null;
    startedAt: Date | null;
  }>(selectCharging([stationId, count]));
  return rows.map(({ connectorId, transactionId, startedAt }) => ({
    connectorId,
    ...(transactionId !== null && startedAt !== null && { transaction: { transactionId, startedAt } }),
  }));
}
