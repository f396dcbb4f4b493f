import type { Dialect } from '@evander/ocpp';
import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

const update = statement(
  'pncDialects.note',
  'UPDATE stations SET pnc_dialect = $2 WHERE station_id = $1 AND pnc_dialect IS DISTINCT FROM $2',
);

/** Stores the dialect that a station used. */
export async function note(db: Db, stationId: string, dialect: Dialect): Promise<void> {
  await db.query(update([stationId, dialect]));
}

const select = statement(
  'pncDialects.find',
  'SELECT pnc_dialect AS dialect FROM stations WHERE station_id = $1',
);

/** The dialect that a station last used (H2B.9); undefined when it has used none. */
export async function find(db: Db, stationId: string): Promise<Dialect | undefined> {
  const { rows } = await db.query<{ dialect: Dialect | null }>(select([stationId]));
  return rows[0]?.dialect ?? undefined;
}
