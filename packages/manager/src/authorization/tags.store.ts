import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import { emaidKey } from './emaid.ts';

export interface Tag {
  idTag: string;
  status: 'Accepted' | 'Blocked';
  parentIdTag: string | null;
  expiryDate: Date | null;
  concurrentTransactionLimit: number | null;
}

/** The form in which idTags are compared: CiStrings are case-insensitive (rule G.4). */
export function tagKey(idTag: string): string {
  return idTag.toLowerCase();
}

const select = statement(
  'tags.find',
  `SELECT id_tag AS "idTag", status, parent_id_tag AS "parentIdTag", expiry_date AS "expiryDate",
     concurrent_transaction_limit AS "concurrentTransactionLimit"
   FROM tags WHERE id_tag_key = $1`,
);

// If two tags are the same contract, a blocked one takes precedence.
const selectEmaid = statement(
  'tags.findEmaid',
  `SELECT id_tag AS "idTag", status, parent_id_tag AS "parentIdTag", expiry_date AS "expiryDate",
     concurrent_transaction_limit AS "concurrentTransactionLimit"
   FROM tags WHERE emaid_key = $1 ORDER BY status = 'Blocked' DESC, id_tag_key LIMIT 1`,
);

/** The tag with this idTag, or with the same eMAID in another form (PnC.6). */
export async function find(db: Db, idTag: string): Promise<Tag | undefined> {
  const { rows } = await db.query<Tag>(select([tagKey(idTag)]));
  const [tag] = rows;
  const emaid = tag ? undefined : emaidKey(idTag);
  if (emaid === undefined) return tag;
  const { rows: contracts } = await db.query<Tag>(selectEmaid([emaid]));
  return contracts[0];
}

const selectParent = statement(
  'tags.isParent',
  'SELECT EXISTS (SELECT FROM tags WHERE lower(parent_id_tag) = $1) AS "isParent"',
);

/** Whether an idTag is the parent of other tags. A parent need not be a tag itself. */
export async function isParent(db: Db, idTag: string): Promise<boolean> {
  const { rows } = await db.query<{ isParent: boolean }>(selectParent([tagKey(idTag)]));
  return rows[0]?.isParent ?? false;
}

const lockKey = statement('tags.lock', 'SELECT pg_advisory_xact_lock(hashtextextended($1, 1))');

/** Serializes starts with one tag until the database transaction ends, so that two cannot both take the last allowed transaction. */
export async function lock(db: Db, idTag: string): Promise<void> {
  await db.query(lockKey([tagKey(idTag)]));
}

export interface TagRow extends Tag {
  note: string | null;
  createdAt: Date;
  updatedAt: Date;
}

export type TagChange = Partial<Omit<TagRow, 'idTag' | 'createdAt' | 'updatedAt'>>;

const ROW = `id_tag AS "idTag", status, parent_id_tag AS "parentIdTag", expiry_date AS "expiryDate",
  concurrent_transaction_limit AS "concurrentTransactionLimit", note, created_at AS "createdAt", updated_at AS "updatedAt"`;

// Omitted fields keep their value; the operator ? distinguishes JSON null from absence.
const upsert = statement(
  'tags.put',
  `INSERT INTO tags AS known (id_tag_key, id_tag, status, parent_id_tag, expiry_date, concurrent_transaction_limit, note)
   VALUES ($1, $2, coalesce($3::jsonb->>'status', 'Accepted'), $3::jsonb->>'parentIdTag', ($3::jsonb->>'expiryDate')::timestamptz,
     ($3::jsonb->>'concurrentTransactionLimit')::int, $3::jsonb->>'note')
   ON CONFLICT (id_tag_key) DO UPDATE SET id_tag = excluded.id_tag, updated_at = now(),
     status = CASE WHEN $3::jsonb ? 'status' THEN excluded.status ELSE known.status END,
     parent_id_tag = CASE WHEN $3::jsonb ? 'parentIdTag' THEN excluded.parent_id_tag ELSE known.parent_id_tag END,
     expiry_date = CASE WHEN $3::jsonb ? 'expiryDate' THEN excluded.expiry_date ELSE known.expiry_date END,
     concurrent_transaction_limit = CASE WHEN $3::jsonb ? 'concurrentTransactionLimit'
       THEN excluded.concurrent_transaction_limit ELSE known.concurrent_transaction_limit END,
     note = CASE WHEN $3::jsonb ? 'note' THEN excluded.note ELSE known.note END
   RETURNING ${ROW}, xmax = 0 AS "isNew"`,
);

/** Adds or changes a tag; omitted fields keep their value. */
export async function put(db: Db, idTag: string, change: TagChange): Promise<TagRow & { isNew: boolean }> {
  const { rows } = await db.query<TagRow & { isNew: boolean }>(
    upsert([tagKey(idTag), idTag, JSON.stringify(change)]),
  );
  return rows[0] as TagRow & { isNew: boolean };
}

const selectRow = statement('tags.get', `SELECT ${ROW} FROM tags WHERE id_tag_key = $1`);

export async function get(db: Db, idTag: string): Promise<TagRow | undefined> {
  const { rows } = await db.query<TagRow>(selectRow([tagKey(idTag)]));
  return rows[0];
}

const removeRow = statement('tags.remove', 'DELETE FROM tags WHERE id_tag_key = $1');

export async function remove(db: Db, idTag: string): Promise<boolean> {
  const { rowCount } = await db.query(removeRow([tagKey(idTag)]));
  return rowCount === 1;
}

// Ordered by code point, whatever the database locale: tags with a common prefix are then adjacent.
const KEY = 'id_tag_key COLLATE "C"';
const selectPage = search(
  `SELECT ${ROW} FROM tags
   WHERE ($1::text IS NULL OR ${KEY} > $1) AND ($2::text IS NULL OR status = $2)
     AND ($3::text IS NULL OR lower(parent_id_tag) = lower($3))
     AND ($4::text IS NULL OR ${KEY} >= lower($4) AND ${KEY} < lower($4) || U&'\\+10FFFF')
   ORDER BY ${KEY} LIMIT $5`,
);

export interface TagFilter {
  after: string | null;
  status?: string;
  parentIdTag?: string;
  prefix?: string;
  rows: number;
}

/** A page of tags, by key. */
export async function list(db: Db, filter: TagFilter): Promise<TagRow[]> {
  const { after, status, parentIdTag, prefix } = filter;
  const values = [after, status ?? null, parentIdTag ?? null, prefix ?? null, filter.rows];
  const { rows } = await db.query<TagRow>(selectPage(values));
  return rows;
}
