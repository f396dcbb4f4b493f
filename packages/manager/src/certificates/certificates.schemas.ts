import { Type } from '@fastify/type-provider-typebox';
import { nullable, oneOf, Text, Time } from '../http/fields.ts';
import { Pager } from '../http/paging.ts';
import * as certificateRequests from './certificate-requests.store.ts';
import type { CertificateRow } from './installed-certificates.store.ts';

/** Identifies a certificate. */
export const HashData = Type.Object(
  {
    hashAlgorithm: oneOf(['SHA256', 'SHA384', 'SHA512'] as const),
    issuerNameHash: Type.String(),
    issuerKeyHash: Type.String(),
    serialNumber: Type.String(),
  },
  {
    description:
      'As reported by the station, for DeleteCertificate; null until GetInstalledCertificateIds was answered',
  },
);

/** A certificate of a station. */
export const Certificate = Type.Object(
  {
    certificateId: Type.Integer(),
    stationId: Type.String(),
    certificateType: Type.String(),
    serialNumber: Type.String({ description: 'Hexadecimal' }),
    certificateHashData: nullable(HashData),
    subject: nullable(
      Type.String({
        description: 'Null, like all fields from the PEM, if the CSMS did not send the certificate',
      }),
    ),
    issuer: Text,
    validFrom: nullable(Time),
    validTo: nullable(Time),
    pem: Text,
    installedAt: nullable(
      Type.Unsafe<Date>({ ...Time, description: 'When the station accepted it from the CSMS' }),
    ),
    reportedAt: nullable(
      Type.Unsafe<Date>({ ...Time, description: 'When the station last reported that it has it' }),
    ),
  },
  { title: 'StationCertificate' },
);

/** A certificate that a station requested. */
export const CertificateRequest = Type.Object(
  {
    certificateRequestId: Type.Integer(),
    stationId: Type.String(),
    csr: Type.String({ description: 'As the station sent it: PKCS#10 in PEM, unless it was rejected' }),
    state: oneOf(
      certificateRequests.CERTIFICATE_REQUEST_STATES,
      'requested: waits for CertificateSigned. rejected: not an acceptable request in PEM. signed: CertificateSigned was sent. refused: the station refused the certificate; another may be sent. superseded: a newer request arrived',
    ),
    reason: nullable(
      Type.String({ description: 'Why it was rejected or refused, or why the certificate did not arrive' }),
    ),
    commandId: nullable(Type.String({ description: 'The CertificateSigned that answers it' })),
    certificateChain: Text,
    requestedAt: Time,
    signedAt: nullable(Time),
    completedAt: nullable(Time),
  },
  { title: 'CertificateRequest' },
);
export const CERTIFICATE_PAGER = new Pager(['integer'], ({ certificateId }: CertificateRow) => [
  certificateId,
]);
