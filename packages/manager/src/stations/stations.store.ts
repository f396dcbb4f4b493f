import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

export type RegistrationStatus = 'Accepted' | 'Pending' | 'Rejected';

export interface Station {
  stationId: string;
  securityProfile: number;
  bootAnswer: RegistrationStatus;
  registrationStatus: RegistrationStatus | null;
}

const COLUMNS = `station_id AS "stationId", security_profile AS "securityProfile", boot_answer AS "bootAnswer",
  registration_status AS "registrationStatus"`;

const select = statement('stations.find', `SELECT ${COLUMNS} FROM stations WHERE station_id = $1`);

export async function find(db: Db, stationId: string): Promise<Station | undefined> {
  const { rows } = await db.query<Station>(select([stationId]));
  return rows[0];
}

const selectAccepted = statement(
  'stations.accepted',
  `SELECT station_id AS "stationId" FROM stations WHERE station_id = ANY ($1::text[]) AND registration_status = 'Accepted'`,
);

/** The ids of those stations that are accepted. */
export async function accepted(db: Db, stationIds: string[]): Promise<Set<string>> {
  const { rows } = await db.query<{ stationId: string }>(selectAccepted([stationIds]));
  return new Set(rows.map(({ stationId }) => stationId));
}

const selectLocked = statement(
  'stations.lock',
  `SELECT booted_at AS "bootedAt", configuration_read_at AS "configurationReadAt" FROM stations WHERE station_id = $1 FOR UPDATE`,
);

/**
 * When a station last booted and last reported its whole configuration. Locks the station until the database transaction ends. Undefined when
 * unknown.
 */
export async function lock(
  db: Db,
  stationId: string,
): Promise<{ bootedAt: Date | null; configurationReadAt: Date | null } | undefined> {
  const { rows } = await db.query<{ bootedAt: Date | null; configurationReadAt: Date | null }>(
    selectLocked([stationId]),
  );
  return rows[0];
}

const insertUnknown = statement(
  'stations.addUnknown',
  `INSERT INTO stations (station_id)
   SELECT id FROM unnest($1::text[]) AS heard (id) WHERE NOT EXISTS (SELECT FROM stations WHERE serial_numbers @> ARRAY[id])
   ORDER BY id ON CONFLICT DO NOTHING`,
);

/** Adds unregistered stations, without a password; ignores ids that are registered as a serial number of another station. */
export async function addUnknown(db: Db, stationIds: string[]): Promise<void> {
  await db.query(insertUnknown([stationIds]));
}

const selectCredentials = statement(
  'stations.credentials',
  `SELECT station_id AS "stationId", user_name AS "userName", security_profile AS "securityProfile", password_hashes || ARRAY(
       SELECT unnest(p.password_hashes) FROM password_changes p WHERE p.station_id = s.station_id) AS "passwordHashes",
     assumed_subprotocol AS "assumedSubprotocol",
     (SELECT value::int FROM configuration_keys k
      WHERE k.station_id = s.station_id AND k.key_lower = 'heartbeatinterval' AND value ~ '^[0-9]{1,9}$') AS "heartbeatSeconds"
   FROM stations s WHERE station_id = ANY ($1::text[])`,
);

const selectNames = statement(
  'stations.registeredNames',
  `SELECT station_id || serial_numbers AS names FROM stations WHERE station_id = $1`,
);

/**
 * The names that a certificate of a station may contain: its id and the serial numbers that an operator registered for it (ocppj.md TLS.10).
 * Serial numbers that the station reports do not count, or it could claim another's name. Empty when the station is unknown.
 */
export async function registeredNames(db: Db, stationId: string): Promise<string[]> {
  const { rows } = await db.query<{ names: string[] }>(selectNames([stationId]));
  return rows[0]?.names ?? [];
}

const selectNamed = statement(
  'stations.otherNamed',
  `SELECT station_id AS "stationId" FROM stations
   WHERE (station_id = ANY ($2::text[]) OR serial_numbers && $2::text[]) AND station_id <> $1 LIMIT 1`,
);

/** Another station that has one of these names as its id or as a registered serial number. */
export async function otherNamed(
  db: Db,
  stationId: string,
  names: readonly string[],
): Promise<string | undefined> {
  // PostgreSQL cannot store U+0000, so no station has such a name.
  const possible = names.filter((name) => !name.includes('\0'));
  const { rows } = await db.query<{ stationId: string }>(selectNamed([stationId, possible]));
  return rows[0]?.stationId;
}

const updateCertificate = statement(
  'stations.noteCertificate',
  'UPDATE stations SET certificate_fingerprint = $2 WHERE station_id = $1 AND certificate_fingerprint IS DISTINCT FROM $2',
);

/** Stores the fingerprint of the certificate with which a station connected. */
export async function noteCertificate(db: Db, stationId: string, fingerprint: string): Promise<void> {
  await db.query(updateCertificate([stationId, fingerprint]));
}

const selectOther = statement(
  'stations.otherWithCertificate',
  `SELECT station_id AS "stationId" FROM stations WHERE certificate_fingerprint = $2 AND station_id <> $1 LIMIT 1`,
);

/** Another station that connected with the same certificate (ocppj.md TLS.11). */
export async function otherWithCertificate(
  db: Db,
  stationId: string,
  fingerprint: string,
): Promise<string | undefined> {
  const { rows } = await db.query<{ stationId: string }>(selectOther([stationId, fingerprint]));
  return rows[0]?.stationId;
}

const raisePending = statement(
  'stations.expectProfile',
  'UPDATE stations SET pending_security_profile = $2 WHERE station_id = $1',
);

/** Stores the security profile that a station was instructed to use, null for none; its current one applies until it connects with it. */
export async function expectProfile(
  db: Db,
  stationId: string,
  securityProfile: number | null,
): Promise<void> {
  await db.query(raisePending([stationId, securityProfile]));
}

// Rows are locked in a fixed order, or two managers with the same stations could deadlock.
const applyPending = statement(
  'stations.takeProfiles',
  `WITH met AS (
     SELECT station_id FROM stations s JOIN unnest($1::text[], $2::int[]) AS connected (station_id, security_profile) USING (station_id)
     WHERE s.pending_security_profile <= connected.security_profile ORDER BY station_id FOR NO KEY UPDATE OF s)
   UPDATE stations s SET security_profile = s.pending_security_profile, pending_security_profile = NULL
   FROM met WHERE s.station_id = met.station_id`,
);

/** Applies pending security profiles to stations that connected with them or with a higher one (ocppj.md §8, 5). */
export async function takeProfiles(
  db: Db,
  connected: readonly { stationId: string; securityProfile?: number }[],
): Promise<void> {
  const secured = connected.filter(({ securityProfile = 0 }) => securityProfile > 0);
  if (secured.length === 0) return;
  await db.query(
    applyPending([
      secured.map(({ stationId }) => stationId),
      secured.map(({ securityProfile }) => securityProfile),
    ]),
  );
}

export interface StationCredentials {
  stationId: string;
  securityProfile: number;
  passwordHashes: string[];
  /** The Basic user name if it is not the station's id. */
  userName: string | null;
  /** Used if the station offers no subprotocol; null: such a station is rejected. */
  assumedSubprotocol: 'ocpp1.6' | null;
  /** Its HeartbeatInterval as it last reported or accepted it. */
  heartbeatSeconds: number | null;
}

/** What a station may present at a handshake: its password, and any that a command may have set. */
export async function credentials(db: Db, stationId: string): Promise<StationCredentials | undefined> {
  return (await credentialsOfAll(db, [stationId])).get(stationId);
}

/** The credentials of several stations by id; unknown stations are omitted. */
export async function credentialsOfAll(
  db: Db,
  stationIds: string[],
): Promise<Map<string, StationCredentials>> {
  const { rows } = await db.query<StationCredentials>(selectCredentials([stationIds]));
  return new Map(rows.map((row) => [row.stationId, row]));
}

const markReset = statement(
  'stations.expectBoot',
  `UPDATE stations SET reset_pending_since = $2 WHERE station_id = $1 AND (booted_at IS NULL OR booted_at < $2)`,
);

/** Records an accepted reset, unless the station has booted since. */
export async function expectBoot(db: Db, stationId: string, since: Date): Promise<void> {
  await db.query(markReset([stationId, since]));
}

// Rows are locked in a fixed order, or two managers with the same stations could deadlock.
const updateSeen = statement(
  'stations.markSeen',
  `WITH later AS (
     SELECT station_id, seen.at FROM stations s JOIN unnest($1::text[], $2::timestamptz[]) AS seen (station_id, at) USING (station_id)
     WHERE last_seen_at IS NULL OR last_seen_at < seen.at ORDER BY station_id FOR NO KEY UPDATE OF s)
   UPDATE stations s SET last_seen_at = later.at FROM later WHERE s.station_id = later.station_id`,
);

/** Records when stations were last seen. */
export async function markSeen(db: Db, seen: ReadonlyMap<string, Date>): Promise<void> {
  const ids = [...seen.keys()];
  await db.query(updateSeen([ids, ids.map((id) => seen.get(id))]));
}
