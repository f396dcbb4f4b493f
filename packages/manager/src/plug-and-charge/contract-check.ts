import { CertificateError, isHashAlgorithm, readChain, validatePath } from '@evander/pki';
import type { Certificate, OcspAnswer, PathFault } from '@evander/pki';
import { emaidKey } from '../authorization/emaid.ts';
import { NoStatus } from '../certificates/responders.ts';
import type { FindIssuer, Responders } from '../certificates/responders.ts';
import type { Database } from '../database/database.ts';
import type { CertificateEvaluation, ContractEvidence, OcspRequestData } from './plug-and-charge.ts';
import * as pncRoots from './roots.store.ts';

type Refusal = Exclude<CertificateEvaluation, { status: 'Accepted' }>;

/** Any other fault is a CertChainError. */
const STATUS_OF: { readonly [F in PathFault]?: Refusal['status'] } = {
  expired: 'CertificateExpired',
  notYetValid: 'CertificateExpired',
  badSignature: 'SignatureError',
};

/** Contracts have at most two sub-CAs; a much longer chain is an attempt to waste CPU time. */
const MAX_CHAIN_LENGTH = 10;

export interface ContractCheckOptions {
  database: Database;
  responders: Responders;
  now(): Date;
}

interface Authorities {
  anchors: Certificate[];
  intermediates: Certificate[];
}

/** Checks contract certificates (PnC.7, PnC.8): chains against the trusted roots, and revocation with the OCSP responders. */
export class ContractCheck {
  readonly #options: ContractCheckOptions;

  constructor(options: ContractCheckOptions) {
    this.#options = options;
  }

  /** Checks a contract; undefined when there is nothing to check. */
  async check({
    emaid,
    certificate,
    hashData,
  }: ContractEvidence): Promise<CertificateEvaluation | undefined> {
    if (certificate === undefined && hashData.length === 0) return undefined;
    const authorities = await this.#authorities();
    const chain =
      certificate === undefined ? undefined : await this.#checkChain(emaid, certificate, authorities);
    if (chain && chain.status !== 'Accepted') return chain;
    return this.#checkAll(hashData.map((data) => this.#checkOne(data, issuerFor(data, authorities))));
  }

  /** How to find the issuer that hash data identifies: among the trusted authorities, or in the OCSP response itself. */
  async issuerFor(data: OcspRequestData): Promise<FindIssuer> {
    return issuerFor(data, await this.#authorities());
  }

  async #checkChain(emaid: string, pem: string, authorities: Authorities): Promise<CertificateEvaluation> {
    const chain = readable(pem);
    const [leaf] = chain;
    if (!leaf || chain.length > MAX_CHAIN_LENGTH)
      return { status: 'CertChainError', reason: 'certificate cannot be read: it must be a chain in PEM' };
    const result = validatePath({ chain, ...authorities, at: this.#options.now() });
    if (!result.ok) return { status: STATUS_OF[result.fault] ?? 'CertChainError', reason: result.reason };
    const { CN: commonName = '' } = leaf.subject;
    if (!isSameContract(commonName, emaid))
      return { status: 'CertChainError', reason: `the certificate is for ${commonName}, not for ${emaid}` };
    const { path } = result;
    // A certificate that names no responder cannot be checked for revocation; the root is trusted by configuration.
    const checks = path.slice(0, -1).flatMap((certificate, index) => {
      const [responderURL] = certificate.ocspUrls;
      const issuer = path[index + 1];
      if (responderURL === undefined || !issuer) return [];
      return [this.#checkOne({ ...certificate.hashData(issuer, 'SHA256'), responderURL }, () => issuer)];
    });
    return this.#checkAll(checks);
  }

  /** Accepted if all are, else the worst evaluation: revoked outranks unknown. */
  async #checkAll(checks: Promise<CertificateEvaluation>[]): Promise<CertificateEvaluation> {
    const evaluations = await Promise.all(checks);
    return (
      evaluations.find(({ status }) => status === 'CertificateRevoked') ??
      evaluations.find(({ status }) => status !== 'Accepted') ?? { status: 'Accepted' }
    );
  }

  async #checkOne(data: OcspRequestData, issuerOf: FindIssuer): Promise<CertificateEvaluation> {
    const name = `the certificate ${data.serialNumber.slice(0, 40)}`;
    const unavailable = (reason: string): CertificateEvaluation => ({
      status: 'NoCertificateAvailable',
      reason: `the status of ${name} is unavailable: ${reason}`,
    });
    let answer: OcspAnswer;
    try {
      answer = (await this.#options.responders.ask(data, issuerOf)).answer;
    } catch (error) {
      if (!(error instanceof NoStatus)) throw error;
      return unavailable(error.message);
    }
    // An answer is worthless if its issuer is unknown.
    if (!issuerOf(answer)) return unavailable('its issuer is not known; add it to /api/v1/pnc-roots');
    if (answer.status === 'revoked') return { status: 'CertificateRevoked', reason: `${name} is revoked` };
    return answer.status === 'good' ? { status: 'Accepted' } : unavailable('the responder does not know it');
  }

  async #authorities(): Promise<Authorities> {
    const [anchors, intermediates]: Certificate[][] = [[], []];
    for (const { pem, isSelfSigned } of await pncRoots.all(this.#options.database))
      for (const certificate of readChain(pem)) (isSelfSigned ? anchors : intermediates)?.push(certificate);
    return { anchors: anchors ?? [], intermediates: intermediates ?? [] };
  }
}

/** The hash of the issuer's key identifies it, so a certificate from the response is as trustworthy as a configured one. */
function issuerFor(data: OcspRequestData, { anchors, intermediates }: Authorities): FindIssuer {
  const { hashAlgorithm, issuerKeyHash } = data;
  if (!isHashAlgorithm(hashAlgorithm)) return () => undefined;
  const keyHash = issuerKeyHash.toLowerCase();
  return ({ certificates }) =>
    [...anchors, ...intermediates, ...certificates].find(
      (certificate) => certificate.hashData(certificate, hashAlgorithm).issuerKeyHash === keyHash,
    );
}

/** The certificates of a chain; empty when it cannot be read. */
function readable(pem: string): Certificate[] {
  try {
    return readChain(pem);
  } catch (error) {
    if (error instanceof CertificateError) return [];
    throw error;
  }
}

function isSameContract(commonName: string, emaid: string): boolean {
  const [one, other] = [commonName, emaid].map((text) => emaidKey(text) ?? text.toLowerCase());
  return one === other;
}
