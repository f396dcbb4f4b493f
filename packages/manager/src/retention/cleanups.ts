import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

const claim = statement(
  'chores.begin',
  `INSERT INTO chores AS known (name, begun_at) VALUES ($1, now())
   ON CONFLICT (name) DO UPDATE SET begun_at = now() WHERE known.begun_at <= now() - $2 * interval '1 s'`,
);

/** Is it our turn? Of all who ask, one is told so, and nobody again for so many seconds. */
export async function begin(db: Db, name: string, everySeconds: number): Promise<boolean> {
  const { rowCount } = await db.query(claim([name, everySeconds]));
  return rowCount === 1;
}
