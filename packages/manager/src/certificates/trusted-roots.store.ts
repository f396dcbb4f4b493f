import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** A root beside our own whose certificates stations may show. */
export interface TrustedRoot {
  /** SHA-256, hex. */
  fingerprint: string;
  certificate: string;
  subject: string;
  /** The O of certificates that count. */
  organisations: string[];
  /** The certificates that it has revoked, as a list in DER that was given; null without one. */
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

/** Trusts a root, or changes what of it counts; a list of revoked certificates stays until another is given. */
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

/** False when there is none with this fingerprint. */
export async function remove(db: Db, fingerprint: string): Promise<boolean> {
  const { rowCount } = await db.query(deleteOne([fingerprint]));
  return rowCount === 1;
}
