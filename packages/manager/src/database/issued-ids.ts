import { statement } from './database.ts';
import type { Db } from './database.ts';

/** What a station knows by a number of ours. */
export type IdKind = 'reservationId' | 'chargingProfileId' | 'requestId' | 'listVersion';

const takeNext = statement(
  'issuedIds.next',
  `INSERT INTO issued_ids AS known (station_id, kind, last_id) VALUES ($1, $2, 1)
   ON CONFLICT (station_id, kind) DO UPDATE SET last_id = known.last_id + 1 RETURNING last_id AS id`,
);

/** The next id of a kind for a station: positive, never given before (G.12). */
export async function next(db: Db, stationId: string, kind: IdKind): Promise<number> {
  const { rows } = await db.query<{ id: number }>(takeNext([stationId, kind]));
  return rows[0]?.id ?? 1;
}

const raise = statement(
  'issuedIds.claim',
  `INSERT INTO issued_ids AS known (station_id, kind, last_id) VALUES ($1, $2, $3)
   ON CONFLICT (station_id, kind) DO UPDATE SET last_id = greatest(known.last_id, excluded.last_id)`,
);

/** Ours stay below: an odd number that somebody tries out must not use them all up. */
const HIGHEST = 1_000_000_000;

/** Notes an id that somebody has chosen: the next one of ours is higher. */
export async function claim(
  db: Db,
  stationId: string,
  { kind, id }: { kind: IdKind; id: number },
): Promise<void> {
  if (id > 0 && id < HIGHEST) await db.query(raise([stationId, kind, id]));
}
