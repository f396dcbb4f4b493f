import type { Dialect } from '@evander/ocpp';
import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** An authorization by contract certificate. */
export interface PncAuthorization {
  stationId: string;
  receivedAt: Date;
  messageId: string;
  dialect: Dialect;
  emaid: string;
  emaidKey: string;
  idTag: string | null;
  status: string;
  certificateStatus: string | null;
  reason: string | null;
}

const insert = statement(
  'pncAuthorizations.add',
  `INSERT INTO pnc_authorizations
     (station_id, received_at, message_id, dialect, emaid, emaid_key, id_tag, status, certificate_status, reason)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
);

/** Stores an authorization, once per envelope. */
export async function add(db: Db, authorization: PncAuthorization): Promise<void> {
  const { stationId, receivedAt, messageId, dialect, emaid, emaidKey, idTag } = authorization;
  const { status, certificateStatus, reason } = authorization;
  await db.query(
    insert([
      stationId,
      receivedAt,
      messageId,
      dialect,
      emaid,
      emaidKey,
      idTag,
      status,
      certificateStatus,
      reason,
    ]),
  );
}

export type PncAuthorizationRow = Omit<PncAuthorization, 'emaidKey'>;

const selectPage = search(
  `SELECT station_id AS "stationId", received_at AS "receivedAt", message_id AS "messageId", dialect, emaid, id_tag AS "idTag",
     status, certificate_status AS "certificateStatus", reason
   FROM pnc_authorizations
   WHERE ($1::timestamptz IS NULL OR (received_at, station_id, message_id) < ($1, $2, $3))
     AND ($4::text IS NULL OR station_id = $4) AND ($5::text IS NULL OR emaid_key = $5)
     AND ($6::text IS NULL OR certificate_status = $6)
     AND ($7::timestamptz IS NULL OR received_at >= $7) AND ($8::timestamptz IS NULL OR received_at < $8)
   ORDER BY received_at DESC, station_id DESC, message_id DESC LIMIT $9`,
);

export interface PncAuthorizationFilter {
  before: [string, string, string] | null;
  stationId?: string;
  emaidKey?: string;
  certificateStatus?: string;
  from: Date | null;
  to: Date | null;
  rows: number;
}

/** A page of authorizations, newest first. */
export async function list(db: Db, filter: PncAuthorizationFilter): Promise<PncAuthorizationRow[]> {
  const { before, stationId, emaidKey, certificateStatus, from, to, rows: limit } = filter;
  const place = before ?? [null, null, null];
  const criteria = [stationId ?? null, emaidKey ?? null, certificateStatus ?? null, from, to];
  const { rows } = await db.query<PncAuthorizationRow>(selectPage([...place, ...criteria, limit]));
  return rows;
}
