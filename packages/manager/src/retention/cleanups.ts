import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

const claim = statement(
  'chores.begin',
  `INSERT INTO chores AS known (name, begun_at) VALUES ($1, now())
   ON CONFLICT (name) DO UPDATE SET begun_at = now() WHERE known.begun_at <= now() - $2 * interval '1 s'`,
);

/** Claims the next run of a recurring task: true for one caller among all managers, once every `everySeconds`. */
export async function begin(db: Db, name: string, everySeconds: number): Promise<boolean> {
  const { rowCount } = await db.query(claim([name, everySeconds]));
  return rowCount === 1;
}
