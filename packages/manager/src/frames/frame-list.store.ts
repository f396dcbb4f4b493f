import { search } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** A recorded frame as the API shows it. */
export interface FrameRow {
  recordedAt: Date;
  direction: 'in' | 'out';
  type: number;
  action: string | null;
  messageId: string;
  payload: unknown;
  errorCode: string | null;
  errorDescription: string | null;
  raw: string | null;
  connectionId: string | null;
}

export interface FrameFilter {
  stationId: string;
  before: { at: string; direction: string; type: number; messageId: string } | null;
  direction?: string;
  type: number | undefined;
  action?: string;
  messageId?: string;
  from: Date | null;
  to: Date | null;
  rows: number;
}

const selectPage = search(
  `SELECT recorded_at AS "recordedAt", direction, type, action, message_id AS "messageId", payload, error_code AS "errorCode",
     error_description AS "errorDescription", raw, connection_id AS "connectionId"
   FROM frames WHERE station_id = $1
     AND ($2::timestamptz IS NULL OR recorded_at <= $2 AND (recorded_at, direction, type, message_id) < ($2, $3, $4::smallint, $5))
     AND ($6::text IS NULL OR direction = $6) AND ($7::smallint IS NULL OR type = $7) AND ($8::text IS NULL OR action = $8)
     AND ($9::text IS NULL OR message_id = $9) AND ($10::timestamptz IS NULL OR recorded_at >= $10)
     AND ($11::timestamptz IS NULL OR recorded_at < $11)
   ORDER BY recorded_at DESC, direction DESC, type DESC, message_id DESC LIMIT $12`,
);

/** Newest first. */
export async function list(db: Db, filter: FrameFilter): Promise<FrameRow[]> {
  const { before, direction, type, action, messageId, from, to } = filter;
  const { rows } = await db.query<FrameRow>(
    selectPage([
      filter.stationId,
      before?.at ?? null,
      before?.direction ?? null,
      before?.type ?? null,
      before?.messageId ?? null,
      direction ?? null,
      type ?? null,
      action ?? null,
      messageId ?? null,
      from,
      to,
      filter.rows,
    ]),
  );
  return rows;
}
