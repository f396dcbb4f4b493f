import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** How long a key is valid. */
const LIFETIME_MS = 86_400_000;
/** Longer than any request takes: after this time, the manager that handled it has died or could not release the key. */
const ABANDONED_MS = 360_000;
/** For requests that send a command. Shorter, because a repeat may run concurrently: the command's id lets it be recorded only once. */
const ABANDONED_COMMAND_MS = 3000;

/** A request that has an Idempotency-Key. */
export interface KeyedRequest {
  apiKeyId: string;
  key: string;
  fingerprint: Buffer;
  sendsCommand: boolean;
}

/** `claimed`: this request holds the key. Otherwise another request does. */
export type Claim =
  | { state: 'claimed' | 'running' | 'otherRequest' }
  | { state: 'answered'; status: number; sealedAnswer: Buffer };

// The same request may take over a key that a dead manager has left.
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

/** Claims a key for a request, or returns the state of the request that holds it. Only one of several concurrent requests gets it. */
export async function claim(
  db: Db,
  { apiKeyId, key, fingerprint, sendsCommand }: KeyedRequest,
  now: Date,
): Promise<Claim> {
  const abandonedMs = sendsCommand ? ABANDONED_COMMAND_MS : ABANDONED_MS;
  const values = [apiKeyId, key, fingerprint, now, ago(LIFETIME_MS, now), ago(abandonedMs, now)];
  const { rowCount } = await db.query(claimKey(values));
  if (rowCount === 1) return { state: 'claimed' };
  const { rows } = await db.query<{ isSame: boolean; status: number | null; sealedAnswer: Buffer | null }>(
    selectKey([apiKeyId, key, fingerprint]),
  );
  const [known] = rows;
  // Released at this moment: the client may try again.
  if (!known) return { state: 'running' };
  const { isSame, status, sealedAnswer } = known;
  if (!isSame) return { state: 'otherRequest' };
  return status === null || sealedAnswer === null
    ? { state: 'running' }
    : { state: 'answered', status, sealedAnswer };
}

const updateAnswer = statement(
  'idempotencyKeys.keep',
  `UPDATE idempotency_keys SET status = $4, sealed_answer = $5
   WHERE api_key_id = $1 AND key = $2 AND fingerprint = $3 AND status IS NULL`,
);

/** Stores the response to a request for its repeats. */
export async function storeAnswer(
  db: Db,
  { apiKeyId, key, fingerprint }: KeyedRequest,
  answer: { status: number; sealedAnswer: Buffer },
): Promise<void> {
  await db.query(updateAnswer([apiKeyId, key, fingerprint, answer.status, answer.sealedAnswer]));
}

const releaseKey = statement(
  'idempotencyKeys.release',
  'DELETE FROM idempotency_keys WHERE api_key_id = $1 AND key = $2 AND fingerprint = $3 AND status IS NULL',
);

/** Releases a key: its request had no effect and may be sent again. */
export async function release(db: Db, { apiKeyId, key, fingerprint }: KeyedRequest): Promise<void> {
  await db.query(releaseKey([apiKeyId, key, fingerprint]));
}

const deleteOld = statement(
  'idempotencyKeys.forgetOld',
  'DELETE FROM idempotency_keys WHERE created_at <= $1',
);

/** Removes keys that are no longer valid. */
export async function forgetOld(db: Db, now: Date): Promise<void> {
  await db.query(deleteOld([ago(LIFETIME_MS, now)]));
}

function ago(ms: number, now: Date): Date {
  return new Date(now.getTime() - ms);
}
