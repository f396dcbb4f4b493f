import type { Db } from './db.ts';
import { statement } from './db.ts';

const selectValue = statement(
  'configuration.value',
  'SELECT value FROM configuration_keys WHERE station_id = $1 AND key_lower = lower($2)',
);

/** The last known value of a station's key; undefined when it is not known, or not set. */
export async function value(db: Db, stationId: string, key: string): Promise<string | undefined> {
  const { rows } = await db.query<{ value: string | null }>(selectValue([stationId, key]));
  return rows[0]?.value ?? undefined;
}

/** The items of a comma separated list; undefined when the key is not known. */
export async function list(db: Db, stationId: string, key: string): Promise<string[] | undefined> {
  const text = await value(db, stationId, key);
  return text
    ?.split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** A number; undefined when the key is not known or holds none. */
export async function integer(db: Db, stationId: string, key: string): Promise<number | undefined> {
  const text = await value(db, stationId, key);
  return text !== undefined && /^-?\d{1,9}$/.test(text.trim()) ? Number(text) : undefined;
}

/** True or false in any case (ChangeConfiguration.8); undefined when the key is not known or holds neither. */
export async function boolean(db: Db, stationId: string, key: string): Promise<boolean | undefined> {
  const text = (await value(db, stationId, key))?.trim().toLowerCase();
  return text === 'true' ? true : text === 'false' ? false : undefined;
}
