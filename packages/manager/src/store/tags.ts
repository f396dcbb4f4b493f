import type { Db } from './db.ts';
import { statement } from './db.ts';

export interface Tag {
  idTag: string;
  status: 'Accepted' | 'Blocked';
  parentIdTag: string | null;
  expiryDate: Date | null;
  concurrentTransactionLimit: number | null;
}

/** The form in which idTags are compared: CiStrings are equal whatever their case (rule G.4). */
export function tagKey(idTag: string): string {
  return idTag.toLowerCase();
}

const select = statement(
  'tags.find',
  `SELECT id_tag AS "idTag", status, parent_id_tag AS "parentIdTag", expiry_date AS "expiryDate",
     concurrent_transaction_limit AS "concurrentTransactionLimit"
   FROM tags WHERE id_tag_key = $1`,
);

export async function find(db: Db, idTag: string): Promise<Tag | undefined> {
  const { rows } = await db.query<Tag>(select([tagKey(idTag)]));
  return rows[0];
}

const lockKey = statement('tags.lock', 'SELECT pg_advisory_xact_lock(hashtextextended($1, 1))');

/** Makes starts with one tag take turns until the transaction ends, so that two of them cannot both be the last allowed. */
export async function lock(db: Db, idTag: string): Promise<void> {
  await db.query(lockKey([tagKey(idTag)]));
}
