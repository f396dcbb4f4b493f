import type pg from 'pg';
import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** Kinds of events. Database triggers write events: migrations/0020-events.sql. */
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
  'command.completed',
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

/** PostgreSQL channel that announces the newest id. */
export const EVENTS_CHANNEL = 'evander_events';

/** An event. Once an id is visible, no lower id will appear. */
export interface Event {
  id: number;
  at: Date;
  kind: string;
  stationId: string;
  data: Record<string, unknown>;
}

/** Selects events by kind (or group, such as `transaction.*`) and by station. Null selects all. */
export interface EventFilter {
  kinds: string[] | null;
  stationIds: string[] | null;
}

const EVENT = 'id, at, kind, station_id AS "stationId", data';

// A single station has its own condition: only then can PostgreSQL read in the order of the station's index.
const OF_STATIONS = `($2::text[] IS NULL OR cardinality($2) = 1 AND station_id = ($2::text[])[1]
     OR cardinality($2) > 1 AND station_id = ANY ($2))`;

/**
 * Builds a query for events in an order, `id` or `id DESC`. For several kinds it reads one page of each from the index of kinds and merges them. This is
 * fast for rare kinds and for kinds that were frequent only long ago; the planner's averages fit neither. `>=` and `<=` instead of `=` make it use this index.
 */
function inOrder(where: string, order: string): (filter: EventFilter, place: unknown[]) => pg.QueryConfig {
  const page = `SELECT ${EVENT} FROM events WHERE ${where}`;
  const direction = order.slice('id'.length);
  const ofStations = search(
    `${page} AND ($1::text[] IS NULL OR kind = ANY ($1)) AND ${OF_STATIONS} ORDER BY ${order} LIMIT $3`,
  );
  const ofKinds = search(
    `SELECT of_kind.* FROM unnest($1::text[]) AS requested (kind) CROSS JOIN LATERAL (
       ${page} AND events.kind >= requested.kind AND events.kind <= requested.kind AND $2::text[] IS NULL
       ORDER BY events.kind${direction}, id${direction} LIMIT $3) AS of_kind
     ORDER BY ${order} LIMIT $3`,
  );
  return ({ kinds, stationIds }, place) => {
    const select = kinds !== null && stationIds === null ? ofKinds : ofStations;
    return select([kinds && eachKind(kinds), stationIds, ...place]);
  };
}

/** The kinds of a filter, with groups replaced by their kinds. */
function eachKind(kinds: string[]): string[] {
  return EVENT_KINDS.filter((kind) => kinds.includes(kind) || kinds.includes(groupOf(kind)));
}

function groupOf(kind: string): string {
  return `${kind.split('.', 1)[0]}.*`;
}

const sequenceSome = statement('events.sequence', 'SELECT sequence_events($1) AS count');

/** Assigns ids to up to `maxRows` new events. Returns how many, or null while another session does so. */
export async function sequence(db: Db, maxRows: number): Promise<number | null> {
  const { rows } = await db.query<{ count: number | null }>(sequenceSome([maxRows]));
  return rows[0]?.count ?? null;
}

const selectNewest = statement('events.newestId', 'SELECT coalesce(max(id), 0) AS id FROM events');

/** The id of the newest event; 0 while there is none. */
export async function newestId(db: Db): Promise<number> {
  const { rows } = await db.query<{ id: number }>(selectNewest());
  return rows[0]?.id ?? 0;
}

const selectAfter = inOrder('id > $4 AND id <= $5', 'id');

/** Events with ids above `after` and up to `upTo`, oldest first. */
export async function listAfter(
  db: Db,
  filter: EventFilter,
  { after, upTo, rows: limit }: { after: number; upTo?: number; rows: number },
): Promise<Event[]> {
  const place = [limit, after, upTo ?? Number.MAX_SAFE_INTEGER];
  const { rows } = await db.query<Event>(selectAfter(filter, place));
  return rows;
}

const selectBefore = inOrder(
  '($4::bigint IS NULL OR id < $4) AND ($5::timestamptz IS NULL OR at >= $5) AND ($6::timestamptz IS NULL OR at < $6)',
  'id DESC',
);

/** Events of a period, newest first. */
export async function listBefore(
  db: Db,
  filter: EventFilter,
  {
    before,
    from,
    to,
    rows: limit,
  }: { before: number | null; from: Date | null; to: Date | null; rows: number },
): Promise<Event[]> {
  const { rows } = await db.query<Event>(selectBefore(filter, [limit, before, from, to]));
  return rows;
}

/** Whether an event matches a filter, as in the database queries. */
export function matches({ kinds, stationIds }: EventFilter, event: Event): boolean {
  return (
    (kinds === null || kinds.includes(event.kind) || kinds.includes(groupOf(event.kind))) &&
    (stationIds === null || stationIds.includes(event.stationId))
  );
}
