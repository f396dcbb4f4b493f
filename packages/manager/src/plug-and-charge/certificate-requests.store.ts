import type { Dialect } from '@evander/ocpp';
import { certificateExchange } from '../certificates/certificate-exchange.store.ts';
import type { CertificateRequestState } from '../certificates/certificate-requests.store.ts';
import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

export interface NewPncRequest {
  stationId: string;
  messageId: string;
  dialect: Dialect;
  csr: string;
  state: 'requested' | 'rejected';
  reason: string | null;
  requestedAt: Date;
}

// The statement's snapshot does not include the new row, so it does not supersede itself.
const insert = statement(
  'pncCertificateRequests.add',
  `WITH added AS (
     INSERT INTO pnc_certificate_requests (station_id, message_id, dialect, csr, state, reason, requested_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING state)
   UPDATE pnc_certificate_requests SET state = 'superseded', completed_at = $7
   WHERE station_id = $1 AND state IN ('requested', 'signed', 'refused') AND requested_at <= $7 AND EXISTS (SELECT FROM added WHERE state = 'requested')`,
);

/** Stores a request, once per envelope. A request that can be signed supersedes earlier ones (PnC.10). */
export async function add(db: Db, request: NewPncRequest): Promise<void> {
  const { stationId, messageId, dialect, csr, state, reason, requestedAt } = request;
  await db.query(insert([stationId, messageId, dialect, csr, state, reason, requestedAt]));
}

export const { waits, sign, complete } = certificateExchange({
  name: 'pncCertificateRequests',
  table: 'pnc_certificate_requests',
  id: 'pnc_request_id',
});

/** A request that Evander's own authority is to sign. */
export interface Signable {
  pncRequestId: number;
  stationId: string;
  dialect: Dialect;
  csr: string;
}

const claimNext = statement(
  'pncCertificateRequests.claim',
  `UPDATE pnc_certificate_requests SET attempts = attempts + 1, attempted_at = $1
   WHERE pnc_request_id = (SELECT pnc_request_id FROM pnc_certificate_requests
     WHERE state = 'requested' AND attempts < $3 AND coalesce(attempted_at, requested_at) <= $2
       AND ($4::text IS NULL OR station_id = $4)
     ORDER BY pnc_request_id LIMIT 1 FOR UPDATE SKIP LOCKED)
   RETURNING pnc_request_id AS "pncRequestId", station_id AS "stationId", dialect, csr`,
);

/**
 * Claims the next request to sign, so that no other manager signs it too: of one station or of any, not attempted since `before` and
 * fewer than `maxAttempts` times.
 */
export async function claim(
  db: Db,
  criteria: { now: Date; before: Date; maxAttempts: number; stationId?: string },
): Promise<Signable | undefined> {
  const { now, before, maxAttempts, stationId } = criteria;
  const { rows } = await db.query<Signable>(claimNext([now, before, maxAttempts, stationId ?? null]));
  return rows[0];
}

const markReason = statement(
  'pncCertificateRequests.explain',
  `UPDATE pnc_certificate_requests SET reason = $2 WHERE pnc_request_id = $1 AND state = 'requested'`,
);

/** Records why no certificate was sent for a request. */
export async function explain(db: Db, pncRequestId: number, reason: string): Promise<void> {
  await db.query(markReason([pncRequestId, reason]));
}

const markWaiting = statement(
  'pncCertificateRequests.waitAgain',
  `UPDATE pnc_certificate_requests SET state = 'requested', reason = $2, command_id = NULL, signed_at = NULL
   WHERE command_id = $1 AND state = 'signed'`,
);

/** The certificate did not reach the station: the request waits again. */
export async function waitAgain(db: Db, failure: { commandId: string; reason: string }): Promise<void> {
  await db.query(markWaiting([failure.commandId, failure.reason]));
}

/** A request as the API shows it. */
export interface PncRequestRow {
  pncRequestId: number;
  stationId: string;
  dialect: Dialect;
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
  `SELECT pnc_request_id AS "pncRequestId", station_id AS "stationId", dialect, csr, state, reason, command_id AS "commandId",
     certificate_chain AS "certificateChain", requested_at AS "requestedAt", signed_at AS "signedAt", completed_at AS "completedAt"
   FROM pnc_certificate_requests
   WHERE station_id = $1 AND ($2::bigint IS NULL OR pnc_request_id < $2) AND ($3::text IS NULL OR state = $3)
   ORDER BY pnc_request_id DESC LIMIT $4`,
);

/** A station's requests, newest first. */
export async function list(
  db: Db,
  filter: { stationId: string; before: number | null; state?: CertificateRequestState; rows: number },
): Promise<PncRequestRow[]> {
  const { stationId, before, state, rows: limit } = filter;
  const { rows } = await db.query<PncRequestRow>(selectPage([stationId, before, state ?? null, limit]));
  return rows;
}
