import type { PncAction } from './tunnel.ts';

/** What a translation needs in addition to the payload. */
export interface Side {
  /** The status of a failed GetCertificateStatus in the dialect of has.to.be; implementations differ (H7). */
  has2beFailure?: 'Failed' | 'Rejected';
  /** The request that a response belongs to, in OCA's terms. */
  request?: object;
}

/** Translation between a dialect and OCA's application note; a missing function means that the two are the same. */
export interface Wording {
  /** From the dialect to OCA's terms. */
  readRequest?(payload: object): object;
  readResponse?(payload: object, side: Side): object;
  /** From OCA's terms to the dialect. */
  writeRequest?(payload: object): object;
  writeResponse?(payload: object, side: Side): object;
}

export type Wordings = { readonly [A in PncAction]?: Wording };
