import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { JobKind } from './jobs.store.ts';

/** A status that a station reported for a job. */
export interface StatusNotification {
  stationId: string;
  kind: JobKind;
  status: string;
  requestId: number | null;
  messageId: string;
  receivedAt: Date;
}

const insert = statement(
  'statusNotifications.record',
  `INSERT INTO status_notifications (station_id, kind, received_at, message_id, status, request_id, job_id)
   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
);

/** Stores a status, with its job if there is one; false for a repeat. */
export async function record(
  db: Db,
  notification: StatusNotification,
  jobId: number | null,
): Promise<boolean> {
  const { stationId, kind, receivedAt, messageId, status, requestId } = notification;
  const { rowCount } = await db.query(
    insert([stationId, kind, receivedAt, messageId, status, requestId, jobId]),
  );
  return rowCount === 1;
}
