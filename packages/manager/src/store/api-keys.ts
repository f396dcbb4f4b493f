import { createHash } from 'node:crypto';
import type { Db } from './db.ts';
import { search, statement } from './db.ts';

export type Role = 'admin' | 'operator' | 'viewer';

export interface ApiKey {
  keyId: string;
  name: string;
  role: Role;
  createdAt: Date;
}

const COLUMNS = 'key_id AS "keyId", name, role, created_at AS "createdAt"';

// Keys are long and random, so a fast hash keeps them as well as a slow one.
function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}

const select = statement('apiKeys.find', `SELECT ${COLUMNS} FROM api_keys WHERE key_hash = $1`);

export async function find(db: Db, key: string): Promise<ApiKey | undefined> {
  const { rows } = await db.query<ApiKey>(select([hashKey(key)]));
  return rows[0];
}

const insert = statement(
  'apiKeys.add',
  `INSERT INTO api_keys (name, role, key_hash) VALUES ($1, $2, $3)
   ON CONFLICT (key_hash) DO UPDATE SET role = excluded.role RETURNING ${COLUMNS}`,
);

/** Adds a key; one that is there already gets the role. */
export async function add(
  db: Db,
  { name, role, key }: { name: string; role: Role; key: string },
): Promise<ApiKey> {
  const { rows } = await db.query<ApiKey>(insert([name, role, hashKey(key)]));
  return rows[0] as ApiKey;
}

const selectPage = search(
  `SELECT ${COLUMNS} FROM api_keys WHERE $1::text IS NULL OR (name, key_id) > ($1, $2::uuid)
   ORDER BY name, key_id LIMIT $3`,
);

/** By name. */
export async function list(
  db: Db,
  page: { after: [name: string, keyId: string] | null; rows: number },
): Promise<ApiKey[]> {
  const { rows } = await db.query<ApiKey>(selectPage([...(page.after ?? [null, null]), page.rows]));
  return rows;
}

// All keys of admins are locked, in one order: of two that are removed at a time, the second sees that the first is gone.
const remove = statement(
  'apiKeys.remove',
  `WITH admin AS (SELECT key_id FROM api_keys WHERE role = 'admin' ORDER BY key_id FOR UPDATE),
   removed AS (DELETE FROM api_keys WHERE key_id = $1
     AND (role <> 'admin' OR (SELECT count(*) FROM admin WHERE key_id <> $1) > 0) RETURNING key_id)
   SELECT (SELECT count(*) FROM api_keys WHERE key_id = $1) AS found, (SELECT count(*) FROM removed) AS removed`,
);

/** Takes a key back, but never the last admin's: nobody could make another. */
export async function removeKey(db: Db, keyId: string): Promise<'removed' | 'last' | 'unknown'> {
  const { rows } = await db.query<{ found: number; removed: number }>(remove([keyId]));
  if (rows[0]?.removed === 1) return 'removed';
  return rows[0]?.found === 1 ? 'last' : 'unknown';
}
