import type { TunnelRequests, TunnelResponses } from '@evander/ocpp';
import type { ContractCertificateProvider } from './contract-certificates.ts';

/** What names a certificate by its issuer, and who can say whether it is revoked. */
export type OcspRequestData = TunnelRequests['oca']['GetCertificateStatus']['ocspRequestData'];

export type CertificateStatus = NonNullable<TunnelResponses['oca']['Authorize']['certificateStatus']>;

/** What is to be checked of a contract: its certificate chain, or what the station knows of the chain that it has checked itself. */
export interface ContractEvidence {
  emaid: string;
  /** PEM, the contract certificate first. */
  certificate?: string;
  hashData: readonly OcspRequestData[];
}

/** What came of the check; `reason` names what is wrong and the cure. */
export type CertificateEvaluation =
  { status: 'Accepted' } | { status: Exclude<CertificateStatus, 'Accepted'>; reason: string };

export type IssueV2g = (stationId: string, csr: string) => Promise<string>;

/** What Plug & Charge works with: certificates, their responders, the pool of contracts. */
export interface PncServices {
  /** Undefined when there is nothing to check. Rejects only when the database is away. */
  checkContract(evidence: ContractEvidence): Promise<CertificateEvaluation | undefined>;
  /** What a responder says of a certificate: an OCSPResponse in DER. Rejects when it cannot be had. */
  ocspResponse(data: OcspRequestData): Promise<Buffer>;
  /** Undefined when none is configured. */
  contractCertificates: ContractCertificateProvider | undefined;
  /** The V2G certificate for a station's request, then its sub-CAs, in PEM; undefined where operators send them. */
  issueV2g: IssueV2g | undefined;
  /** How a failed GetCertificateStatus is called in the dialect of has.to.be. */
  has2beFailure: 'Failed' | 'Rejected';
}

/** What the tunnelled messages have of it. */
export interface PlugAndCharge extends Omit<PncServices, 'issueV2g'> {
  /** Signs what waits of a station and sends it, when there is an authority of ours. Never rejects. */
  signWaiting(stationId: string): Promise<void>;
}
