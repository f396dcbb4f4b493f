import { createHash, verify } from 'node:crypto';
import { Certificate, CertificateError } from './certificate.ts';
import { derOf, serialKey, subjectOf, x509 } from './x509.ts';
import type { Subject } from './x509.ts';

/** A list of revoked certificates (RFC 5280 §5). */
export interface RevocationList {
  issuer: Subject;
  thisUpdate: Date;
  nextUpdate: Date | undefined;
  isSignedBy(issuer: Certificate): boolean;
  /** Whether it contains a serial number, in hex. */
  has(serialNumber: string): boolean;
}

const remembered = new Map<string, RevocationList>();
const CACHE_SIZE = 20;

/** Parses a list in PEM or DER; the same list is parsed only once. Throws CertificateError. */
export function readCrl(text: string | Buffer): RevocationList {
  const der = derOf(text);
  const digest = createHash('sha256').update(der).digest('hex');
  const known = remembered.get(digest);
  if (known) return known;
  const list = read(der);
  remembered.set(digest, list);
  const [oldest] = remembered.keys();
  if (remembered.size > CACHE_SIZE && oldest !== undefined) remembered.delete(oldest);
  return list;
}

function read(der: Buffer): RevocationList {
  try {
    const crl = new x509.X509Crl(der);
    const revoked = new Set(crl.entries.map(({ serialNumber }) => serialKey(serialNumber)));
    const algorithm = crl.signatureAlgorithm as { hash?: { name?: string } };
    const tbs = Buffer.from((crl as unknown as { tbs: ArrayBuffer }).tbs);
    return {
      issuer: subjectOf(crl.issuerName),
      thisUpdate: crl.thisUpdate,
      nextUpdate: crl.nextUpdate,
      isSignedBy: (issuer) =>
        Certificate.parse(issuer.der).isCa &&
        verify(algorithm.hash?.name ?? 'SHA-256', tbs, issuer.key, Buffer.from(crl.signature)),
      has: (serialNumber) => revoked.has(serialKey(serialNumber)),
    };
  } catch (cause) {
    throw new CertificateError('it is not a list of revoked certificates in PEM or DER', { cause });
  }
}
