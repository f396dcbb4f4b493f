import { Type } from '@fastify/type-provider-typebox';
import * as certificateRequests from '../store/certificate-requests.ts';
import type { CertificateRequestRow } from '../store/certificate-requests.ts';
import * as installedCertificates from '../store/installed-certificates.ts';
import type { CertificateRow } from '../store/installed-certificates.ts';
import { nullable, oneOf, StationParams, Text, Time } from './fields.ts';
import { listQuery, pageOf, Pager } from './paging.ts';
import type { ApiContext, App } from './route.ts';

/** What names a certificate. */
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
/** A certificate that a station asked for. */
export const CertificateRequest = Type.Object(
  {
    certificateRequestId: Type.Integer(),
    stationId: Type.String(),
    csr: Type.String({ description: 'As the station sent it: PKCS#10 in PEM, unless it was rejected' }),
    state: oneOf(
      certificateRequests.CERTIFICATE_REQUEST_STATES,
      'requested: waits for CertificateSigned. rejected: no request in PEM. signed: CertificateSigned is on its way. refused: the station did not take the certificate, another may be sent. superseded: a newer request came',
    ),
    reason: nullable(
      Type.String({ description: 'Why it was rejected or refused, or why the certificate did not arrive' }),
    ),
    commandId: nullable(Type.String({ description: 'The CertificateSigned that answers it' })),
    certificateChain: Text,
    requestedAt: Time,
    signedAt: nullable(Time),
    settledAt: nullable(Time),
  },
  { title: 'CertificateRequest' },
);
const Types = oneOf(
  ['CentralSystemRootCertificate', 'ManufacturerRootCertificate'] as const,
  'Only certificates of this type',
);
export const CERTIFICATE_PAGER = new Pager(['integer'], ({ certificateId }: CertificateRow) => [
  certificateId,
]);
const REQUEST_PAGER = new Pager(['integer'], ({ certificateRequestId }: CertificateRequestRow) => [
  certificateRequestId,
]);
const tags = ['security'];

/** Certificates of stations: those that they have, and those that they ask for. */
export function certificateRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/stations/:stationId/certificates',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listCertificates',
        summary: 'Root certificates that a station has, as reported or accepted by it',
        tags,
        params: StationParams,
        querystring: listQuery({ certificateType: Type.Optional(Types) }),
        response: { 200: pageOf(Certificate) },
      },
    },
    ({ params, query }) =>
      CERTIFICATE_PAGER.page(query, ({ after, rows }) =>
        installedCertificates.list(database, {
          ...params,
          ...query,
          list: 'ocpp',
          after: after?.[0] ?? null,
          rows,
        }),
      ),
  );
  app.get(
    '/stations/:stationId/certificate-requests',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listCertificateRequests',
        summary: 'Certificates that a station requested (SignCertificate), newest first',
        tags,
        params: StationParams,
        querystring: listQuery({
          state: Type.Optional(
            oneOf(certificateRequests.CERTIFICATE_REQUEST_STATES, 'Only requests in this state'),
          ),
        }),
        response: { 200: pageOf(CertificateRequest) },
      },
    },
    ({ params, query }) =>
      REQUEST_PAGER.page(query, ({ after, rows }) =>
        certificateRequests.list(database, { ...params, ...query, before: after?.[0] ?? null, rows }),
      ),
  );
}
