import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

export interface StoredAuthority {
  /** PEM, its own certificate first. */
  chain: string;
  sealedKey: Buffer;
}

const select = statement(
  'authorities.get',
  'SELECT chain, sealed_key AS "sealedKey" FROM authorities WHERE name = $1',
);

export async function get(db: Db, name: string): Promise<StoredAuthority | undefined> {
  const { rows } = await db.query<StoredAuthority>(select([name]));
  return rows[0];
}

const insert = statement(
  'authorities.add',
  'INSERT INTO authorities (name, chain, sealed_key, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
);

/** Stores an authority, unless another manager has stored it already. */
export async function add(db: Db, name: string, authority: StoredAuthority & { at: Date }): Promise<void> {
  await db.query(insert([name, authority.chain, authority.sealedKey, authority.at]));
}
