import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import { certificateExchange } from './certificate-exchange.store.ts';

/**
 * `rejected`: the station did not send an acceptable request; `signed`: its certificate has been sent; `refused`: the station refused the
 * certificate, another may be sent; `superseded`: a newer request arrived.
 */
export const CERTIFICATE_REQUEST_STATES = [
  'requested',
  'rejected',
  'signed',
  'installed',
  'refused',
  'superseded',
] as const;
export type CertificateRequestState = (typeof CERTIFICATE_REQUEST_STATES)[number];

export interface NewCertificateRequest {
  stationId: string;
  messageId: string;
  csr: string;
  state: 'requested' | 'rejected';
  reason: string | null;
  requestedAt: Date;
}

// The snapshot does not contain the row that is being inserted, so the request does not supersede itself.
const insert = statement(
  'certificateRequests.add',
  `WITH added AS (
     INSERT INTO certificate_requests (station_id, message_id, csr, state, reason, requested_at)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING state)
   UPDATE certificate_requests SET state = 'superseded', completed_at = $6
   WHERE station_id = $1 AND requested_at <= $6 AND state IN ('requested', 'signed', 'refused')
     AND EXISTS (SELECT FROM added WHERE state = 'requested')`,
);

/** Stores a request, once per message; a request that can be signed supersedes earlier ones. */
export async function add(db: Db, request: NewCertificateRequest): Promise<void> {
  const { stationId, messageId, csr, state, reason, requestedAt } = request;
  await db.query(insert([stationId, messageId, csr, state, reason, requestedAt]));
}

export const { waits, sign, complete } = certificateExchange({
  name: 'certificateRequests',
  table: 'certificate_requests',
  id: 'certificate_request_id',
});

const markWaiting = statement(
  'certificateRequests.waitAgain',
  `UPDATE certificate_requests SET state = 'requested', reason = $2, command_id = NULL, signed_at = NULL,
     look_at = now() + least(900, 5 * power(3, least(attempts, 6))) * interval '1 second'
   WHERE command_id = $1 AND state = 'signed'`,
);

/** Makes a request wait again, because its certificate did not reach the station. */
export async function waitAgain(db: Db, failure: { commandId: string; reason: string }): Promise<void> {
  await db.query(markWaiting([failure.commandId, failure.reason]));
}

export interface WaitingRequest {
  certificateRequestId: number;
  stationId: string;
  csr: string;
  /** Number of previous attempts. */
  attempts: number;
}

// A manager leases requests for 60 s; if it dies, they are taken again.
const takeDue = statement(
  'certificateRequests.take',
  `UPDATE certificate_requests SET look_at = $1::timestamptz + interval '60 seconds', attempts = attempts + 1
   WHERE certificate_request_id IN (
     SELECT certificate_request_id FROM certificate_requests WHERE state = 'requested' AND coalesce(look_at, requested_at) <= $1
     ORDER BY certificate_request_id LIMIT 20 FOR UPDATE SKIP LOCKED)
   RETURNING certificate_request_id AS "certificateRequestId", station_id AS "stationId", csr, attempts - 1 AS attempts`,
);

/** Leases up to 20 requests that wait to be signed. */
export async function take(db: Db, now: Date): Promise<WaitingRequest[]> {
  const { rows } = await db.query<WaitingRequest>(takeDue([now]));
  return rows;
}

const markLater = statement(
  'certificateRequests.waitUntil',
  `UPDATE certificate_requests SET reason = $2, look_at = $3 WHERE certificate_request_id = $1 AND state = 'requested'`,
);

/** Schedules another attempt for a request that could not be signed. */
export async function waitUntil(
  db: Db,
  delay: { certificateRequestId: number; reason: string; lookAt: Date },
): Promise<void> {
  await db.query(markLater([delay.certificateRequestId, delay.reason, delay.lookAt]));
}

const selectLatest = statement(
  'certificateRequests.latest',
  `SELECT state, reason FROM certificate_requests WHERE station_id = $1 AND requested_at >= $2
   ORDER BY certificate_request_id DESC LIMIT 1`,
);

/** The state of a station's last request since a time; undefined if there is none. */
export async function latest(
  db: Db,
  stationId: string,
  since: Date,
): Promise<{ state: CertificateRequestState; reason: string | null } | undefined> {
  const { rows } = await db.query<{ state: CertificateRequestState; reason: string | null }>(
    selectLatest([stationId, since]),
  );
  return rows[0];
}

/** A request as the API shows it. */
export interface CertificateRequestRow {
  certificateRequestId: number;
  stationId: string;
  csr: string;
  state: CertificateRequestState;
  reason: string | null;
  commandId: string | null;
  certificateChain: string | null;
  requestedAt: Date;
  signedAt: Date | null;
  completedAt: Date | null;
}

const selectPage = search(
  `SELECT certificate_request_id AS "certificateRequestId", station_id AS "stationId", csr, state, reason,
     command_id AS "commandId", certificate_chain AS "certificateChain", requested_at AS "requestedAt",
     signed_at AS "signedAt", completed_at AS "completedAt"
   FROM certificate_requests
   WHERE station_id = $1 AND ($2::bigint IS NULL OR certificate_request_id < $2) AND ($3::text IS NULL OR state = $3)
   ORDER BY certificate_request_id DESC LIMIT $4`,
);

export interface CertificateRequestFilter {
  stationId: string;
  before: number | null;
  state?: CertificateRequestState;
  rows: number;
}

/** A station's requests, newest first. */
export async function list(db: Db, filter: CertificateRequestFilter): Promise<CertificateRequestRow[]> {
  const { stationId, before, state, rows: limit } = filter;
  const { rows } = await db.query<CertificateRequestRow>(
    selectPage([stationId, before, state ?? null, limit]),
  );
  return rows;
}
