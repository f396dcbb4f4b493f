import type { AuthorizationData } from '@evander/ocpp';
import { tagKey } from '../authorization/tags.store.ts';
import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import { ownerColumns } from './desired-configuration.store.ts';
import type { Owner } from './desired-configuration.store.ts';

/** The desired tags of a local list: all, or those named plus those with one of the parents. */
export interface DesiredList {
  all: boolean;
  tags: string[];
  parentIdTags: string[];
}

const removeOne = statement(
  'desiredLocalLists.remove',
  'DELETE FROM desired_local_lists WHERE station_id IS NOT DISTINCT FROM $1 AND group_name IS NOT DISTINCT FROM $2',
);

/** Removes the desired list of a station or group; false if there was none. */
export async function remove(db: Db, owner: Owner): Promise<boolean> {
  const { rowCount } = await db.query(removeOne(ownerColumns(owner)));
  return rowCount === 1;
}

const upsert = (owner: 'station_id' | 'group_name'): string =>
  `INSERT INTO desired_local_lists (station_id, group_name, all_tags, id_tags, parent_id_tags) VALUES ($1, $2, $3, $4, $5)
   ON CONFLICT (${owner}) DO UPDATE SET all_tags = excluded.all_tags, id_tags = excluded.id_tags,
     parent_id_tags = excluded.parent_id_tags`;
const upsertOfStation = statement('desiredLocalLists.put', upsert('station_id'));
const upsertOfGroup = statement('desiredLocalLists.putGroup', upsert('group_name'));

/** Sets the desired list of a station or group. */
export async function put(db: Db, owner: Owner, { all, tags, parentIdTags }: DesiredList): Promise<void> {
  const keys = [tags, parentIdTags].map((names) => [...new Set(names.map(tagKey))]);
  const values = [...ownerColumns(owner), all, ...keys];
  await db.query('group' in owner ? upsertOfGroup(values) : upsertOfStation(values));
}

const LIST = `all_tags AS "all", id_tags AS tags, parent_id_tags AS "parentIdTags"`;
const selectOwn = statement(
  'desiredLocalLists.own',
  `SELECT ${LIST} FROM desired_local_lists WHERE station_id IS NOT DISTINCT FROM $1 AND group_name IS NOT DISTINCT FROM $2`,
);

/** The desired list of a station or group itself, with tags in lower case. */
export async function own(db: Db, owner: Owner): Promise<DesiredList | undefined> {
  const { rows } = await db.query<DesiredList>(selectOwn(ownerColumns(owner)));
  return rows[0];
}

const selectEffective = statement(
  'desiredLocalLists.effective',
  `SELECT ${LIST}, group_name AS "group" FROM effective_local_lists WHERE station_id = $1`,
);

/** The list that applies to a station: its own, otherwise that of the first of its groups; undefined if none is set. */
export async function effective(
  db: Db,
  stationId: string,
): Promise<(DesiredList & { group: string | null }) | undefined> {
  const { rows } = await db.query<DesiredList & { group: string | null }>(selectEffective([stationId]));
  return rows[0];
}

// The text of idTagInfo is exactly what is sent and stored, because entries are compared as text. Expired tags are excluded, and contracts
// if the station does not look them up (PnC.15).
const ENTRIES = `SELECT id_tag_key, id_tag, status,
     '{' || coalesce('"expiryDate":"' || to_char(expiry_date AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '",', '')
       || coalesce('"parentIdTag":' || to_json(parent_id_tag)::text || ',', '') || '"status":"' || status || '"}' AS info
   FROM tags WHERE (expiry_date IS NULL OR expiry_date > $2) AND ($6 OR emaid_key IS NULL)
     AND ($3 OR id_tag_key = ANY ($4::text[]) OR lower(parent_id_tag) = ANY ($5::text[]))`;
// If not all fit, accepted ones come first.
const DESIRED = `desired AS MATERIALIZED (${ENTRIES} ORDER BY status, id_tag_key LIMIT $7)`;

/** Parameters that determine the desired entries of a station at a time. */
export interface Desired {
  stationId: string;
  list: DesiredList;
  /** Whether the station looks up contracts in its list. */
  emaids: boolean;
  now: Date;
  /** How many entries fit; undefined: any number. */
  maxEntries: number | undefined;
}

function valuesOf({ stationId, list: { all, tags, parentIdTags }, emaids, now }: Desired): unknown[] {
  return [stationId, now, all, tags, parentIdTags, emaids];
}

const countAll = search(`SELECT count(*)::int AS entries FROM (${ENTRIES}) AS e WHERE $1::text IS NOT NULL`);

/** The number of desired entries, whether they fit or not. */
export async function count(db: Db, desired: Desired): Promise<number> {
  const { rows } = await db.query<{ entries: number }>(countAll(valuesOf(desired)));
  return rows[0]?.entries ?? 0;
}

const SURPLUS = (desired: string): string =>
  `SELECT e.id_tag AS "idTag" FROM local_list_entries e
   WHERE e.station_id = $1 AND NOT EXISTS (SELECT FROM ${desired} w WHERE w.id_tag_key = e.id_tag_key)
   ORDER BY e.id_tag_key LIMIT `;
const surplusOfAll = search(`${SURPLUS(`(${ENTRIES})`)} $7`);
const surplusOfSome = search(`WITH ${DESIRED} ${SURPLUS('desired')} $8`);

/** Entries that a station should not have, at most `rows`. */
export async function surplus(db: Db, desired: Desired, rows: number): Promise<AuthorizationData[]> {
  const values = valuesOf(desired);
  const { maxEntries } = desired;
  const query =
    maxEntries === undefined ? surplusOfAll([...values, rows]) : surplusOfSome([...values, maxEntries, rows]);
  return (await db.query<AuthorizationData>(query)).rows;
}

const MISSING = (desired: string, after: string): string =>
  `SELECT w.id_tag AS "idTag", w.info::json AS "idTagInfo" FROM ${desired} w
     LEFT JOIN local_list_entries e ON e.station_id = $1 AND e.id_tag_key = w.id_tag_key
   WHERE w.id_tag_key > ${after} AND e.id_tag_info::text IS DISTINCT FROM w.info ORDER BY w.id_tag_key LIMIT `;
const missingOfAll = search(`${MISSING(`(${ENTRIES})`, '$7')} $8`);
const missingOfSome = search(`WITH ${DESIRED} ${MISSING('desired', '$8')} $9`);

/** Entries that a station lacks or that differ, by idTag, starting after `after`, at most `rows`. */
export async function missing(
  db: Db,
  desired: Desired,
  { after, rows }: { after: string; rows: number },
): Promise<AuthorizationData[]> {
  const values = valuesOf(desired);
  const { maxEntries } = desired;
  const query =
    maxEntries === undefined
      ? missingOfAll([...values, after, rows])
      : missingOfSome([...values, maxEntries, after, rows]);
  return (await db.query<AuthorizationData>(query)).rows;
}

const FIRST = (desired: string): string =>
  `SELECT id_tag AS "idTag", info::json AS "idTagInfo" FROM ${desired} w WHERE $1::text IS NOT NULL ORDER BY id_tag_key LIMIT `;
const firstOfAll = search(`${FIRST(`(${ENTRIES})`)} $7`);
const firstOfSome = search(`WITH ${DESIRED} ${FIRST('desired')} $8`);

/** The first `rows` desired entries, whatever the station has. */
export async function first(db: Db, desired: Desired, rows: number): Promise<AuthorizationData[]> {
  const values = valuesOf(desired);
  const { maxEntries } = desired;
  const query =
    maxEntries === undefined ? firstOfAll([...values, rows]) : firstOfSome([...values, maxEntries, rows]);
  return (await db.query<AuthorizationData>(query)).rows;
}

const selectState = statement(
  'desiredLocalLists.state',
  `SELECT s.booted_at AS "bootedAt", coalesce(l.full_attempts, 0) AS "fullAttempts", l.full_tried_at AS "fullTriedAt"
   FROM stations s LEFT JOIN local_lists l USING (station_id) WHERE s.station_id = $1`,
);

/** When a station booted, and how often it was sent a Full list since it last reported the expected version. */
export interface Attempts {
  bootedAt: Date | null;
  fullAttempts: number;
  fullTriedAt: Date | null;
}

export async function attempts(db: Db, stationId: string): Promise<Attempts | undefined> {
  const { rows } = await db.query<Attempts>(selectState([stationId]));
  return rows[0];
}

const markAttempts = statement(
  'desiredLocalLists.noteAttempt',
  `INSERT INTO local_lists AS known (station_id, full_attempts, full_tried_at) SELECT station_id, $2, $3 FROM stations WHERE station_id = $1
   ON CONFLICT (station_id) DO UPDATE SET full_attempts = excluded.full_attempts,
     full_tried_at = coalesce(excluded.full_tried_at, known.full_tried_at)`,
);

/** Stores the number of Full lists sent and the time of the last; a null time keeps the stored one. */
export async function recordAttempts(
  db: Db,
  stationId: string,
  { fullAttempts, fullTriedAt }: Pick<Attempts, 'fullAttempts' | 'fullTriedAt'>,
): Promise<void> {
  await db.query(markAttempts([stationId, fullAttempts, fullTriedAt]));
}
