import type { CertificateHashData } from '@evander/ocpp';
import { serialKey } from '@evander/pki';
import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import { LISTS } from './certificate-lists.store.ts';
import type { ListName } from './certificate-lists.store.ts';

/** What the API shows of a certificate's content. */
export interface Reading {
  pem: string;
  serialNumber: string;
  subject: string;
  issuer: string;
  validFrom: Date;
  validTo: Date;
}

interface Place {
  stationId: string;
  certificateType: string;
}

const SAME = 'station_id = $1 AND certificate_type = $2';

const fillIn = statement(
  'installedCertificates.fillIn',
  `UPDATE installed_certificates SET pem = $4, subject = $5, issuer = $6, valid_from = $7, valid_to = $8, installed_at = $9
   WHERE certificate_id = (SELECT certificate_id FROM installed_certificates
     WHERE ${SAME} AND serial_key = $3 AND (pem IS NULL OR pem = $4) ORDER BY pem IS NULL LIMIT 1)`,
);
const insertSent = statement(
  'installedCertificates.add',
  `INSERT INTO installed_certificates
     (station_id, certificate_type, serial_key, pem, subject, issuer, valid_from, valid_to, installed_at, serial_number)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
);

/** Records that a station accepted a certificate from Evander, which it may have reported before. */
export async function add(
  db: Db,
  { stationId, certificateType }: Place,
  sent: Reading & { at: Date },
): Promise<void> {
  const { pem, serialNumber, subject, issuer, validFrom, validTo, at } = sent;
  const values = [
    stationId,
    certificateType,
    serialKey(serialNumber),
    pem,
    subject,
    issuer,
    validFrom,
    validTo,
    at,
  ];
  const { rowCount } = await db.query(fillIn(values));
  if (rowCount === 0) await db.query(insertSent([...values, serialNumber]));
}

// Finds the same certificate by its hashes; otherwise, by its serial number, one without hashes or with those of another algorithm.
const claim = statement(
  'installedCertificates.claim',
  `UPDATE installed_certificates SET hash_algorithm = $4, issuer_name_hash = $5, issuer_key_hash = $6, serial_number = $7,
     reported_at = $8, child_hash_data = $9
   WHERE certificate_id = (SELECT certificate_id FROM installed_certificates
     WHERE ${SAME} AND serial_key = $3 AND (reported_at IS NULL OR reported_at < $8)
       AND (hash_algorithm IS DISTINCT FROM $4
         OR lower(issuer_name_hash) = lower($5) AND lower(issuer_key_hash) = lower($6))
     ORDER BY coalesce(hash_algorithm = $4, false) DESC, pem IS NULL, certificate_id LIMIT 1)`,
);
const insertReported = statement(
  'installedCertificates.report',
  `INSERT INTO installed_certificates
     (station_id, certificate_type, serial_key, hash_algorithm, issuer_name_hash, issuer_key_hash, serial_number, reported_at,
      child_hash_data)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
);
const removeUnreported = statement(
  'installedCertificates.removeUnreported',
  `DELETE FROM installed_certificates WHERE ${SAME} AND reported_at IS DISTINCT FROM $3`,
);

/** A certificate that a station reported, with its sub-CAs if the station reported them. */
export interface Reported extends CertificateHashData {
  children?: CertificateHashData[];
}

/** Replaces a station's certificates of a type with those reported; certificates that were known keep their details. */
export async function replace(
  db: Db,
  { stationId, certificateType }: Place,
  report: { certificates: Reported[]; at: Date },
): Promise<void> {
  const { certificates, at } = report;
  const unique = new Map(certificates.map((certificate) => [hashKey(certificate), certificate]));
  for (const { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber, children } of unique.values()) {
    const hashes = [hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber];
    const childHashData = children === undefined ? null : JSON.stringify(children);
    const values = [stationId, certificateType, serialKey(serialNumber), ...hashes, at, childHashData];
    const { rowCount } = await db.query(claim(values));
    if (rowCount === 0) await db.query(insertReported(values));
  }
  await db.query(removeUnreported([stationId, certificateType, at]));
}

function hashKey({
  hashAlgorithm,
  issuerNameHash,
  issuerKeyHash,
  serialNumber,
}: CertificateHashData): string {
  return [hashAlgorithm, issuerNameHash, issuerKeyHash, serialKey(serialNumber)].join(' ').toLowerCase();
}

const MATCHES = `station_id = $1 AND serial_key = $2 AND (hash_algorithm IS NULL OR hash_algorithm = $3
  AND lower(issuer_name_hash) = lower($4) AND lower(issuer_key_hash) = lower($5))`;

const removeOne = statement(
  'installedCertificates.remove',
  `DELETE FROM installed_certificates WHERE ${MATCHES} AND certificate_type = ANY($6)`,
);

/** Removes a certificate from one of a station's lists. */
export async function remove(
  db: Db,
  { stationId, list }: { stationId: string; list: ListName },
  certificate: CertificateHashData,
): Promise<void> {
  const { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber } = certificate;
  const hashes = [hashAlgorithm, issuerNameHash, issuerKeyHash];
  await db.query(removeOne([stationId, serialKey(serialNumber), ...hashes, LISTS[list]]));
}

const selectLastRoot = statement(
  'installedCertificates.isLastRoot',
  `SELECT coalesce(bool_and(${MATCHES}), false) AS last FROM installed_certificates
   WHERE station_id = $1 AND certificate_type = 'CentralSystemRootCertificate'`,
);

/** Whether this is the only CentralSystemRootCertificate that a station is known to have. */
export async function isLastRoot(
  db: Db,
  stationId: string,
  certificate: CertificateHashData,
): Promise<boolean> {
  const { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber } = certificate;
  const { rows } = await db.query<{ last: boolean }>(
    selectLastRoot([stationId, serialKey(serialNumber), hashAlgorithm, issuerNameHash, issuerKeyHash]),
  );
  return rows[0]?.last ?? false;
}

/** A certificate as the API shows it. */
export interface CertificateRow {
  certificateId: number;
  stationId: string;
  certificateType: string;
  serialNumber: string;
  certificateHashData: CertificateHashData | null;
  childCertificateHashData: CertificateHashData[] | null;
  subject: string | null;
  issuer: string | null;
  validFrom: Date | null;
  validTo: Date | null;
  pem: string | null;
  installedAt: Date | null;
  reportedAt: Date | null;
}

const selectPage = search(
  `SELECT certificate_id AS "certificateId", station_id AS "stationId", certificate_type AS "certificateType",
     serial_number AS "serialNumber", CASE WHEN hash_algorithm IS NOT NULL THEN json_build_object('hashAlgorithm', hash_algorithm,
       'issuerNameHash', issuer_name_hash, 'issuerKeyHash', issuer_key_hash, 'serialNumber', serial_number)
     END AS "certificateHashData", child_hash_data AS "childCertificateHashData",
     subject, issuer, valid_from AS "validFrom", valid_to AS "validTo", pem, installed_at AS "installedAt",
     reported_at AS "reportedAt"
   FROM installed_certificates
   WHERE station_id = $1 AND ($2::bigint IS NULL OR certificate_id > $2) AND certificate_type = ANY($3)
   ORDER BY certificate_id LIMIT $4`,
);

export interface CertificateFilter {
  stationId: string;
  list: ListName;
  after: number | null;
  certificateType?: string;
  rows: number;
}

/** A station's certificates of a list, in the order in which they became known. */
export async function list(db: Db, filter: CertificateFilter): Promise<CertificateRow[]> {
  const { stationId, list: name, after, certificateType, rows: limit } = filter;
  const types = certificateType === undefined ? LISTS[name] : [certificateType];
  const { rows } = await db.query<CertificateRow>(selectPage([stationId, after, types, limit]));
  return rows;
}
