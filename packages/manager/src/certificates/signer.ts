import type { Log } from '@evander/process';
import type { CallMaker } from '../commands/call-maker.ts';
import { CommandNotSent, RuleViolation } from '../commands/command.ts';
import type { Database } from '../database/database.ts';
import * as certificateRequests from './certificate-requests.store.ts';
import type { WaitingRequest } from './certificate-requests.store.ts';

const POLL_INTERVAL_MS = 1000;
/** Delays before retries, in s; the last one repeats. */
const RETRY_SECONDS = [5, 15, 60, 300, 900];

/** Signs requests, with the built-in or an external authority. Rejects with NotYetSigned if it must be asked again later. */
export interface Signer {
  sign(stationId: string, csr: string): Promise<string>;
}

/** The authority has not signed yet. */
export class NotYetSigned extends Error {
  override name = 'NotYetSigned';
  readonly retrySeconds: number;

  constructor(retrySeconds: number) {
    super(`the authority has not signed yet; it asks to retry in ${retrySeconds} s`);
    this.retrySeconds = retrySeconds;
  }
}

export interface SigningOptions {
  database: Database;
  callMaker: Pick<CallMaker, 'request'>;
  /** Undefined where operators send certificates themselves. */
  signer?: Signer;
  now(): Date;
  log: Log;
}

/** Signs stored SignCertificate requests, which were checked on arrival, and sends CertificateSigned (ocppj.md §8). */
export class Signing {
  readonly #options: SigningOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: SigningOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#options.signer) this.#timer = setInterval(() => void this.signDue(), POLL_INTERVAL_MS);
  }

  /** Signs due requests; several managers may do so concurrently. Never rejects. */
  signDue(): Promise<void> {
    this.#running = this.#running.then(() => this.#round());
    return this.#running;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  async #round(): Promise<void> {
    const { database, now, log } = this.#options;
    try {
      for (const request of await certificateRequests.take(database, now())) await this.#answer(request);
    } catch (error) {
      log.warn({ err: error }, 'certificate requests could not be processed');
    }
  }

  async #answer(request: WaitingRequest): Promise<void> {
    const { signer, callMaker } = this.#options;
    const { stationId, csr } = request;
    if (!signer) return;
    try {
      const certificateChain = await signer.sign(stationId, csr);
      await callMaker.request({
        stationId,
        action: 'CertificateSigned',
        request: { certificateChain },
        ttlSeconds: 3600,
      });
    } catch (error) {
      await this.#retryLater(request, error);
    }
  }

  async #retryLater(
    { certificateRequestId, stationId, attempts }: WaitingRequest,
    error: unknown,
  ): Promise<void> {
    const { database, now, log } = this.#options;
    const at = now();
    const isExpected =
      error instanceof NotYetSigned || error instanceof CommandNotSent || error instanceof RuleViolation;
    log[isExpected ? 'info' : 'warn'](
      { stationId, err: error },
      'a certificate request could not be signed yet',
    );
    const seconds =
      error instanceof NotYetSigned
        ? error.retrySeconds
        : (RETRY_SECONDS[attempts] ?? RETRY_SECONDS.at(-1) ?? 900);
    const reason = error instanceof Error ? error.message : String(error);
    await certificateRequests.waitUntil(database, {
      certificateRequestId,
      reason,
      lookAt: new Date(at.getTime() + seconds * 1000),
    });
  }
}
