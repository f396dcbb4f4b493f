import { INT32_MAX } from '@evander/ocpp';
import type { Profile } from '@evander/ocpp';
import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import { bootColumns, BOOTED } from '../stations/boots.store.ts';
import type { BootTimes } from '../stations/boots.store.ts';
import { readBoolean, readInteger } from './configuration-keys.ts';

const selectValue = statement(
  'configuration.value',
  'SELECT value FROM configuration_keys WHERE station_id = $1 AND key_lower = lower($2)',
);

/** The last known value of a station's key; undefined if it is unknown or not set. */
export async function value(db: Db, stationId: string, key: string): Promise<string | undefined> {
  const { rows } = await db.query<{ value: string | null }>(selectValue([stationId, key]));
  return rows[0]?.value ?? undefined;
}

/** The items of a comma-separated list; undefined if the key is unknown. */
export async function list(db: Db, stationId: string, key: string): Promise<string[] | undefined> {
  const text = await value(db, stationId, key);
  return text
    ?.split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** False if the station's SupportedFeatureProfiles are known and do not include this one (G.13). */
export async function mayHaveFeature(db: Db, stationId: string, profile: Profile): Promise<boolean> {
  const listed = await list(db, stationId, 'SupportedFeatureProfiles');
  return !listed || listed.some((name) => name.toLowerCase() === profile.toLowerCase());
}

/** An integer; undefined if the key is unknown or its value is not an integer. */
export async function integer(db: Db, stationId: string, key: string): Promise<number | undefined> {
  const text = await value(db, stationId, key);
  return text === undefined ? undefined : readInteger(text);
}

/** A boolean; undefined if the key is unknown or its value is not a boolean. */
export async function boolean(db: Db, stationId: string, key: string): Promise<boolean | undefined> {
  const text = await value(db, stationId, key);
  return text === undefined ? undefined : readBoolean(text);
}

const selectHeartbeat = statement(
  'configuration.heartbeatSeconds',
  `SELECT station_id AS "stationId", coalesce(
       (SELECT value FROM effective_configuration e WHERE e.station_id = requested.station_id AND key_lower = 'heartbeatinterval'),
       (SELECT accepted_value FROM configuration_keys k WHERE k.station_id = requested.station_id AND key_lower = 'heartbeatinterval')) AS text
   FROM unnest($1::text[]) AS requested (station_id)`,
);

/**
 * The heartbeat interval of each station, in seconds: the desired one, otherwise the last one accepted by ChangeConfiguration. Stations
 * with neither are omitted. Reported values are not used: they may stem from the reply to the last boot.
 */
export async function heartbeatSeconds(db: Db, stationIds: string[]): Promise<Map<string, number>> {
  const { rows } = await db.query<{ stationId: string; text: string | null }>(selectHeartbeat([stationIds]));
  const known = rows.map(
    ({ stationId, text }) => [stationId, text === null ? 0 : readInteger(text)] as const,
  );
  return new Map(
    known.filter((one): one is [string, number] => one[1] !== undefined && one[1] > 0 && one[1] <= INT32_MAX),
  );
}

const selectEmaids = statement(
  'configuration.findsEmaidsOffline',
  `SELECT count(*) = 3 AS finds FROM configuration_keys
   WHERE station_id = $1 AND key_lower IN ('iso15118pncenabled', 'contractvalidationoffline', 'localauthorizeoffline')
     AND lower(trim(value)) IN ('true', '1') AND NOT reboot_required`,
);

/** Whether a station is known to look up Plug & Charge contracts in its local list when it is offline (PnC.15). */
export async function findsEmaidsOffline(db: Db, stationId: string): Promise<boolean> {
  const { rows } = await db.query<{ finds: boolean }>(selectEmaids([stationId]));
  return rows[0]?.finds ?? false;
}

const selectRead = statement(
  'configuration.isComplete',
  'SELECT configuration_read_at IS NOT NULL AS "isComplete" FROM stations WHERE station_id = $1',
);

/** Whether a station has reported all its keys. If so, it does not have keys that are unknown. */
export async function isComplete(db: Db, stationId: string): Promise<boolean> {
  const { rows } = await db.query<{ isComplete: boolean }>(selectRead([stationId]));
  return rows[0]?.isComplete ?? false;
}

const selectReadonly = statement(
  'configuration.isReadonly',
  'SELECT readonly FROM configuration_keys WHERE station_id = $1 AND key_lower = lower($2)',
);

/** Whether a station reports a key as read-only; undefined if it has not reported the key. */
export async function isReadonly(db: Db, stationId: string, key: string): Promise<boolean | undefined> {
  const { rows } = await db.query<{ readonly: boolean }>(selectReadonly([stationId, key]));
  return rows[0]?.readonly;
}

export interface ReadKey {
  key: string;
  readonly: boolean;
  /** Null: the key exists but is not set. */
  value: string | null;
}

// reboot_required stays: reading a value does not mean that the reboot has happened. If a key is reported twice, one counts.
const upsertRead = statement(
  'configuration.recordKeys',
  `INSERT INTO configuration_keys AS known (station_id, key_lower, key, value, readonly, read_at)
   SELECT DISTINCT ON (lower(key)) $1, lower(key), key, value, readonly, $5::timestamptz
   FROM unnest($2::text[], $3::text[], $4::boolean[]) AS reported (key, value, readonly) ORDER BY lower(key)
   ON CONFLICT (station_id, key_lower) DO UPDATE SET key = excluded.key, value = excluded.value, readonly = excluded.readonly,
     read_at = excluded.read_at
   WHERE known.read_at <= excluded.read_at`,
);

/** Stores keys as a station reported them in reply to a request sent at `readAt`, unless newer values are known. */
export async function recordKeys(
  db: Db,
  stationId: string,
  { keys, readAt }: { keys: ReadKey[]; readAt: Date },
): Promise<void> {
  const columns = [
    keys.map(({ key }) => key),
    keys.map(({ value }) => value),
    keys.map(({ readonly }) => readonly),
  ];
  await db.query(upsertRead([stationId, ...columns, readAt]));
}

const upsertChange = statement(
  'configuration.recordChange',
  `INSERT INTO configuration_keys AS known (station_id, key_lower, key, value, accepted_value, reboot_required, read_at)
   VALUES ($1, lower($2), $2, $3, $3, $4, $5)
   ON CONFLICT (station_id, key_lower) DO UPDATE SET value = excluded.value, accepted_value = excluded.accepted_value, reboot_required = excluded.reboot_required,
     read_at = excluded.read_at
   WHERE known.read_at <= excluded.read_at`,
);

export interface AcceptedChange {
  stationId: string;
  key: string;
  value: string | null;
  /** The value takes effect only after the next boot. */
  rebootRequired: boolean;
  sentAt: Date;
}

/** Stores a value that a station accepted, unless a newer one is known. */
export async function recordChange(db: Db, change: AcceptedChange): Promise<void> {
  const { stationId, key, value: accepted, rebootRequired, sentAt } = change;
  await db.query(upsertChange([stationId, key, accepted, rebootRequired, sentAt]));
}

const removeNamed = statement(
  'configuration.removeKeys',
  `DELETE FROM configuration_keys
   WHERE station_id = $1 AND key_lower IN (SELECT lower(named) FROM unnest($2::text[]) AS named) AND read_at <= $3`,
);

/** Deletes keys that a station does not have, unless newer values are known. */
export async function removeKeys(
  db: Db,
  stationId: string,
  { keys, readAt }: { keys: string[]; readAt: Date },
): Promise<void> {
  await db.query(removeNamed([stationId, keys, readAt]));
}

// Stations do not list write-only keys (AuthorizationKey), so it stays.
const removeUnlisted = statement(
  'configuration.removeOthers',
  `WITH complete AS (UPDATE stations SET configuration_read_at = $3 WHERE station_id = $1)
   DELETE FROM configuration_keys
   WHERE station_id = $1 AND key_lower NOT IN (SELECT lower(named) FROM unnest($2::text[]) AS named) AND read_at <= $3
     AND key_lower <> 'authorizationkey'`,
);

/** Records that a station has reported all its keys, and deletes others, unless newer values are known. */
export async function removeOthers(
  db: Db,
  stationId: string,
  { keys, readAt }: { keys: string[]; readAt: Date },
): Promise<void> {
  await db.query(removeUnlisted([stationId, keys, readAt]));
}

const bringIntoForce = statement(
  'configuration.putInForce',
  `UPDATE configuration_keys k SET reboot_required = false FROM ${BOOTED}
   WHERE k.station_id = booted.station_id AND reboot_required AND read_at < booted.at`,
);

/** Marks values that waited for a reboot as in effect, for stations that have booted. */
export async function putInForce(db: Db, boots: BootTimes): Promise<void> {
  await db.query(bringIntoForce(bootColumns(boots)));
}
