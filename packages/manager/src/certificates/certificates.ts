import { EstClient } from '@evander/pki';
import type { EstOptions } from '@evander/pki';
import type { Log } from '@evander/process';
import type { CallMaker } from '../commands/call-maker.ts';
import type { Database } from '../database/database.ts';
import * as goals from '../desired-state/reconciliations.store.ts';
import * as issuedCertificates from './issued-certificates.store.ts';
import type { Authority } from './authority.ts';
import { CertificateJudge } from './client-certificate.ts';
import { estSigner } from './est-signer.ts';
import type { Responders } from './responders.ts';
import { Signing } from './signer.ts';
import type { Signer } from './signer.ts';

const DAY_MS = 86_400_000;
const RENEW_EVERY_MS = 3_600_000;

export interface CertificateOptions {
  /** The operator, as O of certificates. */
  organisation: string;
  stationDays: number;
  /** How long before its end a certificate is renewed. */
  renewDays: number;
  signedBy: 'builtin' | 'est' | 'manual';
  est?: EstOptions;
}

export interface CertificatesContext {
  database: Database;
  callMaker: Pick<CallMaker, 'request'>;
  authority: Authority;
  responders: Responders;
  now(): Date;
  log: Log;
}

/** All that a manager does with certificates of stations: signs them, judges them, has them renewed in time. */
export class Certificates {
  readonly authority: Authority;
  readonly judge: CertificateJudge;
  readonly #signing: Signing;
  readonly #options: CertificateOptions & CertificatesContext;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CertificateOptions & CertificatesContext) {
    this.#options = options;
    this.authority = options.authority;
    this.judge = new CertificateJudge(options);
    const signer = this.#signer();
    this.#signing = new Signing({ ...options, ...(signer && { signer }) });
  }

  start(): void {
    const { log } = this.#options;
    this.#signing.start();
    this.#timer = setInterval(() => {
      this.renew().catch((error: unknown) => log.warn({ err: error }, 'certificates could not be renewed'));
    }, RENEW_EVERY_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#signing.close();
  }

  /** Has the certificates renewed that end soon; safe to be done by several managers. */
  async renew(): Promise<void> {
    const { database, now, renewDays, organisation } = this.#options;
    const at = now();
    const before = new Date(at.getTime() + renewDays * DAY_MS);
    for (const stationId of await issuedCertificates.expiring(database, at, before))
      await goals.put(database, {
        stationId,
        kind: 'stationCertificate',
        wanted: { organisation },
        lasting: false,
        requestedBy: null,
        at,
      });
  }

  #signer(): Signer | undefined {
    const { signedBy, est } = this.#options;
    if (signedBy === 'builtin')
      return { sign: (stationId, csr) => this.authority.issueForStation(stationId, csr) };
    return signedBy === 'est' && est ? estSigner(new EstClient(est)) : undefined;
  }
}
