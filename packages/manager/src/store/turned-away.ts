import type { TurnedAway } from '@evander/broker';
import type { Db } from './db.ts';
import { statement } from './db.ts';

const upsert = statement(
  'turnedAway.record',
  `INSERT INTO turned_away AS known (station_id, reason, status, remote_address, count, first_at, last_at)
   VALUES ($1, $2, $3, $4, 1, $5, $5)
   ON CONFLICT (station_id, reason) DO UPDATE SET count = known.count + 1, status = excluded.status,
     remote_address = excluded.remote_address, last_at = GREATEST(known.last_at, excluded.last_at)`,
);

/** Counts a refused handshake under its station and reason. */
export async function record(db: Db, handshake: TurnedAway): Promise<void> {
  const { stationId, reason, status, remoteAddress, at } = handshake;
  await db.query(upsert([stationId, reason, status, remoteAddress ?? null, at]));
}

const trim = statement(
  'turnedAway.trim',
  `DELETE FROM turned_away WHERE (station_id, reason) IN (SELECT station_id, reason FROM turned_away ORDER BY last_at DESC OFFSET $1)`,
);

/** Keeps the newest rows only: anyone can knock with any name. */
export async function trimTo(db: Db, rows: number): Promise<void> {
  await db.query(trim([rows]));
}
