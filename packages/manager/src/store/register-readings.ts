import { registerReadings } from '../register-readings.ts';
import type { Db } from './db.ts';
import { statement } from './db.ts';
import type { Sample } from './meter-values.ts';

// Locked in one order, or two managers with samples of the same transactions would lock each other out. What was measured before the
// start tells nothing of the transaction (a clock that is not set yet). Up to 1 kWh is no fall: stations round to whole kWh.
const apply = statement(
  'registerReadings.apply',
  `WITH known AS (
     SELECT transaction_id, station_id, started_at, meter_start_wh, begin_wh, first_wh, first_at, last_at, last_wh FROM transactions
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
   ends AS (
     SELECT k.transaction_id, k.started_at, k.meter_start_wh, coalesce(k.begin_wh, n.begin_wh) AS begin_wh, n.end_wh,
       CASE WHEN k.first_at <= n.first_at THEN k.first_wh ELSE n.first_wh END AS first_wh,
       least(k.first_at, n.first_at) AS first_at, n.last_wh, n.last_at,
       (SELECT bool_or(fell) FROM steps WHERE steps.transaction_id = k.transaction_id) AS fell
     FROM known k JOIN (
       SELECT transaction_id, (array_agg(wh ORDER BY at) FILTER (WHERE context = 'Transaction.Begin'))[1] AS begin_wh,
         (array_agg(wh ORDER BY at DESC) FILTER (WHERE context = 'Transaction.End'))[1] AS end_wh,
         (array_agg(wh ORDER BY at, wh))[1] AS first_wh, min(at) AS first_at,
         (array_agg(wh ORDER BY at DESC, wh DESC))[1] AS last_wh, max(at) AS last_at
       FROM told GROUP BY transaction_id) n USING (transaction_id)),
   news AS (
     SELECT e.*, max(t.wh) FILTER (WHERE j.is_plausible) AS high_wh, bool_or(NOT j.is_plausible) AS jumped
     FROM ends e JOIN told t USING (transaction_id), LATERAL (SELECT is_plausible_rise(
         t.wh - transaction_baseline(e.meter_start_wh, e.started_at, e.begin_wh, e.first_wh, e.first_at), e.started_at, t.at)
       AS is_plausible) j
     GROUP BY e.transaction_id, e.started_at, e.meter_start_wh, e.begin_wh, e.end_wh, e.first_wh, e.first_at, e.last_wh,
       e.last_at, e.fell)
   UPDATE transactions t SET begin_wh = n.begin_wh, end_wh = coalesce(n.end_wh, t.end_wh), first_wh = n.first_wh,
     first_at = n.first_at, last_wh = CASE WHEN t.last_at > n.last_at THEN t.last_wh ELSE n.last_wh END,
     last_at = greatest(t.last_at, n.last_at), high_wh = greatest(t.high_wh, n.high_wh),
     register_fell = t.register_fell OR n.fell, register_jumped = t.register_jumped OR n.jumped
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
