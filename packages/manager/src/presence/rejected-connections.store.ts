import type { Rejection } from '@evander/broker';
import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** Connections from one address that were rejected for one reason, before they named a station. */
export interface RejectedConnection {
  remoteAddress: string;
  reason: string;
  status: number;
  count: number;
  firstAt: Date;
  lastAt: Date;
}

// Rows are locked in a fixed order, or two managers with the same addresses could deadlock.
const upsert = statement(
  'rejectedConnections.record',
  `INSERT INTO rejected_connections AS known (remote_address, reason, status, count, first_at, last_at)
   SELECT remote_address, reason, (array_agg(status ORDER BY at DESC))[1], count(*), min(at), max(at)
   FROM unnest($1::text[], $2::text[], $3::smallint[], $4::timestamptz[]) AS reported (remote_address, reason, status, at)
   GROUP BY remote_address, reason ORDER BY remote_address, reason
   ON CONFLICT (remote_address, reason) DO UPDATE SET count = known.count + excluded.count, status = excluded.status,
     last_at = GREATEST(known.last_at, excluded.last_at)`,
);

/** Counts rejected connections by address and reason. */
export async function record(
  db: Db,
  rejected: readonly Pick<Rejection, 'remoteAddress' | 'reason' | 'status' | 'at'>[],
): Promise<void> {
  if (rejected.length === 0) return;
  await db.query(
    upsert([
      rejected.map(({ remoteAddress }) => remoteAddress ?? ''),
      rejected.map(({ reason }) => reason),
      rejected.map(({ status }) => status),
      rejected.map(({ at }) => at),
    ]),
  );
}

const selectPage = search(
  `SELECT remote_address AS "remoteAddress", reason, status, count, first_at AS "firstAt", last_at AS "lastAt"
   FROM rejected_connections
   WHERE $1::timestamptz IS NULL OR (last_at, remote_address, reason) < ($1, $2::text, $3::text)
   ORDER BY last_at DESC, remote_address DESC, reason DESC LIMIT $4`,
);

export interface RejectedConnectionPage {
  before: { lastAt: string; remoteAddress: string; reason: string } | null;
  rows: number;
}

/** A page of rejected connections, the latest first. */
export async function list(
  db: Db,
  { before, rows: limit }: RejectedConnectionPage,
): Promise<RejectedConnection[]> {
  const after = [before?.lastAt ?? null, before?.remoteAddress ?? null, before?.reason ?? null];
  const { rows } = await db.query<RejectedConnection>(selectPage([...after, limit]));
  return rows;
}

const trim = statement(
  'rejectedConnections.trim',
  `DELETE FROM rejected_connections WHERE (remote_address, reason) IN
     (SELECT remote_address, reason FROM rejected_connections ORDER BY last_at DESC OFFSET $1)`,
);

/** Deletes all but the newest `rows` rows. */
export async function trimTo(db: Db, rows: number): Promise<void> {
  await db.query(trim([rows]));
}
