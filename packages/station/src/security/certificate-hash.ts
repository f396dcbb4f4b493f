import { createHash, type X509Certificate } from 'node:crypto';
import type { CertificateHashData } from '@evander/ocpp';
import { CONTEXT_0, readDer, type DerElement } from './der.ts';

/** Identifies a certificate (SEC §6.1, as in OCSP): hashes of its issuer's name and key, and its serial number. */
export function certificateHash(
  certificate: X509Certificate,
  issuer: X509Certificate,
  hashAlgorithm: CertificateHashData['hashAlgorithm'],
): CertificateHashData {
  const hash = (bytes: Buffer) => createHash(hashAlgorithm.toLowerCase()).update(bytes).digest('hex');
  return {
    hashAlgorithm,
    issuerNameHash: hash(fieldsOf(certificate).issuer),
    issuerKeyHash: hash(fieldsOf(issuer).keyBits),
    serialNumber: plainHex(certificate.serialNumber),
  };
}

/** Whether both identify the same certificate, ignoring the case of hex and leading zeros of the serial number. */
export function isSameHash(left: CertificateHashData, right: CertificateHashData): boolean {
  return (
    left.hashAlgorithm === right.hashAlgorithm &&
    plainHex(left.issuerNameHash) === plainHex(right.issuerNameHash) &&
    plainHex(left.issuerKeyHash) === plainHex(right.issuerKeyHash) &&
    plainHex(left.serialNumber) === plainHex(right.serialNumber)
  );
}

function plainHex(hex: string): string {
  return hex.toLowerCase().replace(/^0+(?=.)/, '');
}

/** RFC 5280 §4.1: [version], serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo … */
function fieldsOf({ raw }: X509Certificate): { issuer: Buffer; keyBits: Buffer } {
  const [toBeSigned] = readDer(part(readDer(raw), 0).content);
  const fields = readDer(part([toBeSigned], 0).content);
  const first = fields[0]?.tag === CONTEXT_0 ? 1 : 0;
  const [, key] = readDer(part(fields, first + 5).content);
  // The byte before the bits counts unused bits.
  return { issuer: part(fields, first + 2).bytes, keyBits: part([key], 0).content.subarray(1) };
}

function part(elements: readonly (DerElement | undefined)[], at: number): DerElement {
  const element = elements[at];
  if (!element) throw new RangeError(`the certificate has no element ${at}`);
  return element;
}
