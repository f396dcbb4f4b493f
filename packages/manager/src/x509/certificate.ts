import { createHash, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readCertificates } from '../pem.ts';
import { bitsOf, childAt, childrenOf, oidOf, readDer, TAG } from './der.ts';
import type { Der } from './der.ts';

/** The algorithms of hash data. */
export const HASH_ALGORITHMS = ['SHA256', 'SHA384', 'SHA512'] as const;
export type HashAlgorithm = (typeof HASH_ALGORITHMS)[number];

/** What names a certificate by its issuer (RFC 6960): all in hex. */
export interface HashData {
  hashAlgorithm: HashAlgorithm;
  issuerNameHash: string;
  issuerKeyHash: string;
  serialNumber: string;
}

const EXTENSIONS_TAG = 0xa3;
const VERSION_TAG = 0xa0;
const BASIC_CONSTRAINTS = '2.5.29.19';
const SUBJECT_KEY_ID = '2.5.29.14';
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const BOOLEAN_TAG = 0x01;

/** An X.509 certificate, and what node:crypto does not tell of it. */
export class Certificate {
  readonly x509: X509Certificate;
  /** Distinguished names in DER. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  /** The bits of its public key. */
  readonly keyBits: Buffer;
  readonly #extensions: Der[];

  /** Throws when the bytes are no certificate. */
  constructor(raw: Buffer) {
    this.x509 = new X509Certificate(raw);
    const fields = childrenOf(childAt(readDer(this.x509.raw), 0, TAG.sequence));
    const [, , issuer, , subject, spki] = fields[0]?.tag === VERSION_TAG ? fields.slice(1) : fields;
    if (!issuer || !subject || !spki) throw new Error('the certificate has no issuer, subject and key');
    this.issuer = issuer.raw;
    this.subject = subject.raw;
    this.keyBits = bitsOf(childAt(spki, 1, TAG.bitString));
    const extensions = fields.find(({ tag }) => tag === EXTENSIONS_TAG);
    this.#extensions = extensions ? childrenOf(childAt(extensions, 0, TAG.sequence)) : [];
  }

  get publicKey(): KeyObject {
    return this.x509.publicKey;
  }

  get isSelfSigned(): boolean {
    return this.issuer.equals(this.subject) && this.isIssuedBy(this) && this.isSignedBy(this);
  }

  /** Names and key identifiers say so; whether the signature is right is another question. */
  isIssuedBy(issuer: Certificate): boolean {
    return this.x509.checkIssued(issuer.x509);
  }

  isSignedBy(issuer: Certificate): boolean {
    return this.x509.verify(issuer.publicKey);
  }

  isValidAt(at: Date): boolean {
    return new Date(this.x509.validFrom) <= at && at <= new Date(this.x509.validTo);
  }

  isSame(other: Certificate): boolean {
    return this.x509.raw.equals(other.x509.raw);
  }

  get signsOcsp(): boolean {
    // What node:crypto calls key usage is the extended one; absent, it is undefined against its type.
    return ((this.x509.keyUsage as string[] | undefined) ?? []).includes(OCSP_SIGNING);
  }

  /** How many sub-CAs may stand under it; Infinity when it does not say. */
  get pathLength(): number {
    const value = this.#extension(BASIC_CONSTRAINTS);
    const limit = value && childrenOf(value).find(({ tag }) => tag === TAG.integer);
    return limit ? limit.content.readUIntBE(0, Math.min(limit.content.length, 6)) : Infinity;
  }

  /** The identifier of its key, as those under it name it. */
  get subjectKeyId(): Buffer {
    return this.#extension(SUBJECT_KEY_ID)?.content ?? createHash('sha1').update(this.keyBits).digest();
  }

  /** The OCSP responders that it names. */
  get responders(): string[] {
    const lines = (this.x509.infoAccess ?? '').split('\n');
    return lines.flatMap((line) => /^OCSP - URI:(.+)$/.exec(line.trim())?.[1] ?? []);
  }

  /** The common name in its subject. */
  get commonName(): string | undefined {
    return /(?:^|\n)CN=(.+)/.exec(this.x509.subject)?.[1];
  }

  hashData(issuer: Certificate, algorithm: HashAlgorithm): HashData {
    return { ...issuer.hashesAsIssuer(algorithm), serialNumber: this.x509.serialNumber };
  }

  /** The hashes that what it has issued is named by. */
  hashesAsIssuer(algorithm: HashAlgorithm): Omit<HashData, 'serialNumber'> {
    const hash = (bytes: Buffer): string => createHash(algorithm).update(bytes).digest('hex');
    return {
      hashAlgorithm: algorithm,
      issuerNameHash: hash(this.subject),
      issuerKeyHash: hash(this.keyBits),
    };
  }

  #extension(id: string): Der | undefined {
    for (const extension of this.#extensions) {
      const [name, ...rest] = childrenOf(extension);
      if (name && oidOf(name) === id) {
        const value = rest.find(({ tag }) => tag !== BOOLEAN_TAG);
        return value && readDer(value.content);
      }
    }
    return undefined;
  }
}

/** The certificates of a chain in PEM, first to last; undefined when one of them cannot be read. */
export function readChain(pem: string): Certificate[] | undefined {
  try {
    return readCertificates(pem)?.map(({ raw }) => new Certificate(raw));
  } catch {
    return undefined;
  }
}
