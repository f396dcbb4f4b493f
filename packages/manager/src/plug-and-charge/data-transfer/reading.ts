import type { X509Certificate } from 'node:crypto';
import type { Reading } from '../../certificates/installed-certificates.store.ts';

/** The fields of a certificate that are listed for the station that has it. */
export function readingOf(certificate: X509Certificate): Reading {
  const { serialNumber, subject, issuer, validFrom, validTo } = certificate;
  const validity = { validFrom: new Date(validFrom), validTo: new Date(validTo) };
  return { pem: certificate.toString(), serialNumber, subject, issuer, ...validity };
}
