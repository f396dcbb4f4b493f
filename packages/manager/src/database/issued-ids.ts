import { statement } from './database.ts';
import type { Db } from './database.ts';

/** Kinds of ids that the CSMS assigns per station. */
export type IdKind = 'reservationId' | 'chargingProfileId' | 'requestId' | 'listVersion';

const takeNext = statement(
  'issuedIds.next',
  `INSERT INTO issued_ids AS known (station_id, kind, last_id) VALUES ($1, $2, 1)
   ON CONFLICT (station_id, kind) DO UPDATE SET last_id = known.last_id + 1 RETURNING last_id AS id`,
);

/** The next id of a kind for a station: positive, never assigned before (G.12). */
export async function next(db: Db, stationId: string, kind: IdKind): Promise<number> {
  const { rows } = await db.query<{ id: number }>(takeNext([stationId, kind]));
  return rows[0]?.id ?? 1;
}

const raise = statement(
  'issuedIds.claim',
  `INSERT INTO issued_ids AS known (station_id, kind, last_id) VALUES ($1, $2, $3)
   ON CONFLICT (station_id, kind) DO UPDATE SET last_id = greatest(known.last_id, excluded.last_id)`,
);

/** Assigned ids stay below this: a client's arbitrary large number must not exhaust them. */
const MAX_CLAIMED_ID = 1_000_000_000;

/** Records an id that a client has chosen: the next assigned id is higher. */
export async function claim(
  db: Db,
  stationId: string,
  { kind, id }: { kind: IdKind; id: number },
): Promise<void> {
  if (id > 0 && id < MAX_CLAIMED_ID) await db.query(raise([stationId, kind, id]));
}
