import { registerReadings } from '../register-readings.ts';
import type { Db } from './db.ts';
import { statement } from './db.ts';
import type { Sample } from './meter-values.ts';

// Locked in one order, or two managers with samples of the same transactions would lock each other out. What was measured before the
// start tells nothing of the transaction (a clock that is not set yet). Up to 1 kWh is no fall: stations round to whole kWh.
const apply = statement(
  'registerReadings.apply',
  `WITH known AS (
     SELECT transaction_id, station_id, started_at, meter_start_wh, last_at, last_wh FROM transactions
     WHERE transaction_id = ANY ($2::int[]) AND station_id = ANY ($1::text[]) ORDER BY transaction_id FOR NO KEY UPDATE),
   told AS (
     SELECT k.transaction_id, r.at, r.context, r.wh, r.wh < k.meter_start_wh - 1000 AS is_below
     FROM unnest($1::text[], $2::int[], $3::timestamptz[], $4::text[], $5::bigint[]) AS r (station_id, transaction_id, at, context, wh)
     JOIN known k ON k.transaction_id = r.transaction_id AND k.station_id = r.station_id
       AND r.at >= k.started_at - interval '1 minute'),
   steps AS (
     SELECT transaction_id, is_below OR coalesce(wh < lag(wh) OVER (PARTITION BY transaction_id ORDER BY at, wh) - 1000, false) AS fell
     FROM (SELECT transaction_id, at, wh, is_below FROM told
       UNION ALL SELECT transaction_id, last_at, last_wh, false FROM known WHERE last_at IS NOT NULL) AS read),
   news AS (
     SELECT transaction_id, (array_agg(wh ORDER BY at) FILTER (WHERE context = 'Transaction.Begin'))[1] AS begin_wh,
       (array_agg(wh ORDER BY at DESC) FILTER (WHERE context = 'Transaction.End'))[1] AS end_wh,
       (array_agg(wh ORDER BY at, wh))[1] AS first_wh, min(at) AS first_at,
       (array_agg(wh ORDER BY at DESC, wh DESC))[1] AS last_wh, max(at) AS last_at, max(wh) AS high_wh,
       (SELECT bool_or(fell) FROM steps s WHERE s.transaction_id = told.transaction_id) AS fell
     FROM told GROUP BY transaction_id)
   UPDATE transactions t SET begin_wh = coalesce(t.begin_wh, n.begin_wh), end_wh = coalesce(n.end_wh, t.end_wh),
     first_wh = CASE WHEN t.first_at <= n.first_at THEN t.first_wh ELSE n.first_wh END, first_at = least(t.first_at, n.first_at),
     last_wh = CASE WHEN t.last_at > n.last_at THEN t.last_wh ELSE n.last_wh END, last_at = greatest(t.last_at, n.last_at),
     high_wh = greatest(t.high_wh, n.high_wh), register_fell = t.register_fell OR n.fell
   FROM news n WHERE t.transaction_id = n.transaction_id`,
);

/** Notes at their transactions what samples tell of energy; a sample that is told again changes nothing. */
export async function record(db: Db, samples: Sample[]): Promise<void> {
  const readings = registerReadings(samples);
  if (readings.length === 0) return;
  await db.query(
    apply([
      readings.map(({ stationId }) => stationId),
      readings.map(({ transactionId }) => transactionId),
      readings.map(({ at }) => at),
      readings.map(({ context }) => context),
      readings.map(({ wh }) => wh),
    ]),
  );
}
