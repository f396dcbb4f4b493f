import { search } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** A configuration key as the API shows it. */
export interface ConfigurationRow {
  key: string;
  value: string | null;
  readonly: boolean;
  rebootRequired: boolean;
  /** Null if the station never reported the key: it is only desired. */
  readAt: Date | null;
}

const selectPage = search(
  `SELECT coalesce(k.key, e.key) AS key, k.value, coalesce(k.readonly, false) AS readonly,
     coalesce(k.reboot_required, false) AS "rebootRequired", k.read_at AS "readAt"
   FROM (SELECT * FROM configuration_keys WHERE station_id = $1) k
     FULL JOIN (SELECT key_lower, key FROM effective_configuration WHERE station_id = $1) e USING (key_lower)
   WHERE ($2::text IS NULL OR key_lower > $2) AND ($3::text IS NULL OR key_lower = lower($3))
   ORDER BY key_lower LIMIT $4`,
);

export interface ConfigurationFilter {
  stationId: string;
  after: string | null;
  key?: string;
  rows: number;
}

/** A station's configuration, by key. */
export async function list(
  db: Db,
  { stationId, after, key, rows: limit }: ConfigurationFilter,
): Promise<ConfigurationRow[]> {
  const { rows } = await db.query<ConfigurationRow>(selectPage([stationId, after, key ?? null, limit]));
  return rows;
}
