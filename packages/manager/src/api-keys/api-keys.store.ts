import { createHash } from 'node:crypto';
import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

export type Role = 'admin' | 'operator' | 'viewer';

export interface ApiKey {
  keyId: string;
  name: string;
  role: Role;
  createdAt: Date;
  /** When the key stops being valid; null: never. */
  expiresAt: Date | null;
}

const COLUMNS = 'key_id AS "keyId", name, role, created_at AS "createdAt", expires_at AS "expiresAt"';

/** The hash that is stored of a key. Keys are long and random, so a fast hash protects them as well as a slow one. */
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}

const select = statement(
  'apiKeys.find',
  `SELECT ${COLUMNS} FROM api_keys WHERE key_hash = $1 AND (expires_at IS NULL OR expires_at > $2)`,
);

/** The stored key, if it exists and is valid at that time. */
export async function find(db: Db, key: string, at: Date): Promise<ApiKey | undefined> {
  const { rows } = await db.query<ApiKey>(select([hashKey(key), at]));
  return rows[0];
}

const selectHashes = statement(
  'apiKeys.hashes',
  'SELECT key_hash AS "keyHash" FROM api_keys WHERE expires_at IS NULL OR expires_at > $1',
);

/** The hashes of all keys that are valid at that time. */
export async function hashes(db: Db, at: Date): Promise<Set<string>> {
  const { rows } = await db.query<{ keyHash: string }>(selectHashes([at]));
  return new Set(rows.map(({ keyHash }) => keyHash));
}

const insert = statement(
  'apiKeys.add',
  `INSERT INTO api_keys (name, role, key_hash, expires_at) VALUES ($1, $2, $3, $4)
   ON CONFLICT (key_hash) DO UPDATE SET role = excluded.role, expires_at = excluded.expires_at RETURNING ${COLUMNS}`,
);

interface NewKey {
  name: string;
  role: Role;
  key: string;
  expiresAt?: Date | null;
}

/** Adds a key. If it already exists, its role and expiry are updated. */
export async function add(db: Db, { name, role, key, expiresAt = null }: NewKey): Promise<ApiKey> {
  const { rows } = await db.query<ApiKey>(insert([name, role, hashKey(key), expiresAt]));
  return rows[0] as ApiKey;
}

const selectPage = search(
  `SELECT ${COLUMNS} FROM api_keys WHERE $1::text IS NULL OR (name, key_id) > ($1, $2::uuid)
   ORDER BY name, key_id LIMIT $3`,
);

/** A page of keys, by name. */
export async function list(
  db: Db,
  page: { after: [name: string, keyId: string] | null; rows: number },
): Promise<ApiKey[]> {
  const { rows } = await db.query<ApiKey>(selectPage([...(page.after ?? [null, null]), page.rows]));
  return rows;
}

// Locks all admin keys in a fixed order, so that of two concurrent removals the second sees the first.
// Keys that expire do not count: once they have expired, nobody could create another.
const remove = statement(
  'apiKeys.remove',
  `WITH admin AS (SELECT key_id FROM api_keys WHERE role = 'admin' AND expires_at IS NULL ORDER BY key_id FOR UPDATE),
   removed AS (DELETE FROM api_keys WHERE key_id = $1
     AND (role <> 'admin' OR expires_at IS NOT NULL OR (SELECT count(*) FROM admin WHERE key_id <> $1) > 0)
     RETURNING key_id)
   SELECT (SELECT count(*) FROM api_keys WHERE key_id = $1) AS found, (SELECT count(*) FROM removed) AS removed`,
);

/** Removes a key, except the last admin key that does not expire: without it nobody could create another. */
export async function removeKey(db: Db, keyId: string): Promise<'removed' | 'last' | 'unknown'> {
  const { rows } = await db.query<{ found: number; removed: number }>(remove([keyId]));
  if (rows[0]?.removed === 1) return 'removed';
  return rows[0]?.found === 1 ? 'last' : 'unknown';
}
