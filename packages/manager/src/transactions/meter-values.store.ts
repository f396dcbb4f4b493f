import { createHash } from 'node:crypto';
import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { MeterValueRow } from './meter-value-list.store.ts';

export interface Sample extends Omit<MeterValueRow, 'digest'> {
  stationId: string;
  /** The station did not send the transaction's id; Evander inferred it. Not stored. */
  transactionInferred: boolean;
}

// Rows are locked in a fixed order, or two managers with the same rows could deadlock.
const insert = statement(
  'meterValues.record',
  `INSERT INTO meter_values (station_id, connector_id, transaction_id, measured_at, context, measurand, phase, location,
     format, unit, value, received_at, digest)
   SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[],
     $9::text[], $10::text[], $11::text[], $12::timestamptz[], $13::uuid[])
   ORDER BY 1, 2, 4, 13 ON CONFLICT DO NOTHING`,
);

/** Stores samples. A sample that is already stored is ignored, even if another message contains it. */
export async function record(db: Db, samples: Sample[]): Promise<void> {
  if (samples.length === 0) return;
  await db.query(
    insert([
      samples.map(({ stationId }) => stationId),
      samples.map(({ connectorId }) => connectorId),
      samples.map(({ transactionId }) => transactionId),
      samples.map(({ measuredAt }) => measuredAt),
      samples.map(({ context }) => context),
      samples.map(({ measurand }) => measurand),
      samples.map(({ phase }) => phase),
      samples.map(({ location }) => location),
      samples.map(({ format }) => format),
      samples.map(({ unit }) => unit),
      samples.map(({ value }) => value),
      samples.map(({ receivedAt }) => receivedAt),
      samples.map(digest),
    ]),
  );
}

// A signed value may be too long for an index entry, so the key contains its hash.
function digest({ context, measurand, phase, location, format, unit, value }: Sample): string {
  const text = JSON.stringify([context, measurand, phase, location, format, unit, value]);
  return createHash('md5').update(text).digest('hex');
}

const removeReceived = statement(
  'meterValues.remove',
  `DELETE FROM meter_values m
   USING unnest($1::text[], $2::int[], $3::int[], $4::timestamptz[], $5::timestamptz[], $6::uuid[])
     AS s (station_id, connector_id, transaction_id, measured_at, received_at, digest)
   WHERE m.station_id = s.station_id AND m.connector_id = s.connector_id AND m.transaction_id = s.transaction_id
     AND m.measured_at = s.measured_at AND m.received_at = s.received_at AND m.digest = s.digest`,
);

/** Removes samples, except those received earlier in another message. Returns the number removed. */
export async function remove(db: Db, samples: Sample[]): Promise<number> {
  if (samples.length === 0) return 0;
  const { rowCount } = await db.query(
    removeReceived([
      samples.map(({ stationId }) => stationId),
      samples.map(({ connectorId }) => connectorId),
      samples.map(({ transactionId }) => transactionId),
      samples.map(({ measuredAt }) => measuredAt),
      samples.map(({ receivedAt }) => receivedAt),
      samples.map(digest),
    ]),
  );
  return rowCount ?? 0;
}

const selectOfTransaction = statement(
  'meterValues.ofTransaction',
  `SELECT station_id AS "stationId", connector_id AS "connectorId", transaction_id AS "transactionId", measured_at AS "measuredAt",
     context, measurand, phase, location, format, unit, value, received_at AS "receivedAt", true AS "transactionInferred"
   FROM meter_values WHERE station_id = $1 AND transaction_id = $2`,
);

/** All samples of a transaction. */
export async function ofTransaction(
  db: Db,
  { stationId, transactionId }: { stationId: string; transactionId: number },
): Promise<Sample[]> {
  const { rows } = await db.query<Sample>(selectOfTransaction([stationId, transactionId]));
  return rows;
}
