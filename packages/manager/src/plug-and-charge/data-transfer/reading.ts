import type { X509Certificate } from 'node:crypto';
import type { Reading } from '../../certificates/installed-certificates.store.ts';

/** What a certificate says of itself, for the list of what stations have. */
export function readingOf(certificate: X509Certificate): Reading {
  const { serialNumber, subject, issuer, validFrom, validTo } = certificate;
  const validity = { validFrom: new Date(validFrom), validTo: new Date(validTo) };
  return { pem: certificate.toString(), serialNumber, subject, issuer, ...validity };
}
