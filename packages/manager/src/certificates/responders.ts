import { isCurrent, ocspRequest, readOcspResponse } from '@evander/pki';
import type { Certificate, CertificateHash, OcspAnswer } from '@evander/pki';
import { randomBytes } from 'node:crypto';
import type { Database } from '../database/database.ts';
import type { Outbound } from '../outbound/outbound.ts';
import * as ocspAnswers from './ocsp-answers.store.ts';

/** A station, and an EV behind it, waits for the answer. */
const TIMEOUT_MS = 3000;
const MAX_BYTES = 65_536;
/** What has no end of its own is asked for again after so long. */
const FALLBACK_MS = 300_000;
/** Nothing is kept for longer, whatever the responder thinks. */
const LONGEST_MS = 7 * 86_400_000;
const NONCE_BYTES = 16;
/** In characters; answers are kept by their URL. OCPP has 512. */
const MAX_URL_LENGTH = 512;

/** A certificate by its hashes, as OCPP tells of it, and whom to ask. */
export type OcspRequestData = CertificateHash & { responderURL?: string };

export interface RespondersOptions {
  database: Database;
  request: Outbound;
  now(): Date;
}

/** Who may have issued a certificate: certificates whose key has signed what is said of it. */
export type FindIssuer = (answer: OcspAnswer) => Certificate | undefined;

export interface OcspStatus {
  answer: OcspAnswer;
  /** The OCSPResponse in DER. */
  response: Buffer;
}

/** Why a responder's word on a certificate cannot be had; the message names the cure where there is one. */
export class NoStatus extends Error {
  override name = 'NoStatus';
}

/** Asks OCSP responders, and keeps what they say until it is out of date, for all managers. */
export class Responders {
  readonly #options: RespondersOptions;

  constructor(options: RespondersOptions) {
    this.#options = options;
  }

  /**
   * What is said of a certificate now. Where `issuerOf` finds its issuer the answer is one that the issuer signed, or whom it has
   * appointed; where it does not, whoever uses it has to see to that. Rejects with NoStatus when none can be had.
   */
  async ask(data: OcspRequestData, issuerOf: FindIssuer): Promise<OcspStatus> {
    const { database, now } = this.#options;
    const { responderURL: url } = data;
    if (url === undefined || url === '') throw new NoStatus('no responder is named');
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
      validUntil: untilWhen(status.answer, fetchedAt),
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
    if (status !== 200) throw new Error(`the responder answered ${status}`);
    const answer = readOcspResponse(response, data);
    // Many responders sign in advance and have none; one of another request is an old answer.
    if (answer.nonce && !answer.nonce.equals(nonce)) throw new Error('the answer is to another request');
    return { answer, response };
  }

  #check(answer: OcspAnswer, issuerOf: FindIssuer): void {
    const at = this.#options.now();
    if (!isCurrent(answer, at)) throw new NoStatus('the answer of the responder is out of date');
    const issuer = issuerOf(answer);
    if (issuer && !answer.isSignedFor(issuer, at))
      throw new NoStatus(
        'the answer of the responder is not signed by the issuer of the certificate, or whom it has appointed',
      );
  }

  #isGood(response: Buffer, data: OcspRequestData, issuerOf: FindIssuer): boolean {
    try {
      this.#check(readOcspResponse(response, data), issuerOf);
      return true;
    } catch {
      return false; // It is asked for again.
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

function untilWhen({ nextUpdate }: OcspAnswer, now: Date): Date {
  const end = nextUpdate?.getTime() ?? now.getTime() + FALLBACK_MS;
  return new Date(Math.min(end, now.getTime() + LONGEST_MS));
}
