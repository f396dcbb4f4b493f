import { serialKey } from '@evander/pki';
import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** The certificate that was asked about, and the responder. */
export interface OcspQuestion {
  responderUrl: string;
  hashAlgorithm: string;
  issuerNameHash: string;
  issuerKeyHash: string;
  serialNumber: string;
}

function keyOf(question: OcspQuestion): string[] {
  const { issuerNameHash, issuerKeyHash, serialNumber, hashAlgorithm, responderUrl } = question;
  const hashes = [issuerNameHash.toLowerCase(), issuerKeyHash.toLowerCase()];
  return [...hashes, serialKey(serialNumber), hashAlgorithm, responderUrl];
}

const select = statement(
  'ocspAnswers.find',
  `SELECT response FROM ocsp_answers WHERE issuer_name_hash = $1 AND issuer_key_hash = $2 AND serial_key = $3
     AND hash_algorithm = $4 AND responder_url = $5 AND valid_until > $6`,
);

/** A stored answer, in DER; undefined if there is none or it has expired. */
export async function find(db: Db, question: OcspQuestion, now: Date): Promise<Buffer | undefined> {
  const { rows } = await db.query<{ response: Buffer }>(select([...keyOf(question), now]));
  return rows[0]?.response;
}

const upsert = statement(
  'ocspAnswers.keep',
  `INSERT INTO ocsp_answers
     (issuer_name_hash, issuer_key_hash, serial_key, hash_algorithm, responder_url, response, fetched_at, valid_until)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
   ON CONFLICT (issuer_name_hash, issuer_key_hash, serial_key, hash_algorithm, responder_url) DO UPDATE
     SET response = excluded.response, fetched_at = excluded.fetched_at, valid_until = excluded.valid_until`,
);

/** Stores a responder's answer. */
export async function keep(
  db: Db,
  question: OcspQuestion,
  answer: { response: Buffer; fetchedAt: Date; validUntil: Date },
): Promise<void> {
  const { response, fetchedAt, validUntil } = answer;
  await db.query(upsert([...keyOf(question), response, fetchedAt, validUntil]));
}

const removeOld = statement('ocspAnswers.forgetOld', 'DELETE FROM ocsp_answers WHERE valid_until < $1');

/** Deletes expired answers. */
export async function forgetOld(db: Db, now: Date): Promise<void> {
  await db.query(removeOld([now]));
}
