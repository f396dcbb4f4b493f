import { createHash, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { derOf, identifiersOf, pemOf, serialKey, subjectOf, x509 } from './x509.ts';
import type { Subject } from './x509.ts';

export type HashAlgorithm = 'SHA256' | 'SHA384' | 'SHA512';

/** How OCPP and OCSP identify a certificate. */
export interface CertificateHash {
  hashAlgorithm: HashAlgorithm;
  issuerNameHash: string;
  issuerKeyHash: string;
  serialNumber: string;
}

/** The input is not a certificate, or not of the required type. */
export class CertificateError extends Error {
  override name = 'CertificateError';
}

/** A certificate (RFC 5280). Parsing is cheap; rarely used parts are parsed on demand. */
export class Certificate {
  readonly der: Buffer;
  readonly #node: X509Certificate;
  #read: x509.X509Certificate | undefined;

  private constructor(der: Buffer) {
    this.der = der;
    this.#node = new X509Certificate(der);
  }

  /** Parses a certificate in PEM (the first of several) or DER. Throws CertificateError. */
  static parse(text: string | Buffer): Certificate {
    try {
      const certificate = new Certificate(derOf(text));
      // Parse these now, or a bad certificate would fail in the middle of something else.
      void [certificate.subject, certificate.issuer, certificate.notAfter, certificate.publicKey];
      void [certificate.names, certificate.ocspUrls, certificate.pathLength];
      return certificate;
    } catch (error) {
      if (error instanceof CertificateError) throw error;
      throw new CertificateError('it is not an X.509 certificate in PEM or DER', { cause: error });
    }
  }

  get pem(): string {
    return pemOf('CERTIFICATE', this.der);
  }

  get subject(): Subject {
    return subjectOf(this.#x509.subjectName);
  }

  get issuer(): Subject {
    return subjectOf(this.#x509.issuerName);
  }

  /** Hex, lower case, without leading zeros. */
  get serialNumber(): string {
    return serialKey(this.#node.serialNumber);
  }

  get notBefore(): Date {
    return this.#x509.notBefore;
  }

  get notAfter(): Date {
    return this.#x509.notAfter;
  }

  get isCa(): boolean {
    return this.#node.ca;
  }

  /** How many authorities may be below it; undefined without a limit. */
  get pathLength(): number | undefined {
    return this.#x509.getExtension(x509.BasicConstraintsExtension)?.pathLength;
  }

  get key(): KeyObject {
    return this.#node.publicKey;
  }

  get publicKey(): { type: string; bits: number } {
    return describeKey(this.key);
  }

  /** The names and addresses in its subjectAltName. */
  get names(): string[] {
    const extension = this.#x509.getExtension(x509.SubjectAlternativeNameExtension);
    return extension?.names.items.map(({ value }) => value) ?? [];
  }

  /** All names of its owner: from its subject and its subjectAltName. */
  get identifiers(): string[] {
    return [...identifiersOf(this.#x509.subjectName), ...this.names];
  }

  get ocspUrls(): string[] {
    const access = this.#x509.getExtension(x509.AuthorityInfoAccessExtension);
    return access?.ocsp.filter(({ type }) => type === 'url').map(({ value }) => value) ?? [];
  }

  /** SHA-256 of the whole certificate, hex. */
  get fingerprint(): string {
    return createHash('sha256').update(this.der).digest('hex');
  }

  get isSelfIssued(): boolean {
    return this.#x509.issuer === this.#x509.subject;
  }

  /** The OIDs of its extendedKeyUsage; undefined without one. */
  get purposes(): string[] | undefined {
    return this.#x509.getExtension(x509.ExtendedKeyUsageExtension)?.usages.map(String);
  }

  /** Whether its keyUsage allows signing certificates. */
  get maySign(): boolean {
    const usages = this.#x509.getExtension(x509.KeyUsagesExtension)?.usages;
    return usages === undefined || (usages & x509.KeyUsageFlags.keyCertSign) !== 0;
  }

  /** Critical extensions that Evander does not support. */
  get unknownCritical(): string[] {
    return this.#x509.extensions
      .filter(({ critical, type }) => critical && !SUPPORTED_EXTENSIONS.has(type))
      .map(({ type }) => type);
  }

  /** The hash of its signature, such as `sha256`; undefined for a signature without one. */
  get signatureHash(): string | undefined {
    const algorithm = this.#x509.signatureAlgorithm as { hash?: { name?: string } };
    return algorithm.hash?.name?.toLowerCase().replace('-', '');
  }

  /** Whether `issuer` issued it, by name and by key. */
  isIssuedBy(issuer: Certificate): boolean {
    try {
      return this.#x509.issuer === issuer.#x509.subject && this.#node.verify(issuer.key);
    } catch {
      // This type of key cannot have made the signature.
      return false;
    }
  }

  /** Whether it names `issuer` as its issuer. */
  namesAsIssuer(issuer: Certificate): boolean {
    return this.#x509.issuer === issuer.#x509.subject;
  }

  /** Its CertificateHashData (OCPP) or CertID (OCSP); hex. */
  hashData(issuer: Certificate, hashAlgorithm: HashAlgorithm = 'SHA256'): CertificateHash {
    const hash = (bytes: Buffer): string => createHash(hashAlgorithm).update(bytes).digest('hex');
    return {
      hashAlgorithm,
      issuerNameHash: hash(Buffer.from(this.#x509.issuerName.toArrayBuffer())),
      issuerKeyHash: hash(issuer.keyBits),
      serialNumber: this.serialNumber,
    };
  }

  /** The public key as hashed for OCSP: the bits without the algorithm. */
  get keyBits(): Buffer {
    const spki = Buffer.from(this.#x509.publicKey.rawData);
    return bitStringIn(spki);
  }

  /** Its subject as hashed for OCSP. */
  get subjectDer(): Buffer {
    return Buffer.from(this.#x509.subjectName.toArrayBuffer());
  }

  get #x509(): x509.X509Certificate {
    return (this.#read ??= new x509.X509Certificate(this.der));
  }
}

/** Parses the certificates of a PEM text in order. Throws CertificateError that names the bad one. */
export function readChain(text: string): Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  if (!blocks) throw new CertificateError('there is no certificate in PEM');
  return blocks.map((block, i) => {
    try {
      return Certificate.parse(block);
    } catch (cause) {
      throw new CertificateError(`certificate ${i + 1} of ${blocks.length} cannot be read`, { cause });
    }
  });
}

/** A key's type and strength: bits of the modulus or the curve. */
export function describeKey(key: KeyObject): { type: string; bits: number } {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType ?? 'unknown';
  if (modulusLength !== undefined) return { type, bits: modulusLength };
  const [, bits = '0'] = /(\d{3})/.exec(namedCurve ?? '') ?? [];
  return { type, bits: Number(bits) };
}

// SubjectPublicKeyInfo is a sequence of the algorithm and a bit string, whose first byte counts unused bits.
function bitStringIn(spki: Buffer): Buffer {
  const body = contentOf(spki, 0);
  const algorithm = contentOf(spki, body.begin);
  const bits = contentOf(spki, algorithm.end);
  return spki.subarray(bits.begin + 1, bits.end);
}

function contentOf(der: Buffer, at: number): { begin: number; end: number } {
  const first = der[at + 1] ?? 0;
  if (first < 0x80) return { begin: at + 2, end: at + 2 + first };
  const bytes = first & 0x7f;
  const begin = at + 2 + bytes;
  return { begin, end: begin + der.readUIntBE(at + 2, bytes) };
}

/** basicConstraints, keyUsage, extendedKeyUsage, subjectAltName, key identifiers, policies and revocation addresses. */
const SUPPORTED_EXTENSIONS = new Set([
  '2.5.29.19',
  '2.5.29.15',
  '2.5.29.37',
  '2.5.29.17',
  '2.5.29.14',
  '2.5.29.35',
  '2.5.29.32',
  '2.5.29.31',
  '1.3.6.1.5.5.7.1.1',
]);
