import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** So long a key stands for its request. */
const KEPT_MS = 86_400_000;
/** Longer than a request takes: the manager that worked on it has died, or could not give the key back. */
const LEFT_MS = 360_000;
/** Where the request sends a command, a repeat may go on beside the first: the command's id lets it be recorded once. */
const LEFT_COMMAND_MS = 3000;

/** A request that has an Idempotency-Key. */
export interface KeyedRequest {
  apiKeyId: string;
  key: string;
  fingerprint: Buffer;
  sendsCommand: boolean;
}

/** `ours`: to be worked on here. The others: another request has the key. */
export type Claim =
  | { state: 'ours' | 'running' | 'otherRequest' }
  | { state: 'answered'; status: number; sealedAnswer: Buffer };

// What a manager that died has left is taken over by the same request.
const claimKey = statement(
  'idempotencyKeys.claim',
  `INSERT INTO idempotency_keys AS known (api_key_id, key, fingerprint, created_at) VALUES ($1, $2, $3, $4)
   ON CONFLICT (api_key_id, key) DO UPDATE
     SET fingerprint = excluded.fingerprint, created_at = excluded.created_at, status = NULL, sealed_answer = NULL
     WHERE known.created_at <= $5
       OR (known.status IS NULL AND known.created_at <= $6 AND known.fingerprint = excluded.fingerprint)
   RETURNING true`,
);

const selectKey = statement(
  'idempotencyKeys.find',
  `SELECT fingerprint = $3 AS "isSame", status, sealed_answer AS "sealedAnswer"
   FROM idempotency_keys WHERE api_key_id = $1 AND key = $2`,
);

/** Claims a key for a request; tells what is known of it where it is in use. Of requests at once one gets it. */
export async function claim(
  db: Db,
  { apiKeyId, key, fingerprint, sendsCommand }: KeyedRequest,
  now: Date,
): Promise<Claim> {
  const leftMs = sendsCommand ? LEFT_COMMAND_MS : LEFT_MS;
  const values = [apiKeyId, key, fingerprint, now, ago(KEPT_MS, now), ago(leftMs, now)];
  const { rowCount } = await db.query(claimKey(values));
  if (rowCount === 1) return { state: 'ours' };
  const { rows } = await db.query<{ isSame: boolean; status: number | null; sealedAnswer: Buffer | null }>(
    selectKey([apiKeyId, key, fingerprint]),
  );
  const [known] = rows;
  // Given back at this moment: the client may try again.
  if (!known) return { state: 'running' };
  const { isSame, status, sealedAnswer } = known;
  if (!isSame) return { state: 'otherRequest' };
  return status === null || sealedAnswer === null
    ? { state: 'running' }
    : { state: 'answered', status, sealedAnswer };
}

const keepAnswer = statement(
  'idempotencyKeys.keep',
  `UPDATE idempotency_keys SET status = $4, sealed_answer = $5
   WHERE api_key_id = $1 AND key = $2 AND fingerprint = $3 AND status IS NULL`,
);

/** Keeps what a request was answered, for its repeats. */
export async function keep(
  db: Db,
  { apiKeyId, key, fingerprint }: KeyedRequest,
  answer: { status: number; sealedAnswer: Buffer },
): Promise<void> {
  await db.query(keepAnswer([apiKeyId, key, fingerprint, answer.status, answer.sealedAnswer]));
}

const releaseKey = statement(
  'idempotencyKeys.release',
  'DELETE FROM idempotency_keys WHERE api_key_id = $1 AND key = $2 AND fingerprint = $3 AND status IS NULL',
);

/** Gives a key back: its request has had no effect, and may be sent again. */
export async function release(db: Db, { apiKeyId, key, fingerprint }: KeyedRequest): Promise<void> {
  await db.query(releaseKey([apiKeyId, key, fingerprint]));
}

const deleteOld = statement(
  'idempotencyKeys.forgetOld',
  'DELETE FROM idempotency_keys WHERE created_at <= $1',
);

/** Removes keys that stand for no request any more. */
export async function forgetOld(db: Db, now: Date): Promise<void> {
  await db.query(deleteOld([ago(KEPT_MS, now)]));
}

function ago(ms: number, now: Date): Date {
  return new Date(now.getTime() - ms);
}
