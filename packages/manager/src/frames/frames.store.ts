import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** A frame on a station's socket; type 0 is an invalid frame. */
export interface FrameRecord {
  stationId: string;
  recordedAt: Date;
  direction: 'in' | 'out';
  type: 0 | 2 | 3 | 4;
  messageId: string;
  action: string | null;
  /** JSON text. */
  payload: string | null;
  errorCode: string | null;
  errorDescription: string | null;
  raw: string | null;
  connectionId: string | null;
}

// In a fixed order, so that two managers with the same rows do not deadlock.
const insert = statement(
  'frames.record',
  `INSERT INTO frames (station_id, recorded_at, direction, type, message_id, action, payload, error_code, error_description,
     raw, connection_id)
   SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::smallint[], $5::text[], $6::text[], $7::json[],
     $8::text[], $9::text[], $10::text[], $11::text[])
   ORDER BY 1, 2, 3, 4, 5 ON CONFLICT DO NOTHING`,
);

export async function record(db: Db, frames: FrameRecord[]): Promise<void> {
  await db.query(
    insert([
      frames.map(({ stationId }) => stationId),
      frames.map(({ recordedAt }) => recordedAt),
      frames.map(({ direction }) => direction),
      frames.map(({ type }) => type),
      frames.map(({ messageId }) => messageId),
      frames.map(({ action }) => action),
      frames.map(({ payload }) => payload),
      frames.map(({ errorCode }) => errorCode),
      frames.map(({ errorDescription }) => errorDescription),
      frames.map(({ raw }) => raw),
      frames.map(({ connectionId }) => connectionId),
    ]),
  );
}
