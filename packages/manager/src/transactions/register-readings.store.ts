import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { Sample } from './meter-values.store.ts';
import { REGISTER_LOCATIONS, registerReadings } from './register-readings.ts';
import type { RegisterLocation, RegisterReading } from './register-readings.ts';

const rankOf = (location: string): string =>
  `array_position(ARRAY['${REGISTER_LOCATIONS.join("', '")}'], ${location})`;
const known = (column: string): string =>
  `CASE WHEN used.location IS NULL OR t.register_location = used.location THEN t.${column} END AS ${column}`;

// Rows are locked in a fixed order, or two managers with samples of the same transactions could deadlock. Samples from before the start are
// ignored (the clock was not set yet). A drop of up to 1 kWh does not count as a fall, because stations round to whole kWh. The readings are
// grouped by transaction, so that a large batch does not compare readings of different transactions. Readings from a better location
// replace what is known from another; those from a worse one are ignored.
const apply = statement(
  'registerReadings.apply',
  `WITH known AS (
     SELECT t.transaction_id, t.started_at, t.meter_start_wh, ${known('begin_wh')}, ${known('end_wh')}, ${known('first_wh')},
       ${known('first_at')}, ${known('last_wh')}, ${known('last_at')}, ${known('high_wh')}, ${known('register_fell')},
       ${known('register_jumped')}, coalesce(used.location, t.register_location) AS location,
       CASE WHEN used.location IS NOT NULL THEN r.readings ELSE '[]' END AS readings, r.id_used AND NOT t.id_used AS uses_id
     FROM json_to_recordset($1) AS r (station_id text, transaction_id int, id_used boolean, location text, readings json)
     JOIN transactions t ON t.transaction_id = r.transaction_id AND t.station_id = r.station_id
     CROSS JOIN LATERAL (SELECT CASE WHEN t.register_location IS NULL OR ${rankOf('r.location')} <= ${rankOf('t.register_location')}
       THEN r.location END AS location) AS used
     WHERE used.location IS NOT NULL OR r.id_used AND NOT t.id_used
     ORDER BY t.transaction_id FOR NO KEY UPDATE OF t),
   updates AS (
     SELECT k.transaction_id, k.uses_id, k.location, k.register_fell, k.register_jumped, coalesce(e.end_wh, k.end_wh) AS end_wh,
       greatest(k.high_wh, h.high_wh) AS high_wh, e.begin_wh, e.first_wh, e.first_at, e.last_wh, e.last_at, e.fell, h.jumped
     FROM known k,
     LATERAL (SELECT json_agg(r) AS readings FROM json_to_recordset(k.readings) AS r (at timestamptz, context text, wh bigint)
       WHERE r.at >= k.started_at - interval '1 minute') relevant,
     LATERAL (
       SELECT coalesce(k.begin_wh, (array_agg(wh ORDER BY at) FILTER (WHERE context = 'Transaction.Begin'))[1]) AS begin_wh,
         (array_agg(wh ORDER BY at DESC) FILTER (WHERE context = 'Transaction.End'))[1] AS end_wh,
         (array_agg(wh ORDER BY at, wh))[1] AS first_wh, min(at) AS first_at,
         (array_agg(wh ORDER BY at DESC, wh DESC))[1] AS last_wh, max(at) AS last_at, bool_or(fell) AS fell
       FROM (SELECT at, context, wh,
           is_meter_reading(k.meter_start_wh) AND wh < k.meter_start_wh - 1000 OR coalesce(wh < lag(wh) OVER (ORDER BY at, wh) - 1000, false) AS fell
         FROM (SELECT at, context, wh FROM json_to_recordset(relevant.readings) AS r (at timestamptz, context text, wh bigint)
           UNION ALL SELECT k.first_at, NULL, k.first_wh WHERE k.first_at IS NOT NULL
           UNION ALL SELECT k.last_at, NULL, k.last_wh WHERE k.last_at IS NOT NULL) AS read) AS steps) e,
     LATERAL (
       SELECT max(wh) FILTER (WHERE is_plausible) AS high_wh, bool_or(NOT is_plausible) AS jumped
       FROM (SELECT wh, is_plausible_rise(
             wh - transaction_baseline(k.meter_start_wh, k.started_at, e.begin_wh, e.first_wh, e.first_at), k.started_at, at)
           AS is_plausible
         FROM json_to_recordset(relevant.readings) AS r (at timestamptz, wh bigint)) AS evaluated) h
     WHERE relevant.readings IS NOT NULL OR k.uses_id)
   UPDATE transactions t SET begin_wh = n.begin_wh, end_wh = n.end_wh, first_wh = n.first_wh,
     first_at = n.first_at, last_wh = n.last_wh, last_at = n.last_at, high_wh = n.high_wh, register_location = n.location,
     register_fell = coalesce(n.register_fell, false) OR coalesce(n.fell, false),
     register_jumped = coalesce(n.register_jumped, false) OR coalesce(n.jumped, false), id_used = t.id_used OR n.uses_id
   FROM updates n WHERE t.transaction_id = n.transaction_id`,
);

/** Updates transactions with the energy readings of samples and with the use of their ids. Repeated samples change nothing. */
export async function record(db: Db, samples: Sample[]): Promise<void> {
  const transactions = byTransaction(samples);
  if (transactions.length === 0) return;
  await db.query(apply([JSON.stringify(transactions)]));
}

interface TransactionReadings {
  station_id: string;
  transaction_id: number;
  id_used: boolean;
  /** Null without readings. */
  location: RegisterLocation | null;
  readings: Pick<RegisterReading, 'at' | 'context' | 'wh'>[];
}

function byTransaction(samples: Sample[]): TransactionReadings[] {
  const groups = new Map<string, TransactionReadings>();
  const groupOf = (stationId: string, transactionId: number): TransactionReadings => {
    const key = `${transactionId} ${stationId}`;
    const group = groups.get(key) ?? {
      station_id: stationId,
      transaction_id: transactionId,
      id_used: false,
      location: null,
      readings: [],
    };
    groups.set(key, group);
    return group;
  };
  for (const { stationId, transactionId, transactionInferred } of samples)
    if (transactionId !== null && !transactionInferred) groupOf(stationId, transactionId).id_used = true;
  for (const { stationId, transactionId, at, context, wh, location } of registerReadings(samples)) {
    const group = groupOf(stationId, transactionId);
    group.location = location;
    group.readings.push({ at, context, wh });
  }
  return [...groups.values()];
}

const clear = statement(
  'registerReadings.clear',
  `UPDATE transactions SET begin_wh = NULL, end_wh = NULL, first_wh = NULL, first_at = NULL, last_wh = NULL, last_at = NULL,
     high_wh = NULL, register_location = NULL, register_fell = false, register_jumped = false
   WHERE transaction_id = $1`,
);

/** Replaces the energy readings of a transaction by those of these samples. */
export async function replace(db: Db, transactionId: number, samples: Sample[]): Promise<void> {
  await db.query(clear([transactionId]));
  await record(db, samples);
}
