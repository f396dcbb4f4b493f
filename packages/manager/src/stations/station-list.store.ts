import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import { IS_CONNECTED } from './connections.store.ts';
import type { RegistrationStatus } from './stations.store.ts';

/** A station as the API shows it: a registered one, or a rejected one that can be adopted. */
export interface StationRow {
  stationId: string;
  adopted: boolean;
  connected: boolean;
  connectedAt: Date | null;
  /** Null while its last connection is open, and if the connection ended with a crash of its gateway. */
  disconnectedAt: Date | null;
  connectionId: string | null;
  gatewayId: string | null;
  remoteAddress: string | null;
  securityProfile: number | null;
  pendingSecurityProfile: number | null;
  connectionSecurityProfile: number | null;
  serialNumbers: string[] | null;
  certificateFingerprint: string | null;
  userName: string | null;
  assumedSubprotocol: 'ocpp1.6' | null;
  bootAnswer: RegistrationStatus | null;
  registrationStatus: RegistrationStatus | null;
  bootedAt: Date | null;
  vendor: string | null;
  model: string | null;
  chargePointSerialNumber: string | null;
  chargeBoxSerialNumber: string | null;
  firmwareVersion: string | null;
  iccid: string | null;
  imsi: string | null;
  meterType: string | null;
  meterSerialNumber: string | null;
  lastSeenAt: Date | null;
  createdAt: Date | null;
  connectors: ConnectorRow[];
  /** The availability requested for the station as a whole. */
  availability: AvailabilityRow | null;
  resetPendingSince: Date | null;
  rejected: RejectionRow[];
}

export interface AvailabilityRow {
  requested: 'Operative' | 'Inoperative';
  answer: string;
  requestedAt: string;
}

export interface ConnectorRow {
  connectorId: number;
  status: string;
  errorCode: string;
  info: string | null;
  vendorId: string | null;
  vendorErrorCode: string | null;
  statusAt: string;
  receivedAt: string;
  availability: AvailabilityRow | null;
}

export interface RejectionRow {
  reason: string;
  status: number;
  remoteAddress: string | null;
  count: number;
  firstAt: string;
  lastAt: string;
}

const TIME = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`;
const utc = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', ${TIME})`;

const availabilityOf = (connectorId: string): string =>
  `(SELECT json_build_object('requested', a.requested, 'answer', a.answer, 'requestedAt', ${utc('a.requested_at')})
    FROM availabilities a WHERE a.station_id = i.station_id AND a.connector_id = ${connectorId})`;

// Connectors and rejections are collected only for the stations of the page.
const COLUMNS = `
  i.station_id AS "stationId", s.station_id IS NOT NULL AS adopted, coalesce(${IS_CONNECTED}, false) AS connected,
  c.connected_at AS "connectedAt", c.disconnected_at AS "disconnectedAt", c.connection_id AS "connectionId", c.gateway_id AS "gatewayId", c.remote_address AS "remoteAddress",
  s.security_profile AS "securityProfile", s.pending_security_profile AS "pendingSecurityProfile",
  c.security_profile AS "connectionSecurityProfile", s.serial_numbers AS "serialNumbers",
  s.certificate_fingerprint AS "certificateFingerprint", s.user_name AS "userName", s.assumed_subprotocol AS "assumedSubprotocol", s.boot_answer AS "bootAnswer", s.registration_status AS "registrationStatus",
  s.booted_at AS "bootedAt", s.vendor, s.model, s.charge_point_serial_number AS "chargePointSerialNumber",
  s.charge_box_serial_number AS "chargeBoxSerialNumber", s.firmware_version AS "firmwareVersion", s.iccid, s.imsi,
  s.meter_type AS "meterType", s.meter_serial_number AS "meterSerialNumber", s.last_seen_at AS "lastSeenAt",
  s.created_at AS "createdAt", s.reset_pending_since AS "resetPendingSince", ${availabilityOf('0')} AS availability,
  coalesce((SELECT json_agg(json_build_object('connectorId', k.connector_id, 'status', k.status, 'errorCode', k.error_code,
      'info', k.info, 'vendorId', k.vendor_id, 'vendorErrorCode', k.vendor_error_code, 'statusAt', ${utc('k.status_at')},
      'receivedAt', ${utc('k.received_at')}, 'availability', ${availabilityOf('k.connector_id')}) ORDER BY k.connector_id)
    FROM connectors k WHERE k.station_id = i.station_id), '[]') AS connectors,
  coalesce((SELECT json_agg(json_build_object('reason', t.reason, 'status', t.status, 'remoteAddress', t.remote_address,
      'count', t.count, 'firstAt', ${utc('t.first_at')}, 'lastAt', ${utc('t.last_at')}) ORDER BY t.last_at DESC)
    FROM rejected_handshakes t WHERE t.station_id = i.station_id), '[]') AS "rejected"`;

const JOINS = `LEFT JOIN stations s USING (station_id) LEFT JOIN connections c USING (station_id)
  LEFT JOIN gateways g USING (gateway_id)`;

const selectOne = statement(
  'stations.get',
  `SELECT ${COLUMNS} FROM (SELECT station_id FROM stations WHERE station_id = $1
     UNION SELECT station_id FROM rejected_handshakes WHERE station_id = $1) i ${JOINS}`,
);

export async function get(db: Db, stationId: string): Promise<StationRow | undefined> {
  const { rows } = await db.query<StationRow>(selectOne([stationId]));
  return rows[0];
}

const FILTER = (id: string): string => `($1::text IS NULL OR ${id} > $1)
  AND ($3::bool IS NULL OR coalesce(${IS_CONNECTED}, false) = $3) AND ($5::text IS NULL OR starts_with(${id}, $5))`;

// The page is merged from two short sorted lists, of registered and of unknown stations; only then are the other columns collected.
const selectPage = search(
  `WITH page AS (
     (SELECT s.station_id FROM stations s LEFT JOIN connections c USING (station_id) LEFT JOIN gateways g USING (gateway_id)
      WHERE $2::bool IS NOT FALSE AND ($4::text IS NULL OR s.registration_status = $4) AND ${FILTER('s.station_id')}
      ORDER BY s.station_id LIMIT $6)
     UNION ALL
     (SELECT DISTINCT t.station_id FROM rejected_handshakes t LEFT JOIN connections c USING (station_id)
        LEFT JOIN gateways g USING (gateway_id)
      WHERE $2::bool IS NOT TRUE AND $4::text IS NULL AND ${FILTER('t.station_id')}
        AND NOT EXISTS (SELECT FROM stations s WHERE s.station_id = t.station_id)
      ORDER BY t.station_id LIMIT $6)
     ORDER BY station_id LIMIT $6)
   SELECT ${COLUMNS} FROM page i ${JOINS} ORDER BY i.station_id`,
);

export interface StationFilter {
  after: string | null;
  adopted?: boolean;
  connected?: boolean;
  registrationStatus?: string;
  prefix?: string;
  rows: number;
}

export async function list(db: Db, filter: StationFilter): Promise<StationRow[]> {
  const { after, adopted, connected, registrationStatus, prefix } = filter;
  const values = [
    after,
    adopted ?? null,
    connected ?? null,
    registrationStatus ?? null,
    prefix ?? null,
    filter.rows,
  ];
  const { rows } = await db.query<StationRow>(selectPage(values));
  return rows;
}

const upsert = statement(
  'stations.put',
  `INSERT INTO stations AS known (station_id, security_profile, password_hashes, boot_answer, user_name, serial_numbers,
     assumed_subprotocol)
   VALUES ($1, coalesce($2, CASE WHEN $3::text[] IS NULL THEN 0 ELSE 1 END), coalesce($3::text[], '{}'), coalesce($4, 'Accepted'), $5,
     coalesce($7::text[], '{}'), $8)
   ON CONFLICT (station_id) DO UPDATE SET security_profile = coalesce($2, known.security_profile),
     pending_security_profile = CASE WHEN $2::int IS NULL THEN known.pending_security_profile END,
     password_hashes = coalesce($3::text[], known.password_hashes), boot_answer = coalesce($4, known.boot_answer),
     user_name = CASE WHEN $6 THEN excluded.user_name ELSE known.user_name END,
     serial_numbers = coalesce($7::text[], known.serial_numbers),
     assumed_subprotocol = CASE WHEN $9 THEN excluded.assumed_subprotocol ELSE known.assumed_subprotocol END
   RETURNING xmax = 0 AS "isNew"`,
);

export interface StationChange {
  stationId: string;
  securityProfile: number | null;
  passwordHashes: string[] | null;
  /** Null: the station's id; undefined: unchanged. */
  userName: string | null | undefined;
  bootAnswer: RegistrationStatus | null;
  serialNumbers: string[] | null;
  /** Undefined: unchanged. */
  assumedSubprotocol: 'ocpp1.6' | null | undefined;
}

/** Adds or changes a station. Fields that are null keep their value, except user name and subprotocol. True when it is new. */
export async function put(db: Db, change: StationChange): Promise<boolean> {
  const {
    stationId,
    securityProfile,
    passwordHashes,
    bootAnswer,
    userName,
    serialNumbers,
    assumedSubprotocol,
  } = change;
  const { rows } = await db.query<{ isNew: boolean }>(
    upsert([
      stationId,
      securityProfile,
      passwordHashes,
      bootAnswer,
      userName ?? null,
      userName !== undefined,
      serialNumbers,
      assumedSubprotocol ?? null,
      assumedSubprotocol !== undefined,
    ]),
  );
  return rows[0]?.isNew ?? false;
}

const removeAll = statement(
  'stations.remove',
  `WITH k AS (DELETE FROM connectors WHERE station_id = $1), a AS (DELETE FROM availabilities WHERE station_id = $1),
   f AS (DELETE FROM configuration_keys WHERE station_id = $1), p AS (DELETE FROM charging_profiles WHERE station_id = $1),
   cs AS (DELETE FROM composite_schedules WHERE station_id = $1), l AS (DELETE FROM local_lists WHERE station_id = $1),
   e AS (DELETE FROM local_list_entries WHERE station_id = $1), w AS (DELETE FROM password_changes WHERE station_id = $1),
   t AS (DELETE FROM rejected_handshakes WHERE station_id = $1 RETURNING 1),
   i AS (DELETE FROM installed_certificates WHERE station_id = $1), g AS (DELETE FROM reconciliations WHERE station_id = $1),
   x AS (UPDATE issued_certificates SET revoked_at = now(), revocation_reason = 'cessationOfOperation'
     WHERE station_id = $1 AND revoked_at IS NULL),
   q AS (DELETE FROM certificate_requests WHERE station_id = $1), r AS (DELETE FROM reservations WHERE station_id = $1),
   dv AS (DELETE FROM desired_values WHERE station_id = $1), dl AS (DELETE FROM desired_local_lists WHERE station_id = $1),
   co AS (DELETE FROM configuration_outcomes WHERE station_id = $1),
   s AS (DELETE FROM stations WHERE station_id = $1 RETURNING 1)
   SELECT (SELECT count(*) FROM s) + (SELECT count(*) FROM t) AS removed`,
);

/** Removes a station with its connectors and rejections; its transactions and meter values stay. False when there is none. */
export async function remove(db: Db, stationId: string): Promise<boolean> {
  const { rows } = await db.query<{ removed: number }>(removeAll([stationId]));
  return (rows[0]?.removed ?? 0) > 0;
}

const deleteRejections = statement(
  'stations.forgetRefusals',
  'DELETE FROM rejected_handshakes WHERE station_id = $1',
);

/** Deletes the rejections of a station, because a change of the station makes them obsolete. */
export async function forgetRejections(db: Db, stationId: string): Promise<void> {
  await db.query(deleteRejections([stationId]));
}
