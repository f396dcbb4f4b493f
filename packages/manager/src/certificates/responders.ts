import { isCurrent, ocspRequest, readOcspResponse } from '@evander/pki';
import type { Certificate, CertificateHash, OcspAnswer } from '@evander/pki';
import { randomBytes } from 'node:crypto';
import type { Database } from '../database/database.ts';
import type { Outbound } from '../outbound/outbound.ts';
import * as ocspAnswers from './ocsp-answers.store.ts';

/** Short, because a station and its EV wait for the answer. */
const TIMEOUT_MS = 3000;
const MAX_BYTES = 65_536;
/** How long an answer without `nextUpdate` is cached. */
const DEFAULT_CACHE_MS = 300_000;
/** No answer is cached for longer than this, whatever its `nextUpdate`. */
const MAX_CACHE_MS = 7 * 86_400_000;
const NONCE_BYTES = 16;
/** In characters; answers are cached by URL. OCPP allows 512. */
const MAX_URL_LENGTH = 512;

/** A certificate by its hashes, as in OCPP, and the responder to ask. */
export type OcspRequestData = CertificateHash & { responderURL?: string };

export interface RespondersOptions {
  database: Database;
  request: Outbound;
  now(): Date;
}

/** Finds the issuer of the certificate that an answer is about, perhaps among the certificates in the answer; undefined if it is not known. */
export type FindIssuer = (answer: OcspAnswer) => Certificate | undefined;

export interface OcspStatus {
  answer: OcspAnswer;
  /** The OCSPResponse in DER. */
  response: Buffer;
}

/** The status of a certificate cannot be determined; the message says why. */
export class NoStatus extends Error {
  override name = 'NoStatus';
}

/** Asks OCSP responders, and caches their answers in the database, for all managers, until they expire. */
export class Responders {
  readonly #options: RespondersOptions;

  constructor(options: RespondersOptions) {
    this.#options = options;
  }

  /**
   * The current status of a certificate. If `issuerOf` finds its issuer, the answer is verified to be signed by the issuer or by its
   * delegated responder; otherwise the caller has to verify that. Rejects with NoStatus if there is no usable answer.
   */
  async ask(data: OcspRequestData, issuerOf: FindIssuer): Promise<OcspStatus> {
    const { database, now } = this.#options;
    const { responderURL: url } = data;
    if (url === undefined || url === '') throw new NoStatus('the certificate names no responder');
    if (url.length > MAX_URL_LENGTH)
      throw new NoStatus(`the URL of the responder is longer than ${MAX_URL_LENGTH}`);
    const request = requestFor(data);
    const question = { ...data, responderUrl: url };
    const known = await ocspAnswers.find(database, question, now());
    if (known && this.#isGood(known, data, issuerOf))
      return { answer: readOcspResponse(known, data), response: known };
    const status = await this.#fetch(url, data, request).catch((error: unknown) => {
      throw new NoStatus(error instanceof Error ? error.message : String(error), { cause: error });
    });
    this.#check(status.answer, issuerOf);
    const fetchedAt = now();
    await ocspAnswers.keep(database, question, {
      response: status.response,
      fetchedAt,
      validUntil: cacheUntil(status.answer, fetchedAt),
    });
    return status;
  }

  async #fetch(
    url: string,
    data: OcspRequestData,
    { nonce, body }: { nonce: Buffer; body: Buffer },
  ): Promise<OcspStatus> {
    const { status, body: response } = await this.#options.request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/ocsp-request', accept: 'application/ocsp-response' },
      body,
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
    });
    if (status !== 200) throw new Error(`the responder answered with HTTP status ${status}`);
    const answer = readOcspResponse(response, data);
    // Many responders sign in advance, without a nonce; another request's nonce means a replayed answer.
    if (answer.nonce && !answer.nonce.equals(nonce)) throw new Error('the answer belongs to another request');
    return { answer, response };
  }

  #check(answer: OcspAnswer, issuerOf: FindIssuer): void {
    const at = this.#options.now();
    if (!isCurrent(answer, at)) throw new NoStatus("the responder's answer has expired or is not valid yet");
    const issuer = issuerOf(answer);
    if (issuer && !answer.isSignedFor(issuer, at))
      throw new NoStatus(
        "the responder's answer is signed neither by the issuer of the certificate nor by its delegated responder",
      );
  }

  #isGood(response: Buffer, data: OcspRequestData, issuerOf: FindIssuer): boolean {
    try {
      this.#check(readOcspResponse(response, data), issuerOf);
      return true;
    } catch {
      return false; // The responder is asked again.
    }
  }
}

function requestFor(data: OcspRequestData): { nonce: Buffer; body: Buffer } {
  const nonce = randomBytes(NONCE_BYTES);
  try {
    return { nonce, body: ocspRequest(data, nonce) };
  } catch (error) {
    throw new NoStatus(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function cacheUntil({ nextUpdate }: OcspAnswer, now: Date): Date {
  const end = nextUpdate?.getTime() ?? now.getTime() + DEFAULT_CACHE_MS;
  return new Date(Math.min(end, now.getTime() + MAX_CACHE_MS));
}
