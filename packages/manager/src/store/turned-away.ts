import type { TurnedAway } from '@evander/broker';
import type { Db } from './db.ts';
import { statement } from './db.ts';
import * as rejectedConnections from './rejected-connections.ts';

const upsert = statement(
  'turnedAway.record',
  `INSERT INTO turned_away AS known (station_id, reason, status, remote_address, count, first_at, last_at)
   VALUES ($1, $2, $3, $4, 1, $5, $5)
   ON CONFLICT (station_id, reason) DO UPDATE SET count = known.count + 1, status = excluded.status,
     remote_address = excluded.remote_address, last_at = GREATEST(known.last_at, excluded.last_at)`,
);

/** Counts a rejected handshake under its station and reason; one that names no station is listed apart. */
export async function record(db: Db, handshake: TurnedAway): Promise<void> {
  const { stationId, reason, status, remoteAddress, at } = handshake;
  if (stationId === '')
    await rejectedConnections.record(db, { ...handshake, remoteAddress: remoteAddress ?? '' });
  else await db.query(upsert([stationId, reason, status, remoteAddress ?? null, at]));
}

const trim = statement(
  'turnedAway.trim',
  `DELETE FROM turned_away WHERE (station_id, reason) IN (SELECT station_id, reason FROM turned_away ORDER BY last_at DESC OFFSET $1)`,
);

/** Keeps the newest rows only: anyone can knock with any name, and from many addresses. */
export async function trimTo(db: Db, rows: number): Promise<void> {
  await db.query(trim([rows]));
  await rejectedConnections.trimTo(db, rows);
}
