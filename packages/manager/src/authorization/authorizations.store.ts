import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

export interface Authorization {
  stationId: string;
  idTag: string;
  status: string;
  receivedAt: Date;
}

// In a fixed order: otherwise two managers with the same rows could deadlock.
const insert = statement(
  'authorizations.record',
  `INSERT INTO authorizations (station_id, id_tag, status, received_at)
   SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
   ORDER BY 1, 4, 2 ON CONFLICT DO NOTHING`,
);

/** Stores authorization attempts and their results. */
export async function record(db: Db, attempts: Authorization[]): Promise<void> {
  await db.query(
    insert([
      attempts.map(({ stationId }) => stationId),
      attempts.map(({ idTag }) => idTag),
      attempts.map(({ status }) => status),
      attempts.map(({ receivedAt }) => receivedAt),
    ]),
  );
}
