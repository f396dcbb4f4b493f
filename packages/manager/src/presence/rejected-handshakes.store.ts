import type { Rejection } from '@evander/broker';
import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import * as rejectedConnections from './rejected-connections.store.ts';

// Rows are locked in a fixed order, or two managers with the same handshakes could deadlock.
const upsert = statement(
  'rejected.record',
  `INSERT INTO rejected_handshakes AS known (station_id, reason, status, remote_address, count, first_at, last_at)
   SELECT station_id, reason, (array_agg(status ORDER BY at DESC))[1], (array_agg(remote_address ORDER BY at DESC))[1],
     count(*), min(at), max(at)
   FROM unnest($1::text[], $2::text[], $3::smallint[], $4::text[], $5::timestamptz[])
     AS reported (station_id, reason, status, remote_address, at)
   GROUP BY station_id, reason ORDER BY station_id, reason
   ON CONFLICT (station_id, reason) DO UPDATE SET count = known.count + excluded.count, status = excluded.status,
     remote_address = excluded.remote_address, last_at = GREATEST(known.last_at, excluded.last_at)`,
);

/** Counts rejected handshakes by station and reason; those that name no station are counted by address. */
export async function record(db: Db, rejected: readonly Rejection[]): Promise<void> {
  await rejectedConnections.record(
    db,
    rejected.filter(({ stationId }) => stationId === ''),
  );
  const handshakes = rejected.filter(({ stationId }) => stationId !== '');
  if (handshakes.length === 0) return;
  await db.query(
    upsert([
      handshakes.map(({ stationId }) => stationId),
      handshakes.map(({ reason }) => reason),
      handshakes.map(({ status }) => status),
      handshakes.map(({ remoteAddress }) => remoteAddress ?? null),
      handshakes.map(({ at }) => at),
    ]),
  );
}

const trim = statement(
  'rejected.trim',
  `DELETE FROM rejected_handshakes WHERE (station_id, reason) IN (SELECT station_id, reason FROM rejected_handshakes ORDER BY last_at DESC OFFSET $1)`,
);

/** Deletes all but the newest `rows` rows: anyone can connect with any name, from many addresses. */
export async function trimTo(db: Db, rows: number): Promise<void> {
  await db.query(trim([rows]));
  await rejectedConnections.trimTo(db, rows);
}
