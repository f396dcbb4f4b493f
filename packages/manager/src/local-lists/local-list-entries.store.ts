import type { AuthorizationData } from '@evander/ocpp';
import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

const removeAll = statement('localListEntries.clear', 'DELETE FROM local_list_entries WHERE station_id = $1');

/** Deletes all entries of a station's list. */
export async function clear(db: Db, stationId: string): Promise<void> {
  await db.query(removeAll([stationId]));
}

// If a tag appears more than once, the last entry counts.
const mergeAll = statement(
  'localListEntries.merge',
  `WITH sent AS (
     SELECT DISTINCT ON (lower(id_tag)) lower(id_tag) AS id_tag_key, id_tag, id_tag_info
     FROM unnest($2::text[], $3::json[]) WITH ORDINALITY AS entries (id_tag, id_tag_info, place)
     ORDER BY lower(id_tag), place DESC),
   removed AS (DELETE FROM local_list_entries e USING sent
     WHERE e.station_id = $1 AND e.id_tag_key = sent.id_tag_key AND sent.id_tag_info IS NULL)
   INSERT INTO local_list_entries (station_id, id_tag_key, id_tag, id_tag_info)
   SELECT $1, id_tag_key, id_tag, id_tag_info FROM sent WHERE id_tag_info IS NOT NULL
   ON CONFLICT (station_id, id_tag_key) DO UPDATE SET id_tag = excluded.id_tag, id_tag_info = excluded.id_tag_info`,
);

/** Adds and changes entries; an entry without idTagInfo removes its tag (1.6 §7.1). */
export async function merge(db: Db, stationId: string, entries: AuthorizationData[]): Promise<void> {
  const infos = entries.map(({ idTagInfo }) => (idTagInfo ? JSON.stringify(idTagInfo) : null));
  await db.query(mergeAll([stationId, entries.map(({ idTag }) => idTag), infos]));
}

const countExcept = statement(
  'localListEntries.countOthers',
  `SELECT count(*)::int AS others FROM local_list_entries
   WHERE station_id = $1 AND id_tag_key NOT IN (SELECT lower(named) FROM unnest($2::text[]) AS named)`,
);

/** Number of entries of a station's list, not counting those of the given tags. */
export async function countOthers(db: Db, stationId: string, idTags: string[]): Promise<number> {
  const { rows } = await db.query<{ others: number }>(countExcept([stationId, idTags]));
  return rows[0]?.others ?? 0;
}

/** An entry as the API shows it. */
export interface LocalListEntryRow {
  idTag: string;
  status: string;
  parentIdTag: string | null;
  expiryDate: string | null;
}

const selectPage = search(
  `SELECT id_tag AS "idTag", id_tag_info ->> 'status' AS status, id_tag_info ->> 'parentIdTag' AS "parentIdTag",
     id_tag_info ->> 'expiryDate' AS "expiryDate"
   FROM local_list_entries
   WHERE station_id = $1 AND ($2::text IS NULL OR id_tag_key > $2) AND ($3::text IS NULL OR id_tag_key = lower($3))
   ORDER BY id_tag_key LIMIT $4`,
);

export interface LocalListEntryFilter {
  stationId: string;
  after: string | null;
  idTag?: string;
  rows: number;
}

/** A station's entries, ordered by idTag. */
export async function list(
  db: Db,
  { stationId, after, idTag, rows: limit }: LocalListEntryFilter,
): Promise<LocalListEntryRow[]> {
  const { rows } = await db.query<LocalListEntryRow>(selectPage([stationId, after, idTag ?? null, limit]));
  return rows;
}
