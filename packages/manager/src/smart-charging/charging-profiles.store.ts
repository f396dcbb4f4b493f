import type { ChargingProfile, ClearChargingProfileRequest } from '@evander/ocpp';
import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** A profile that a station has accepted. */
export interface InstalledProfile {
  stationId: string;
  connectorId: number;
  /** A TxProfile has the id of its transaction. */
  profile: ChargingProfile;
  /** The command that brought it. */
  commandId: string;
  setAt: Date;
}

const lockStation = statement(
  'chargingProfiles.lock',
  'SELECT pg_advisory_xact_lock(hashtextextended($1, 2))',
);

// With the row lock, a transaction that ends concurrently ends either before the profile is stored, or after it and then removes it.
const selectEnded = statement(
  'chargingProfiles.isEnded',
  `SELECT state <> 'open' AS "isEnded" FROM transactions WHERE station_id = $1 AND transaction_id = $2 FOR SHARE`,
);

const sameSlot = (purpose: string, stackLevel: string, connectorId: string, transactionId: string): string =>
  `(${purpose} = $4 AND ${stackLevel} = $5 AND ${connectorId} = $3 AND ${transactionId} IS NOT DISTINCT FROM $6)`;

// For a late answer: a newer command may already have replaced or cleared the profile.
const selectUndone = statement(
  'chargingProfiles.isUndone',
  `SELECT FROM commands k, LATERAL (SELECT k.request -> 'csChargingProfiles' AS profile) p
   WHERE k.station_id = $1 AND k.action IN ('SetChargingProfile', 'ClearChargingProfile')
     AND k.sequence > (SELECT sequence FROM commands WHERE command_id = $7)
     AND (k.action = 'SetChargingProfile' AND k.response ->> 'status' = 'Accepted'
         AND ((p.profile ->> 'chargingProfileId')::int = $2 OR ${sameSlot(
           "p.profile ->> 'chargingProfilePurpose'",
           "(p.profile ->> 'stackLevel')::int",
           "(k.request ->> 'connectorId')::int",
           "(p.profile ->> 'transactionId')::int",
         )})
       OR k.action = 'ClearChargingProfile' AND k.response ->> 'status' IN ('Accepted', 'Unknown')
         AND (k.request ->> 'id' IS NOT NULL AND (k.request ->> 'id')::int = $2
           OR k.request ->> 'id' IS NULL
             AND coalesce((k.request ->> 'connectorId')::int = $3, true)
             AND coalesce(k.request ->> 'chargingProfilePurpose' = $4, true)
             AND coalesce((k.request ->> 'stackLevel')::int = $5, true)))
   LIMIT 1`,
);

const removeReplaced = statement(
  'chargingProfiles.removeReplaced',
  `DELETE FROM charging_profiles
   WHERE station_id = $1 AND (charging_profile_id = $2 OR ${sameSlot('purpose', 'stack_level', 'connector_id', 'transaction_id')})`,
);

const insert = statement(
  'chargingProfiles.add',
  `INSERT INTO charging_profiles (station_id, charging_profile_id, connector_id, purpose, stack_level, transaction_id, profile, set_at)
   SELECT $1, $2, $3, $4, $5, $6, $7, $8 FROM stations WHERE station_id = $1`,
);

/**
 * Stores a profile that a station accepted, in place of those that it replaces (SetProfile.3): the one with its id, and the one with the
 * same purpose, stack level and connector, for a TxProfile also the same transaction. A profile is not stored if its transaction has ended,
 * or if a newer command replaced or cleared it before its own answer arrived.
 */
export async function add(db: Db, installed: InstalledProfile): Promise<void> {
  const { stationId, profile, commandId, setAt } = installed;
  const transactionId = profile.transactionId ?? null;
  if (transactionId !== null) {
    const { rows } = await db.query<{ isEnded: boolean }>(selectEnded([stationId, transactionId]));
    if (rows[0]?.isEnded) return;
  }
  await db.query(lockStation([stationId]));
  const place = placeOf(installed);
  const undone = await db.query(selectUndone([...place, commandId]));
  if (undone.rowCount) return;
  await db.query(removeReplaced(place));
  await db.query(insert([...place, JSON.stringify(profile), setAt]));
}

const removeMatching = statement(
  'chargingProfiles.clear',
  `DELETE FROM charging_profiles
   WHERE station_id = $1 AND set_at <= $2
     AND ($3::int IS NOT NULL AND charging_profile_id = $3
       OR $3::int IS NULL AND ($4::int IS NULL OR connector_id = $4) AND ($5::text IS NULL OR purpose = $5)
         AND ($6::int IS NULL OR stack_level = $6))`,
);

/**
 * Deletes the profiles that a station cleared: the one with the id, or those that match all other fields (ClearProfile.1). Profiles set
 * after the command was sent stay.
 */
export async function clear(
  db: Db,
  { stationId, filter, sentAt }: { stationId: string; filter: ClearChargingProfileRequest; sentAt: Date },
): Promise<void> {
  const { id = null, connectorId = null, chargingProfilePurpose = null, stackLevel = null } = filter;
  await db.query(lockStation([stationId]));
  await db.query(removeMatching([stationId, sentAt, id, connectorId, chargingProfilePurpose, stackLevel]));
}

const countNotReplaced = statement(
  'chargingProfiles.countBeside',
  `SELECT count(*)::int AS others FROM charging_profiles
   WHERE station_id = $1 AND charging_profile_id <> $2
     AND NOT ${sameSlot('purpose', 'stack_level', 'connector_id', 'transaction_id')}`,
);

/** The number of a station's profiles that a new one would not replace. */
export async function countOthers(
  db: Db,
  profile: Pick<InstalledProfile, 'stationId' | 'connectorId' | 'profile'>,
): Promise<number> {
  const { rows } = await db.query<{ others: number }>(countNotReplaced(placeOf(profile)));
  return rows[0]?.others ?? 0;
}

function placeOf({
  stationId,
  connectorId,
  profile,
}: Pick<InstalledProfile, 'stationId' | 'connectorId' | 'profile'>): unknown[] {
  const { chargingProfileId, chargingProfilePurpose, stackLevel, transactionId = null } = profile;
  return [stationId, chargingProfileId, connectorId, chargingProfilePurpose, stackLevel, transactionId];
}
