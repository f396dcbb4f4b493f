import { EstClient } from '@evander/pki';
import type { EstOptions } from '@evander/pki';
import type { Log } from '@evander/process';
import type { CallMaker } from '../commands/call-maker.ts';
import type { Database } from '../database/database.ts';
import type { Authority } from './authority.ts';
import { CertificateJudge } from './client-certificate.ts';
import { estSigner } from './est-signer.ts';
import type { Responders } from './responders.ts';
import { Signing } from './signer.ts';
import type { Signer } from './signer.ts';

export interface CertificateOptions {
  /** The operator, as O of certificates. */
  organisation: string;
  stationDays: number;
  /** How many days before it expires a certificate is renewed. */
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

/** Signs certificates for stations, and verifies the certificates that stations present. */
export class Certificates {
  readonly authority: Authority;
  readonly judge: CertificateJudge;
  readonly #signing: Signing;
  readonly #options: CertificateOptions & CertificatesContext;

  constructor(options: CertificateOptions & CertificatesContext) {
    this.#options = options;
    this.authority = options.authority;
    this.judge = new CertificateJudge(options);
    const signer = this.#signer();
    this.#signing = new Signing({ ...options, ...(signer && { signer }) });
  }

  start(): void {
    this.#signing.start();
  }

  async close(): Promise<void> {
    await this.#signing.close();
  }

  #signer(): Signer | undefined {
    const { signedBy, est } = this.#options;
    if (signedBy === 'builtin')
      return { sign: (stationId, csr) => this.authority.issueForStation(stationId, csr) };
    return signedBy === 'est' && est ? estSigner(new EstClient(est)) : undefined;
  }
}
