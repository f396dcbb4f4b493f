import type { TunnelRequests, TunnelResponses } from '@evander/ocpp';
import type { ContractCertificateProvider } from './contract-certificates.ts';

/** Identifies a certificate by its issuer and serial number, and names the responder that knows whether it is revoked. */
export type OcspRequestData = TunnelRequests['oca']['GetCertificateStatus']['ocspRequestData'];

export type CertificateStatus = NonNullable<TunnelResponses['oca']['Authorize']['certificateStatus']>;

/** The evidence for a contract: its certificate chain, or the hash data of a chain that the station has verified itself. */
export interface ContractEvidence {
  emaid: string;
  /** PEM, the contract certificate first. */
  certificate?: string;
  hashData: readonly OcspRequestData[];
}

/** The result of the check; `reason` says what is wrong and how to fix it. */
export type CertificateEvaluation =
  { status: 'Accepted' } | { status: Exclude<CertificateStatus, 'Accepted'>; reason: string };

export type IssueV2g = (stationId: string, csr: string) => Promise<string>;

/** The services of Plug & Charge: certificate checks, OCSP responders, the pool of contracts. */
export interface PncServices {
  /** Checks a contract; undefined when there is nothing to check. Rejects only when the database is unavailable. */
  checkContract(evidence: ContractEvidence): Promise<CertificateEvaluation | undefined>;
  /** A responder's OCSPResponse for a certificate, in DER. Rejects when it cannot be obtained. */
  ocspResponse(data: OcspRequestData): Promise<Buffer>;
  /** Undefined when none is configured. */
  contractCertificates: ContractCertificateProvider | undefined;
  /** Issues the V2G certificate for a station's request: PEM, followed by its sub-CAs. Undefined if operators send certificates. */
  issueV2g: IssueV2g | undefined;
  /** The status of a failed GetCertificateStatus in the dialect of has.to.be. */
  has2beFailure: 'Failed' | 'Rejected';
}

/** The services that handlers of tunnelled messages use. */
export interface PlugAndCharge extends Omit<PncServices, 'issueV2g'> {
  /** Signs the waiting request of a station and sends the certificate, if Evander has an authority. Never rejects. */
  signWaiting(stationId: string): Promise<void>;
}
