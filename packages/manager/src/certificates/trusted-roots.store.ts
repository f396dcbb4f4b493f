import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** A root, other than the built-in authority's, whose certificates stations may use. */
export interface TrustedRoot {
  /** SHA-256, hex. */
  fingerprint: string;
  certificate: string;
  subject: string;
  /** Accepted values of O in station certificates. */
  organisations: string[];
  /** The root's revocation list (CRL) in DER; null if none was given. */
  crl: Buffer | null;
  validTo: Date;
  createdAt: Date;
}

const COLUMNS = `fingerprint, certificate, subject, organisations, crl, valid_to AS "validTo", created_at AS "createdAt"`;

const upsert = statement(
  'trustedRoots.put',
  `INSERT INTO trusted_roots (fingerprint, certificate, subject, organisations, crl, valid_to, created_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7)
   ON CONFLICT (fingerprint) DO UPDATE SET organisations = excluded.organisations, crl = coalesce(excluded.crl, trusted_roots.crl)
   RETURNING ${COLUMNS}`,
);

/** Trusts a root, or changes its conditions; its revocation list stays until another is given. */
export async function put(db: Db, root: TrustedRoot): Promise<TrustedRoot> {
  const { fingerprint, certificate, subject, organisations, crl, validTo, createdAt } = root;
  const { rows } = await db.query<TrustedRoot>(
    upsert([fingerprint, certificate, subject, organisations, crl, validTo, createdAt]),
  );
  return rows[0] ?? root;
}

const selectAll = search(`SELECT ${COLUMNS} FROM trusted_roots ORDER BY created_at, fingerprint LIMIT 1000`);

export async function list(db: Db): Promise<TrustedRoot[]> {
  const { rows } = await db.query<TrustedRoot>(selectAll([]));
  return rows;
}

const deleteOne = statement('trustedRoots.remove', 'DELETE FROM trusted_roots WHERE fingerprint = $1');

/** False if there is none with this fingerprint. */
export async function remove(db: Db, fingerprint: string): Promise<boolean> {
  const { rowCount } = await db.query(deleteOne([fingerprint]));
  return rowCount === 1;
}
