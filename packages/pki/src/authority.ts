import { randomBytes } from 'node:crypto';
import type { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { Certificate, readChain } from './certificate.ts';
import { evenHex } from './der.ts';
import { exportKey, importKeys, makeKeys, signingAlgorithm } from './keys.ts';
import type { KeyType } from './keys.ts';
import { answerOcsp, isIssuerOf } from './ocsp-responder.ts';
import type { CertificateStatus, OcspQuestion } from './ocsp-responder.ts';
import { readSigningRequest } from './signing-request.ts';
import { x509 } from './x509.ts';
import type { Subject } from './x509.ts';

export type { KeyType } from './keys.ts';

/** Revocation addresses in a certificate. */
interface Addresses {
  ocspUrl?: string;
  crlUrl?: string;
}

export interface IssueOptions extends Addresses {
  subject: Subject;
  validForDays: number;
  usage: 'client' | 'server' | 'v2g';
  /** DNS names and IP addresses for the subjectAltName. */
  names?: string[];
}

const DAY_MS = 86_400_000;
/** Station clocks may be slightly behind. */
const BACKDATED_MS = 3_600_000;
const { keyCertSign, cRLSign, digitalSignature, keyEncipherment, keyAgreement } = x509.KeyUsageFlags;

/** A certificate authority: its certificate, its key and its signing operations. */
export class CertificateAuthority {
  /** Its own certificate, PEM. */
  readonly certificatePem: string;
  /** Its own certificate and those above it up to the root, PEM. */
  readonly chainPem: string;
  readonly #certificate: x509.X509Certificate;
  readonly #parsed: Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(chainPem: string, keys: webcrypto.CryptoKeyPair) {
    const [own] = readChain(chainPem);
    this.certificatePem = own?.pem ?? '';
    this.chainPem = chainPem;
    this.#parsed = Certificate.parse(this.certificatePem);
    this.#certificate = new x509.X509Certificate(this.certificatePem);
    this.#keys = keys;
  }

  /** Creates an authority with a new key: a root, or with an issuer a subordinate one. */
  static async create(options: {
    commonName: string;
    organisation: string;
    keyType: KeyType;
    validForDays: number;
    issuer?: CertificateAuthority;
  }): Promise<CertificateAuthority> {
    const { commonName, organisation, keyType, validForDays, issuer } = options;
    const keys = await makeKeys(keyType, { forAuthority: true });
    const name = nameOf({ CN: commonName, O: organisation });
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: newSerialNumber(),
      subject: name,
      issuer: issuer ? issuer.#certificate.subjectName.toJSON() : name,
      ...validity(validForDays),
      publicKey: keys.publicKey,
      signingKey: issuer ? issuer.#keys.privateKey : keys.privateKey,
      signingAlgorithm: signingAlgorithm(issuer ? issuer.#keys.privateKey : keys.privateKey),
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(keyCertSign | cRLSign | digitalSignature, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        ...(issuer ? [await x509.AuthorityKeyIdentifierExtension.create(issuer.#keys.publicKey)] : []),
      ],
    });
    return new CertificateAuthority(
      withNewline(certificate.toString('pem')) + (issuer?.chainPem ?? ''),
      keys,
    );
  }

  /** Loads an existing authority. Throws CertificateError, or the key's error. */
  static async load({
    chainPem,
    keyPem,
  }: {
    chainPem: string;
    keyPem: string;
  }): Promise<CertificateAuthority> {
    return new CertificateAuthority(chainPem, await importKeys(keyPem));
  }

  /** Its private key, PEM. */
  exportKey(): Promise<string> {
    return exportKey(this.#keys.privateKey);
  }

  /** Issues a certificate for a request, which must have been checked. Returns PEM, the new certificate first, then this chain. */
  async issueFromRequest(csr: string, options: IssueOptions): Promise<string> {
    const { request } = readSigningRequest(csr);
    return this.#issue(request.publicKey, options);
  }

  /** Issues a certificate and a key for a server with these names. */
  async issueServer(
    options: { names: string[]; keyType: KeyType; validForDays: number } & Addresses,
  ): Promise<{ chainPem: string; keyPem: string }> {
    const keys = await makeKeys(options.keyType);
    const [commonName = ''] = options.names;
    const organisation = this.#certificate.subjectName.getField('O')[0];
    const subject = { CN: commonName, ...(organisation !== undefined && { O: organisation }) };
    const chainPem = await this.#issue(keys.publicKey, { ...options, subject, usage: 'server' });
    return { chainPem, keyPem: await exportKey(keys.privateKey) };
  }

  /** The list of revoked certificates, DER (RFC 5280 §5). */
  async crl(options: {
    revoked: { serialNumber: string; revokedAt: Date; reason: string }[];
    thisUpdate: Date;
    nextUpdate: Date;
  }): Promise<Buffer> {
    const crl = await x509.X509CrlGenerator.create({
      issuer: this.#certificate.subjectName.toJSON(),
      thisUpdate: options.thisUpdate,
      nextUpdate: options.nextUpdate,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: {
        ...signingAlgorithm(this.#keys.privateKey),
        hash: 'SHA-256',
      } as webcrypto.EcdsaParams,
      entries: options.revoked.map(({ serialNumber, revokedAt, reason }) => ({
        serialNumber: evenHex(serialNumber),
        revocationDate: revokedAt,
        reason: reasonOf(reason),
      })),
    });
    return Buffer.from(crl.rawData);
  }

  /** Whether an OCSP question is about a certificate of this authority. */
  isIssuerOf(question: OcspQuestion): boolean {
    return isIssuerOf(question, this.#parsed);
  }

  /**
   * Answers an OCSP question about a certificate of this authority: an OCSPResponse in DER (RFC 6960 §4.2.1), valid for OCSP_VALID_MS from
   * `at`.
   */
  answerOcsp(question: OcspQuestion, about: { status: CertificateStatus; at: Date }): Promise<Buffer> {
    return answerOcsp(question, { ...about, certificate: this.#parsed, key: this.#keys.privateKey });
  }

  async #issue(publicKey: x509.PublicKey | webcrypto.CryptoKey, options: IssueOptions): Promise<string> {
    const { subject, validForDays, usage, names = [] } = options;
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: newSerialNumber(),
      subject: nameOf(subject),
      issuer: this.#certificate.subjectName.toJSON(),
      ...validity(validForDays, this.#certificate.notAfter),
      publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: signingAlgorithm(this.#keys.privateKey),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(USAGES[usage].key, true),
        ...(USAGES[usage].purposes.length > 0
          ? [new x509.ExtendedKeyUsageExtension(USAGES[usage].purposes)]
          : []),
        ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names.map(generalName))] : []),
        await x509.SubjectKeyIdentifierExtension.create(publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(this.#keys.publicKey),
        ...addresses(options),
      ],
    });
    return withNewline(certificate.toString('pem')) + this.chainPem;
  }
}

const { clientAuth, serverAuth } = x509.ExtendedKeyUsage;
const USAGES = {
  client: { key: digitalSignature | keyAgreement, purposes: [clientAuth] },
  server: { key: digitalSignature | keyEncipherment, purposes: [serverAuth] },
  // ISO 15118-2, table 19: an SECC certificate.
  v2g: { key: digitalSignature | keyAgreement, purposes: [] },
};

function addresses({ ocspUrl, crlUrl }: Addresses): x509.Extension[] {
  return [
    ...(ocspUrl === undefined ? [] : [new x509.AuthorityInfoAccessExtension({ ocsp: [ocspUrl] })]),
    ...(crlUrl === undefined ? [] : [new x509.CRLDistributionPointsExtension([crlUrl])]),
  ];
}

function generalName(name: string): { type: 'ip' | 'dns'; value: string } {
  return { type: isIP(name) ? 'ip' : 'dns', value: name };
}

function nameOf(subject: Subject): x509.JsonName {
  return (['C', 'O', 'OU', 'CN', 'DC'] as const).flatMap((attribute) => {
    const value = subject[attribute];
    return value === undefined ? [] : [{ [attribute]: [value] }];
  });
}

// A certificate must not outlive its authority.
function validity(days: number, latest?: Date): { notBefore: Date; notAfter: Date } {
  const endMs = Date.now() + days * DAY_MS;
  return {
    notBefore: new Date(Date.now() - BACKDATED_MS),
    notAfter: new Date(Math.min(endMs, latest?.getTime() ?? endMs)),
  };
}

// Positive, without a leading zero, and unpredictable (RFC 5280 §4.1.2.2).
function newSerialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

function reasonOf(name: string): x509.X509CrlReason {
  return x509.X509CrlReason[name as keyof typeof x509.X509CrlReason] ?? x509.X509CrlReason.unspecified;
}
