import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** Stations with a common desired state: those listed, and those that match all given fields of vendor, model and prefix. */
export interface StationGroup {
  name: string;
  rank: number;
  stationIds: string[];
  vendor: string | null;
  model: string | null;
  prefix: string | null;
  /** Number of members. */
  stations: number;
  updatedAt: Date;
}

export type GroupChange = Partial<Omit<StationGroup, 'name' | 'stations' | 'updatedAt'>>;

// Does station s match the fields of group g? `coalesce`, because stations that never booted have no vendor or model.
const MATCHES = `coalesce((g.vendor IS NULL OR s.vendor = g.vendor) AND (g.model IS NULL OR s.model = g.model)
  AND (g.prefix IS NULL OR starts_with(s.station_id, g.prefix)) AND coalesce(g.vendor, g.model, g.prefix) IS NOT NULL, false)`;

// One pass over the stations counts the members of all groups without a prefix; stations with a common prefix are adjacent in the index.
const selectGroups = (clause: string): string => `
  WITH makes AS MATERIALIZED (SELECT vendor, model, count(*) AS stations FROM stations GROUP BY vendor, model)
  SELECT name, rank, station_ids AS "stationIds", vendor, model, prefix, updated_at AS "updatedAt",
    (CASE
       WHEN prefix IS NOT NULL THEN (SELECT count(*) FROM stations s WHERE s.station_id COLLATE "C" >= g.prefix
         AND s.station_id COLLATE "C" < g.prefix || U&'\\+10FFFF' AND ${MATCHES})
       WHEN coalesce(vendor, model) IS NOT NULL THEN (SELECT coalesce(sum(m.stations), 0) FROM makes m
         WHERE (g.vendor IS NULL OR m.vendor = g.vendor) AND (g.model IS NULL OR m.model = g.model))
       ELSE 0 END
     + (SELECT count(*) FROM stations s WHERE s.station_id = ANY (g.station_ids) AND NOT ${MATCHES}))::int AS stations
  FROM station_groups g ${clause}`;

const selectOne = statement('stationGroups.get', selectGroups('WHERE name = $1'));

export async function get(db: Db, name: string): Promise<StationGroup | undefined> {
  const { rows } = await db.query<StationGroup>(selectOne([name]));
  return rows[0];
}

const selectPage = search(selectGroups('WHERE ($1::text IS NULL OR name > $1) ORDER BY name LIMIT $2'));

/** Groups by name. */
export async function list(
  db: Db,
  { after, rows: limit }: { after: string | null; rows: number },
): Promise<StationGroup[]> {
  const { rows } = await db.query<StationGroup>(selectPage([after, limit]));
  return rows;
}

// Omitted fields keep their value.
const upsert = statement(
  'stationGroups.put',
  `INSERT INTO station_groups AS known (name, rank, station_ids, vendor, model, prefix, updated_at)
   VALUES ($1, coalesce($2, 100), coalesce($3::text[], '{}'), $4::jsonb ->> 'vendor', $4 ->> 'model', $4 ->> 'prefix', $5)
   ON CONFLICT (name) DO UPDATE SET rank = coalesce($2, known.rank), station_ids = coalesce($3::text[], known.station_ids),
     vendor = CASE WHEN $4 ? 'vendor' THEN excluded.vendor ELSE known.vendor END,
     model = CASE WHEN $4 ? 'model' THEN excluded.model ELSE known.model END,
     prefix = CASE WHEN $4 ? 'prefix' THEN excluded.prefix ELSE known.prefix END, updated_at = $5
   RETURNING xmax = 0 AS "isNew"`,
);

/** Adds or changes a group; true when it is new. */
export async function put(db: Db, name: string, change: GroupChange, at: Date): Promise<boolean> {
  const { rank, stationIds, ...filter } = change;
  const values = [name, rank ?? null, stationIds ?? null, JSON.stringify(filter), at];
  const { rows } = await db.query<{ isNew: boolean }>(upsert(values));
  return rows[0]?.isNew ?? false;
}

const removeOne = statement('stationGroups.remove', 'DELETE FROM station_groups WHERE name = $1');

/** Removes a group and its desired state; false when there is none. */
export async function remove(db: Db, name: string): Promise<boolean> {
  const { rowCount } = await db.query(removeOne([name]));
  return rowCount === 1;
}
