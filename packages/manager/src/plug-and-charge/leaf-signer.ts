import type { Log } from '@evander/process';
import type { CallMaker } from '../commands/call-maker.ts';
import type { Database } from '../database/database.ts';
import * as pncCertificateRequests from './certificate-requests.store.ts';
import type { Signable } from './certificate-requests.store.ts';
import { packRequest } from './data-transfer/codec.ts';
import type { IssueV2g, PncServices } from './plug-and-charge.ts';

const SWEEP_MS = 10_000;
/** A request that was taken and not signed is left for so long to whoever took it. */
const AGAIN_MS = 60_000;
const MAX_ATTEMPTS = 3;
/** A station that goes away before its certificate comes gets it when it is back. */
const TTL_SECONDS = 3600;

export interface LeafSignerOptions {
  database: Database;
  callMaker: CallMaker;
  /** As in PncServices: without it all requests wait for an operator. */
  issueV2g: PncServices['issueV2g'];
  now(): Date;
  log: Log;
}

/** Has the V2G certificates that stations ask for signed, and sends them: after the answer, and once in the fleet (PnC.10). */
export class LeafSigner {
  readonly #options: LeafSignerOptions;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> = Promise.resolve();

  constructor(options: LeafSignerOptions) {
    this.#options = options;
  }

  /** From now on what others left lying is signed too. */
  start(): void {
    if (!this.#options.issueV2g) return;
    this.#timer = setInterval(() => {
      this.#working = this.sweep();
    }, SWEEP_MS);
  }

  /** Signs what waits of a station. Never rejects. */
  async signWaiting(stationId: string): Promise<void> {
    await this.#signAll({ before: this.#options.now(), stationId });
  }

  /** Signs whatever was left lying, by a manager that died or for a fault that may be over. Never rejects. */
  async sweep(): Promise<void> {
    await this.#signAll({ before: new Date(this.#options.now().getTime() - AGAIN_MS) });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#working;
  }

  async #signAll(desired: { before: Date; stationId?: string }): Promise<void> {
    const { database, now, log, issueV2g } = this.#options;
    if (!issueV2g) return;
    try {
      for (;;) {
        const about = { ...desired, now: now(), maxAttempts: MAX_ATTEMPTS };
        const request = await pncCertificateRequests.claim(database, about);
        if (!request) return;
        await this.#sign(request, issueV2g);
        if (desired.stationId !== undefined) return;
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
      log.warn({ stationId, err: error }, 'a station gets no V2G certificate');
      await pncCertificateRequests.explain(database, pncRequestId, reason);
    }
  }
}
