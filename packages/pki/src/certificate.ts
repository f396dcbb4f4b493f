import { createHash, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { derOf, identifiersOf, pemOf, serialKey, subjectOf, x509 } from './x509.ts';
import type { Subject } from './x509.ts';

export type HashAlgorithm = 'SHA256' | 'SHA384' | 'SHA512';

/** How OCPP and OCSP name a certificate. */
export interface CertificateHash {
  hashAlgorithm: HashAlgorithm;
  issuerNameHash: string;
  issuerKeyHash: string;
  serialNumber: string;
}

/** What was given is no certificate, or not what it must be. */
export class CertificateError extends Error {
  override name = 'CertificateError';
}

/** A certificate (RFC 5280). Reading one is cheap; what few ask for is read when they do. */
export class Certificate {
  readonly der: Buffer;
  readonly #node: X509Certificate;
  #read: x509.X509Certificate | undefined;

  private constructor(der: Buffer) {
    this.der = der;
    this.#node = new X509Certificate(der);
  }

  /** Reads one certificate in PEM (of several the first) or DER. Throws CertificateError. */
  static parse(text: string | Buffer): Certificate {
    try {
      const certificate = new Certificate(derOf(text));
      // What is looked at later must be readable, or a bad certificate would fail in the middle of something else.
      void [certificate.subject, certificate.issuer, certificate.notAfter, certificate.publicKey];
      void [certificate.names, certificate.ocspUrls, certificate.pathLength];
      return certificate;
    } catch (error) {
      if (error instanceof CertificateError) throw error;
      throw new CertificateError('it is no X.509 certificate in PEM or DER', { cause: error });
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

  /** So many authorities may stand below it; undefined without a limit. */
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

  /** Everything that it says its owner is: the names in its subject and in its subjectAltName. */
  get identifiers(): string[] {
    return [...identifiersOf(this.#x509.subjectName), ...this.names];
  }

  get ocspUrls(): string[] {
    const access = this.#x509.getExtension(x509.AuthorityInfoAccessExtension);
    return access?.ocsp.filter(({ type }) => type === 'url').map(({ value }) => value) ?? [];
  }

  /** SHA-256 of the whole, hex. */
  get fingerprint(): string {
    return createHash('sha256').update(this.der).digest('hex');
  }

  get isSelfIssued(): boolean {
    return this.#x509.issuer === this.#x509.subject;
  }

  /** What its extendedKeyUsage allows, as OIDs; undefined when it says nothing. */
  get purposes(): string[] | undefined {
    return this.#x509.getExtension(x509.ExtendedKeyUsageExtension)?.usages.map(String);
  }

  /** May it sign certificates, as far as its keyUsage goes? */
  get maySign(): boolean {
    const usages = this.#x509.getExtension(x509.KeyUsagesExtension)?.usages;
    return usages === undefined || (usages & x509.KeyUsageFlags.keyCertSign) !== 0;
  }

  /** Critical extensions that nothing here understands. */
  get unknownCritical(): string[] {
    return this.#x509.extensions
      .filter(({ critical, type }) => critical && !UNDERSTOOD.has(type))
      .map(({ type }) => type);
  }

  /** The hash of its signature, as `sha256`; undefined for one that signs without. */
  get signatureHash(): string | undefined {
    const algorithm = this.#x509.signatureAlgorithm as { hash?: { name?: string } };
    return algorithm.hash?.name?.toLowerCase().replace('-', '');
  }

  /** Has the other one signed it, by name and by key? */
  isIssuedBy(issuer: Certificate): boolean {
    try {
      return this.#x509.issuer === issuer.#x509.subject && this.#node.verify(issuer.key);
    } catch {
      // A key of a kind that cannot have made this signature.
      return false;
    }
  }

  /** Does it name the other one as its issuer? */
  namesAsIssuer(issuer: Certificate): boolean {
    return this.#x509.issuer === issuer.#x509.subject;
  }

  /** How OCPP's CertificateHashData and OCSP's CertID name it; hex. */
  hashData(issuer: Certificate, hashAlgorithm: HashAlgorithm = 'SHA256'): CertificateHash {
    const hash = (bytes: Buffer): string => createHash(hashAlgorithm).update(bytes).digest('hex');
    return {
      hashAlgorithm,
      issuerNameHash: hash(Buffer.from(this.#x509.issuerName.toArrayBuffer())),
      issuerKeyHash: hash(issuer.keyBits),
      serialNumber: this.serialNumber,
    };
  }

  /** The public key as it is hashed for OCSP: the bits without their algorithm. */
  get keyBits(): Buffer {
    const spki = Buffer.from(this.#x509.publicKey.rawData);
    return bitStringIn(spki);
  }

  /** Its subject as it is hashed for OCSP. */
  get subjectDer(): Buffer {
    return Buffer.from(this.#x509.subjectName.toArrayBuffer());
  }

  get #x509(): x509.X509Certificate {
    return (this.#read ??= new x509.X509Certificate(this.der));
  }
}

/** The certificates of a text in PEM, first to last. Throws CertificateError that names the bad one. */
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

/** A key's kind and its strength: bits of the modulus, or of the curve. */
export function describeKey(key: KeyObject): { type: string; bits: number } {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType ?? 'unknown';
  if (modulusLength !== undefined) return { type, bits: modulusLength };
  const [, bits = '0'] = /(\d{3})/.exec(namedCurve ?? '') ?? [];
  return { type, bits: Number(bits) };
}

// SubjectPublicKeyInfo is a sequence of the algorithm and a bit string; its first byte counts unused bits.
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

/** basicConstraints, keyUsage, extendedKeyUsage, subjectAltName, key identifiers, policies, and where revocation is told. */
const UNDERSTOOD = new Set([
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
