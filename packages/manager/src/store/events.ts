import type { Db } from './db.ts';
import { search, statement } from './db.ts';

/** What is told of as it happens. The database's triggers make them: migrations/0025-events.sql, 0039, 0056 and 0075. */
export const EVENT_KINDS = [
  'station.connected',
  'station.disconnected',
  'station.booted',
  'connector.status',
  'transaction.started',
  'transaction.stopped',
  'transaction.superseded',
  'transaction.closed',
  'transaction.unmatchedStop',
  'transaction.stopAssigned',
  'transaction.stopDismissed',
  'command.settled',
  'security.event',
  'firmware.status',
  'log.status',
  'diagnostics.status',
  'certificate.requested',
  'certificate.rejected',
  'certificate.signed',
  'certificate.installed',
  'certificate.refused',
  'certificate.superseded',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** The channel of PostgreSQL on which the newest id is told. */
export const EVENTS_CHANNEL = 'evander_events';

/** An event. Ids rise in the order in which events may be read: after one that can be seen come greater ones only. */
export interface Event {
  id: number;
  at: Date;
  kind: string;
  stationId: string;
  data: Record<string, unknown>;
}

/** Which events: kinds, or all of a group as `transaction.*`; stations. Null is all. */
export interface EventFilter {
  kinds: string[] | null;
  stationIds: string[] | null;
}

const EVENT = 'id, at, kind, station_id AS "stationId", data';
const MATCHES = `($1::text[] IS NULL OR kind = ANY ($1) OR split_part(kind, '.', 1) || '.*' = ANY ($1))
     AND ($2::text[] IS NULL OR station_id = ANY ($2))`;

const sequenceSome = statement('events.sequence', 'SELECT sequence_events($1) AS count');

/** Gives ids to up to `atMost` events that have come; how many, or null while another session is at it. */
export async function sequence(db: Db, atMost: number): Promise<number | null> {
  const { rows } = await db.query<{ count: number | null }>(sequenceSome([atMost]));
  return rows[0]?.count ?? null;
}

const selectNewest = statement('events.newestId', 'SELECT coalesce(max(id), 0) AS id FROM events');

/** The id of the newest event; 0 while there is none. */
export async function newestId(db: Db): Promise<number> {
  const { rows } = await db.query<{ id: number }>(selectNewest());
  return rows[0]?.id ?? 0;
}

const selectAfter = search(
  `SELECT ${EVENT} FROM events WHERE ${MATCHES} AND id > $3 AND id <= $4 ORDER BY id LIMIT $5`,
);

/** Events that came after one and not after another, oldest first. */
export async function listAfter(
  db: Db,
  { kinds, stationIds }: EventFilter,
  { after, upTo, rows: limit }: { after: number; upTo?: number; rows: number },
): Promise<Event[]> {
  const { rows } = await db.query<Event>(
    selectAfter([kinds, stationIds, after, upTo ?? Number.MAX_SAFE_INTEGER, limit]),
  );
  return rows;
}

const selectBefore = search(
  `SELECT ${EVENT} FROM events WHERE ${MATCHES} AND ($3::bigint IS NULL OR id < $3)
     AND ($4::timestamptz IS NULL OR at >= $4) AND ($5::timestamptz IS NULL OR at < $5)
   ORDER BY id DESC LIMIT $6`,
);

/** Events of a period, newest first. */
export async function listBefore(
  db: Db,
  { kinds, stationIds }: EventFilter,
  place: { before: number | null; from: Date | null; to: Date | null; rows: number },
): Promise<Event[]> {
  const { rows } = await db.query<Event>(
    selectBefore([kinds, stationIds, place.before, place.from, place.to, place.rows]),
  );
  return rows;
}

/** The same choice of events as in the database. */
export function matches({ kinds, stationIds }: EventFilter, event: Event): boolean {
  const group = `${event.kind.split('.', 1)[0]}.*`;
  return (
    (kinds === null || kinds.includes(event.kind) || kinds.includes(group)) &&
    (stationIds === null || stationIds.includes(event.stationId))
  );
}
