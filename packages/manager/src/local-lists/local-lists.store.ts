import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** What is known of a station's local authorization list. */
export interface LocalList {
  /** As the station told or accepted it; -1 for a station without local lists. */
  version: number | null;
  versionAt: Date | null;
  /** The version that the entries kept here stand for. */
  mirroredVersion: number | null;
  /** Of the last SendLocalList that was answered. */
  sentAt: Date | null;
  lastStatus: string | null;
  lastUpdateType: string | null;
  /** When the last Full list was sent that was accepted. */
  fullAt: Date | null;
  /** Since when the two sides may differ; only a Full list helps. */
  needsFullSince: Date | null;
}

const COLUMNS = `version, version_at AS "versionAt", mirrored_version AS "mirroredVersion", sent_at AS "sentAt",
  last_status AS "lastStatus", last_update_type AS "lastUpdateType", full_at AS "fullAt", needs_full_since AS "needsFullSince"`;

const select = statement('localLists.find', `SELECT ${COLUMNS} FROM local_lists WHERE station_id = $1`);

/** A station's local list; undefined when nothing has been said of it. */
export async function find(db: Db, stationId: string): Promise<LocalList | undefined> {
  const { rows } = await db.query<LocalList>(select([stationId]));
  return rows[0];
}

// Of a station that has been deleted nothing is kept.
const insertBlank = statement(
  'localLists.addBlank',
  `INSERT INTO local_lists (station_id) SELECT station_id FROM stations WHERE station_id = $1 ON CONFLICT DO NOTHING`,
);
const selectLocked = statement(
  'localLists.lock',
  `SELECT ${COLUMNS} FROM local_lists WHERE station_id = $1 FOR UPDATE`,
);

/** A station's local list, locked until the database transaction ends; undefined for a station that is not known. */
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

/** Writes what is known of a list that is locked. */
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

/** Notes that a station found its list to contradict us (Status.8), unless a Full list has been sent since. */
export async function requireFull(db: Db, stationId: string, since: Date): Promise<void> {
  await db.query(markConflict([stationId, since]));
}
