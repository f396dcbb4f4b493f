import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { oneOf, StationParams } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import type { App } from '../http/route.ts';
import * as certificateRequests from './certificate-requests.store.ts';
import type { CertificateRequestRow } from './certificate-requests.store.ts';
import { Certificate, CERTIFICATE_PAGER, CertificateRequest } from './certificates.schemas.ts';
import * as installedCertificates from './installed-certificates.store.ts';

const Types = oneOf(
  ['CentralSystemRootCertificate', 'ManufacturerRootCertificate'] as const,
  'Only certificates of this type',
);
const REQUEST_PAGER = new Pager(['integer'], ({ certificateRequestId }: CertificateRequestRow) => [
  certificateRequestId,
]);
const tags = ['security'];

/** Routes for certificates that stations have or have requested. */
export function certificateRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/stations/:stationId/certificates',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listCertificates',
        summary: 'Root certificates of a station, as it reported or accepted them',
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
