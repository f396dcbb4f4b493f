import { serialKey } from '@evander/pki';
import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

export const USAGES = ['station', 'server', 'v2g'] as const;
export type Usage = (typeof USAGES)[number];
/** Why a certificate was revoked (RFC 5280 §5.3.1). */
export const REVOCATION_REASONS = [
  'unspecified',
  'keyCompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** A certificate of the built-in authority, as the API shows it. */
export interface IssuedCertificate {
  /** Hex, lower case, without leading zeros. */
  serialNumber: string;
  usage: Usage;
  stationId: string | null;
  subject: string;
  fingerprint: string;
  certificate: string;
  validFrom: Date;
  validTo: Date;
  issuedAt: Date;
  revokedAt: Date | null;
  revocationReason: RevocationReason | null;
}

const COLUMNS = `serial_number AS "serialNumber", usage, station_id AS "stationId", subject, fingerprint, certificate,
  valid_from AS "validFrom", valid_to AS "validTo", issued_at AS "issuedAt", revoked_at AS "revokedAt",
  revocation_reason AS "revocationReason"`;

const insert = statement(
  'issuedCertificates.add',
  `INSERT INTO issued_certificates
     (serial_number, authority, usage, station_id, subject, fingerprint, certificate, valid_from, valid_to, issued_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
);

export async function add(
  db: Db,
  issued: Omit<IssuedCertificate, 'revokedAt' | 'revocationReason'> & { authority: string },
): Promise<void> {
  const { serialNumber, authority, usage, stationId, subject, fingerprint, certificate } = issued;
  await db.query(
    insert([
      serialKey(serialNumber),
      authority,
      usage,
      stationId,
      subject,
      fingerprint,
      certificate,
      issued.validFrom,
      issued.validTo,
      issued.issuedAt,
    ]),
  );
}

const select = statement(
  'issuedCertificates.get',
  `SELECT ${COLUMNS} FROM issued_certificates WHERE serial_number = $1`,
);

export async function get(db: Db, serialNumber: string): Promise<IssuedCertificate | undefined> {
  const { rows } = await db.query<IssuedCertificate>(select([serialKey(serialNumber)]));
  return rows[0];
}

const selectStatus = statement(
  'issuedCertificates.status',
  `SELECT revoked_at AS "revokedAt", revocation_reason AS "revocationReason" FROM issued_certificates
   WHERE serial_number = $1 AND authority = $2`,
);

const selectCompromised = statement(
  'issuedCertificates.compromised',
  `SELECT certificate FROM issued_certificates
   WHERE station_id = $1 AND revoked_at IS NOT NULL AND revocation_reason = 'keyCompromise' ORDER BY revoked_at DESC LIMIT 100`,
);

/** A station's certificates whose keys others may have, in PEM: the last hundred revoked as keyCompromise. */
export async function compromised(db: Db, stationId: string): Promise<string[]> {
  const { rows } = await db.query<{ certificate: string }>(selectCompromised([stationId]));
  return rows.map(({ certificate }) => certificate);
}

/** Whether a certificate of a built-in authority is revoked; undefined if the authority issued none with this serial number. */
export async function status(
  db: Db,
  authority: string,
  serialNumber: string,
): Promise<Pick<IssuedCertificate, 'revokedAt' | 'revocationReason'> | undefined> {
  const { rows } = await db.query<Pick<IssuedCertificate, 'revokedAt' | 'revocationReason'>>(
    selectStatus([serialKey(serialNumber), authority]),
  );
  return rows[0];
}

const selectRevision = statement(
  'issuedCertificates.revision',
  'SELECT revision FROM certificate_revocations',
);

/** A number that changes with each revocation by any built-in authority. */
export async function revocationRevision(db: Db): Promise<number> {
  const { rows } = await db.query<{ revision: number }>(selectRevision());
  return rows[0]?.revision ?? 0;
}

const markRevoked = statement(
  'issuedCertificates.revoke',
  `UPDATE issued_certificates SET revoked_at = coalesce(revoked_at, $2), revocation_reason = coalesce(revocation_reason, $3)
   WHERE serial_number = $1 RETURNING ${COLUMNS}`,
);

/** Revokes a certificate, permanently; undefined if there is none with this serial number. */
export async function revoke(
  db: Db,
  serialNumber: string,
  { reason, at }: { reason: RevocationReason; at: Date },
): Promise<IssuedCertificate | undefined> {
  const { rows } = await db.query<IssuedCertificate>(markRevoked([serialKey(serialNumber), at, reason]));
  return rows[0];
}

const selectRevoked = search(
  `SELECT ${COLUMNS} FROM issued_certificates WHERE authority = $1 AND revoked_at IS NOT NULL AND valid_to > $2 ORDER BY revoked_at`,
);

/** The revoked certificates of an authority that expire after a time. */
export async function revoked(db: Db, authority: string, after: Date): Promise<IssuedCertificate[]> {
  const { rows } = await db.query<IssuedCertificate>(selectRevoked([authority, after]));
  return rows;
}

const selectExpiring = search(
  `SELECT s.station_id AS "stationId" FROM stations s
     JOIN LATERAL (SELECT valid_to FROM issued_certificates i
       WHERE i.station_id = s.station_id AND i.usage = 'station' AND i.revoked_at IS NULL
       ORDER BY valid_to DESC LIMIT 1) newest ON newest.valid_to BETWEEN $1 AND $2
   WHERE NOT EXISTS (SELECT FROM reconciliations g WHERE g.station_id = s.station_id AND g.kind = 'stationCertificate'
     AND (g.state = 'open' OR g.requested_at > $1::timestamptz - interval '1 day'))
   LIMIT 1000`,
);

/** Stations whose newest certificate expires before `before`, and whose renewal is neither open nor was requested within the last day. */
export async function expiring(db: Db, now: Date, before: Date): Promise<string[]> {
  const { rows } = await db.query<{ stationId: string }>(selectExpiring([now, before]));
  return rows.map(({ stationId }) => stationId);
}

const selectPage = search(
  `SELECT ${COLUMNS} FROM issued_certificates
   WHERE ($1::text IS NULL OR station_id = $1) AND ($2::text IS NULL OR usage = $2)
     AND ($3::boolean IS NULL OR (revoked_at IS NOT NULL) = $3)
     AND ($4::timestamptz IS NULL OR (issued_at, serial_number) < ($4, $5))
   ORDER BY issued_at DESC, serial_number DESC LIMIT $6`,
);

export interface IssuedFilter {
  stationId?: string;
  usage?: Usage;
  revoked?: boolean;
  before: { issuedAt: string; serialNumber: string } | null;
  rows: number;
}

/** A page of issued certificates, newest first. */
export async function list(db: Db, filter: IssuedFilter): Promise<IssuedCertificate[]> {
  const { stationId, usage, revoked: isRevoked, before, rows: limit } = filter;
  const { rows } = await db.query<IssuedCertificate>(
    selectPage([
      stationId ?? null,
      usage ?? null,
      isRevoked ?? null,
      before?.issuedAt ?? null,
      before?.serialNumber ?? null,
      limit,
    ]),
  );
  return rows;
}
