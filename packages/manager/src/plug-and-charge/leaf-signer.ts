import type { Log } from '@evander/process';
import type { CallMaker } from '../commands/call-maker.ts';
import type { Database } from '../database/database.ts';
import * as pncCertificateRequests from './certificate-requests.store.ts';
import type { Signable } from './certificate-requests.store.ts';
import { packRequest } from './data-transfer/codec.ts';
import type { IssueV2g, PncServices } from './plug-and-charge.ts';

const POLL_INTERVAL_MS = 10_000;
/** A claimed request that is not signed within this time may be claimed again. */
const RETRY_AFTER_MS = 60_000;
const MAX_ATTEMPTS = 3;
/** A station that disconnects before its certificate arrives gets it if it reconnects within this time. */
const TTL_SECONDS = 3600;

export interface LeafSignerOptions {
  database: Database;
  callMaker: CallMaker;
  /** As in PncServices; without it, all requests wait for an operator. */
  issueV2g: PncServices['issueV2g'];
  now(): Date;
  log: Log;
}

/** Signs the V2G certificates that stations request and sends them after the response, once across all managers (PnC.10). */
export class LeafSigner {
  readonly #options: LeafSignerOptions;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> = Promise.resolve();

  constructor(options: LeafSignerOptions) {
    this.#options = options;
  }

  /** Starts polling for requests that are still unsigned. */
  start(): void {
    if (!this.#options.issueV2g) return;
    this.#timer = setInterval(() => {
      this.#working = this.sweep();
    }, POLL_INTERVAL_MS);
  }

  /** Signs the waiting request of a station. Never rejects. */
  async signWaiting(stationId: string): Promise<void> {
    await this.#signAll({ before: this.#options.now(), stationId });
  }

  /** Signs requests left over from a crashed manager or a temporary fault. Never rejects. */
  async sweep(): Promise<void> {
    await this.#signAll({ before: new Date(this.#options.now().getTime() - RETRY_AFTER_MS) });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#working;
  }

  async #signAll(criteria: { before: Date; stationId?: string }): Promise<void> {
    const { database, now, log, issueV2g } = this.#options;
    if (!issueV2g) return;
    try {
      for (;;) {
        const claim = { ...criteria, now: now(), maxAttempts: MAX_ATTEMPTS };
        const request = await pncCertificateRequests.claim(database, claim);
        if (!request) return;
        await this.#sign(request, issueV2g);
        if (criteria.stationId !== undefined) return;
      }
    } catch (error) {
      log.warn({ err: error }, 'V2G certificates could not be signed');
    }
  }

  async #sign(signable: Signable, issue: IssueV2g): Promise<void> {
    const { database, callMaker, log } = this.#options;
    const { pncRequestId, stationId, dialect, csr } = signable;
    try {
      const certificateChain = await issue(stationId, csr);
      const request = packRequest({ dialect, action: 'CertificateSigned' }, { certificateChain });
      await callMaker.request({ stationId, action: 'DataTransfer', request, ttlSeconds: TTL_SECONDS });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn({ stationId, err: error }, 'no V2G certificate for a station');
      await pncCertificateRequests.explain(database, pncRequestId, reason);
    }
  }
}
