import type { Db } from './db.ts';
import { search } from './db.ts';

/** A configuration key as the API shows it. */
export interface ConfigurationRow {
  key: string;
  value: string | null;
  readonly: boolean;
  rebootRequired: boolean;
  readAt: Date;
}

const selectPage = search(
  `SELECT key, value, readonly, reboot_required AS "rebootRequired", read_at AS "readAt" FROM configuration_keys
   WHERE station_id = $1 AND ($2::text IS NULL OR key_lower > $2) AND ($3::text IS NULL OR key_lower = lower($3))
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
  { stationId, after, key, rows: most }: ConfigurationFilter,
): Promise<ConfigurationRow[]> {
  const { rows } = await db.query<ConfigurationRow>(selectPage([stationId, after, key ?? null, most]));
  return rows;
}
