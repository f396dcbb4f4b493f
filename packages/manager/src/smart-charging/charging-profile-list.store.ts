import type { ChargingProfile, InstalledProfile } from '@evander/ocpp';
import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** A charging profile as the API shows it. */
export interface ChargingProfileRow {
  chargingProfileId: number;
  connectorId: number;
  purpose: string;
  stackLevel: number;
  transactionId: number | null;
  chargingProfile: ChargingProfile;
  setAt: Date;
}

const selectPage = search(
  `SELECT charging_profile_id AS "chargingProfileId", connector_id AS "connectorId", purpose, stack_level AS "stackLevel",
     transaction_id AS "transactionId", profile AS "chargingProfile", set_at AS "setAt"
   FROM charging_profiles
   WHERE station_id = $1 AND ($2::int IS NULL OR charging_profile_id > $2) AND ($3::int IS NULL OR connector_id = $3)
     AND ($4::text IS NULL OR purpose = $4) AND ($5::int IS NULL OR transaction_id = $5)
   ORDER BY charging_profile_id LIMIT $6`,
);

export interface ChargingProfileFilter {
  stationId: string;
  after: number | null;
  connectorId?: number;
  purpose?: string;
  transactionId?: number;
  rows: number;
}

/** A station's charging profiles, by id. */
export async function list(db: Db, filter: ChargingProfileFilter): Promise<ChargingProfileRow[]> {
  const { stationId, after, connectorId, purpose, transactionId } = filter;
  const values = [stationId, after, connectorId ?? null, purpose ?? null, transactionId ?? null, filter.rows];
  const { rows } = await db.query<ChargingProfileRow>(selectPage(values));
  return rows;
}

const selectInstalled = statement(
  'chargingProfiles.installed',
  'SELECT connector_id AS "connectorId", profile FROM charging_profiles WHERE station_id = $1',
);

/** All profiles that a station has, as input for its composite schedule. */
export async function installed(db: Db, stationId: string): Promise<InstalledProfile[]> {
  const { rows } = await db.query<InstalledProfile>(selectInstalled([stationId]));
  return rows;
}
