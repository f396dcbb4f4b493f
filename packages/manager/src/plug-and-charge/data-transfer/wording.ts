import type { PncAction } from './tunnel.ts';

/** What a dialect needs to know besides the payload itself. */
export interface Side {
  /** The word for a failed GetCertificateStatus in the dialect of has.to.be, whose readings differ (H7). */
  has2beFailure?: 'Failed' | 'Rejected';
  /** The request that a response belongs to, in the words of OCA. */
  request?: object;
}

/** How a dialect says what OCA's application note says in other words; what it leaves out is the same there. */
export interface Wording {
  /** From the dialect. */
  readRequest?(payload: object): object;
  readResponse?(payload: object, side: Side): object;
  /** Into the dialect. */
  writeRequest?(payload: object): object;
  writeResponse?(payload: object, side: Side): object;
}

export type Wordings = { readonly [A in PncAction]?: Wording };
