import type { Reading } from '../certificates/installed-certificates.store.ts';
import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

export const PNC_ROOT_TYPES = ['V2GRootCertificate', 'MORootCertificate'] as const;

export interface PncRoot extends Reading {
  fingerprint: string;
  certificateType: (typeof PNC_ROOT_TYPES)[number];
  isSelfSigned: boolean;
  note: string | null;
}

export interface PncRootRow extends PncRoot {
  createdAt: Date;
}

const ROW = `fingerprint, certificate_type AS "certificateType", is_self_signed AS "isSelfSigned", pem,
  serial_number AS "serialNumber", subject, issuer, valid_from AS "validFrom", valid_to AS "validTo", note,
  created_at AS "createdAt"`;

const upsert = statement(
  'pncRoots.put',
  `INSERT INTO pnc_roots (fingerprint, certificate_type, is_self_signed, pem, serial_number, subject, issuer, valid_from, valid_to, note)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
   ON CONFLICT (fingerprint) DO UPDATE SET certificate_type = excluded.certificate_type, note = excluded.note
   RETURNING ${ROW}, xmax = 0 AS "isNew"`,
);

/** Adds a certificate, or changes the type and note of an existing one. */
export async function put(db: Db, root: PncRoot): Promise<PncRootRow & { isNew: boolean }> {
  const { fingerprint, certificateType, isSelfSigned, pem, serialNumber, subject, issuer, note } = root;
  const place = [fingerprint, certificateType, isSelfSigned, pem, serialNumber, subject, issuer];
  const { rows } = await db.query<PncRootRow & { isNew: boolean }>(
    upsert([...place, root.validFrom, root.validTo, note]),
  );
  return rows[0] as PncRootRow & { isNew: boolean };
}

const selectOne = statement('pncRoots.get', `SELECT ${ROW} FROM pnc_roots WHERE fingerprint = $1`);

export async function get(db: Db, fingerprint: string): Promise<PncRootRow | undefined> {
  const { rows } = await db.query<PncRootRow>(selectOne([fingerprint]));
  return rows[0];
}

const removeOne = statement('pncRoots.remove', 'DELETE FROM pnc_roots WHERE fingerprint = $1');

export async function remove(db: Db, fingerprint: string): Promise<boolean> {
  const { rowCount } = await db.query(removeOne([fingerprint]));
  return rowCount === 1;
}

const selectAll = statement('pncRoots.all', 'SELECT pem, is_self_signed AS "isSelfSigned" FROM pnc_roots');

/** All roots and sub-CAs, for building chains; there are few. */
export async function all(db: Db): Promise<{ pem: string; isSelfSigned: boolean }[]> {
  const { rows } = await db.query<{ pem: string; isSelfSigned: boolean }>(selectAll());
  return rows;
}

const selectPage = search(
  `SELECT ${ROW} FROM pnc_roots
   WHERE ($1::text IS NULL OR fingerprint > $1) AND ($2::text IS NULL OR certificate_type = $2)
   ORDER BY fingerprint LIMIT $3`,
);

/** A page of roots and sub-CAs, by fingerprint. */
export async function list(
  db: Db,
  filter: { after: string | null; certificateType?: string; rows: number },
): Promise<PncRootRow[]> {
  const { after, certificateType, rows: limit } = filter;
  const { rows } = await db.query<PncRootRow>(selectPage([after, certificateType ?? null, limit]));
  return rows;
}
