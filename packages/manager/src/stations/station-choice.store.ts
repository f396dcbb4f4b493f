import { search } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import { IS_CONNECTED } from './connections.store.ts';

/** A selection of stations by common properties. */
export interface StationChoice {
  /** Beginning of the id. */
  prefix?: string;
  vendor?: string;
  model?: string;
  connected?: boolean;
}

const select = search(
  `SELECT s.station_id AS "stationId" FROM stations s LEFT JOIN connections c USING (station_id) LEFT JOIN gateways g USING (gateway_id)
   WHERE ($1::text IS NULL OR starts_with(s.station_id, $1)) AND ($2::text IS NULL OR s.vendor = $2)
     AND ($3::text IS NULL OR s.model = $3) AND ($4::bool IS NULL OR coalesce(${IS_CONNECTED}, false) = $4)
   ORDER BY s.station_id LIMIT $5`,
);

/** The ids of the stations that match all properties, in order, at most `rows`. */
export async function choose(db: Db, choice: StationChoice, rows: number): Promise<string[]> {
  const { prefix, vendor, model, connected } = choice;
  const values = [prefix ?? null, vendor ?? null, model ?? null, connected ?? null, rows];
  const found = await db.query<{ stationId: string }>(select(values));
  return found.rows.map(({ stationId }) => stationId);
}
