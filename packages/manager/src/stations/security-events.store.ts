import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** A security event as reported by a station. */
export interface SecurityEvent {
  stationId: string;
  type: string;
  occurredAt: Date;
  isCritical: boolean;
  techInfo: string | null;
  receivedAt: Date;
}

const insert = statement(
  'securityEvents.record',
  `INSERT INTO security_events (station_id, type, occurred_at, is_critical, tech_info, received_at)
   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
);

/** Stores an event; an event with the same station, type and time is a repeat (SecEvent.1). */
export async function record(db: Db, event: SecurityEvent): Promise<void> {
  const { stationId, type, occurredAt, isCritical, techInfo, receivedAt } = event;
  await db.query(insert([stationId, type, occurredAt, isCritical, techInfo, receivedAt]));
}

const selectPage = search(
  `SELECT station_id AS "stationId", type, occurred_at AS "occurredAt", is_critical AS "isCritical", tech_info AS "techInfo",
     received_at AS "receivedAt"
   FROM security_events
   WHERE ($1::timestamptz IS NULL OR occurred_at <= $1 AND (occurred_at, station_id, type) < ($1, $2, $3))
     AND ($4::text IS NULL OR station_id = $4) AND ($5::text IS NULL OR lower(type) = lower($5))
     AND ($6::bool IS NULL OR is_critical = $6) AND ($7::timestamptz IS NULL OR occurred_at >= $7)
     AND ($8::timestamptz IS NULL OR occurred_at < $8)
   ORDER BY occurred_at DESC, station_id DESC, type DESC LIMIT $9`,
);

export interface SecurityEventFilter {
  before: { at: string; stationId: string; type: string } | null;
  stationId?: string;
  type?: string;
  critical?: boolean;
  from: Date | null;
  to: Date | null;
  rows: number;
}

/** Events, newest first. */
export async function list(db: Db, filter: SecurityEventFilter): Promise<SecurityEvent[]> {
  const { before, stationId, type, critical, from, to } = filter;
  const { rows } = await db.query<SecurityEvent>(
    selectPage([
      before?.at ?? null,
      before?.stationId ?? null,
      before?.type ?? null,
      stationId ?? null,
      type ?? null,
      critical ?? null,
      from,
      to,
      filter.rows,
    ]),
  );
  return rows;
}
