import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** What is known of a station's local authorization list. */
export interface LocalList {
  /** As reported or accepted by the station; -1 for a station without local lists. */
  version: number | null;
  versionAt: Date | null;
  /** The version of the entries stored here. */
  mirroredVersion: number | null;
  /** When the last answered SendLocalList was sent. */
  sentAt: Date | null;
  lastStatus: string | null;
  lastUpdateType: string | null;
  /** When the last accepted Full list was sent. */
  fullAt: Date | null;
  /** Since when the station's entries may differ from those stored here; only a Full list repairs that. */
  needsFullSince: Date | null;
}

const COLUMNS = `version, version_at AS "versionAt", mirrored_version AS "mirroredVersion", sent_at AS "sentAt",
  last_status AS "lastStatus", last_update_type AS "lastUpdateType", full_at AS "fullAt", needs_full_since AS "needsFullSince"`;

const select = statement('localLists.find', `SELECT ${COLUMNS} FROM local_lists WHERE station_id = $1`);

/** A station's local list; undefined if nothing is known about it. */
export async function find(db: Db, stationId: string): Promise<LocalList | undefined> {
  const { rows } = await db.query<LocalList>(select([stationId]));
  return rows[0];
}

// Nothing is stored for a deleted station.
const insertBlank = statement(
  'localLists.addBlank',
  `INSERT INTO local_lists (station_id) SELECT station_id FROM stations WHERE station_id = $1 ON CONFLICT DO NOTHING`,
);
const selectLocked = statement(
  'localLists.lock',
  `SELECT ${COLUMNS} FROM local_lists WHERE station_id = $1 FOR UPDATE`,
);

/** A station's local list; locks it until the database transaction ends. Undefined for an unknown station. */
export async function lock(db: Db, stationId: string): Promise<LocalList | undefined> {
  await db.query(insertBlank([stationId]));
  const { rows } = await db.query<LocalList>(selectLocked([stationId]));
  return rows[0];
}

const update = statement(
  'localLists.put',
  `UPDATE local_lists SET version = $2, version_at = $3, mirrored_version = $4, sent_at = $5, last_status = $6, last_update_type = $7,
     full_at = $8, needs_full_since = $9
   WHERE station_id = $1`,
);

/** Writes a list that the caller has locked. */
export async function put(db: Db, stationId: string, list: LocalList): Promise<void> {
  await db.query(
    update([
      stationId,
      list.version,
      list.versionAt,
      list.mirroredVersion,
      list.sentAt,
      list.lastStatus,
      list.lastUpdateType,
      list.fullAt,
      list.needsFullSince,
    ]),
  );
}

const markConflict = statement(
  'localLists.markConflict',
  `INSERT INTO local_lists AS known (station_id, needs_full_since) SELECT station_id, $2 FROM stations WHERE station_id = $1
   ON CONFLICT (station_id) DO UPDATE SET needs_full_since = $2
   WHERE known.needs_full_since IS NULL AND (known.full_at IS NULL OR known.full_at < $2)`,
);

/** Records that a station reported a conflict with its list (Status.8), unless a Full list has been sent since. */
export async function requireFull(db: Db, stationId: string, since: Date): Promise<void> {
  await db.query(markConflict([stationId, since]));
}
