import { X509Certificate } from 'node:crypto';

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM text in their order; none where one of them is broken. */
export function readCertificates(pem: string): X509Certificate[] {
  try {
    return (pem.match(PEM_BLOCK) ?? []).map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}

/** Between its two dates? */
export function isValidNow({ validFrom, validTo }: X509Certificate): boolean {
  return Date.parse(validFrom) <= Date.now() && Date.now() < Date.parse(validTo);
}

/** The same certificate, byte for byte? */
export function isSame(left: X509Certificate, right: X509Certificate): boolean {
  return left.fingerprint256 === right.fingerprint256;
}

/** Was it signed by this one, under its name? */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
