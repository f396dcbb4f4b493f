import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { emaidKey } from '../authorization/emaid.ts';
import * as tags from '../authorization/tags.store.ts';
import { LISTS } from '../certificates/certificate-lists.store.ts';
import { CERTIFICATE_REQUEST_STATES } from '../certificates/certificate-requests.store.ts';
import { CERTIFICATE_PAGER } from '../certificates/certificates.schemas.ts';
import * as installedCertificates from '../certificates/installed-certificates.store.ts';
import { nullable, OfStation, oneOf, Period, readPeriod, StationParams, Text, Time } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import type { App } from '../http/route.ts';
import * as pncAuthorizations from './authorizations.store.ts';
import type { PncAuthorizationRow } from './authorizations.store.ts';
import * as pncCertificateRequests from './certificate-requests.store.ts';
import type { PncRequestRow } from './certificate-requests.store.ts';
import { Dialect, PncCertificate, PncCertificateRequest } from './certificates.schemas.ts';

const CERTIFICATE_STATUSES = [
  'Accepted',
  'SignatureError',
  'CertificateExpired',
  'CertificateRevoked',
  'NoCertificateAvailable',
  'CertChainError',
  'ContractCancelled',
] as const;
const Authorization = Type.Object(
  {
    stationId: Type.String(),
    receivedAt: Time,
    messageId: Type.String(),
    dialect: Dialect,
    emaid: Type.String({ description: 'As the station sent it' }),
    idTag: nullable(Type.String({ description: 'The matching tag; null when there is none' })),
    status: Type.String({ description: 'Status of the contract in the response to the station' }),
    certificateStatus: nullable(
      Type.String({
        description: 'Result of the check; null when the station sent nothing to check',
      }),
    ),
    reason: Text,
  },
  { title: 'PncAuthorization' },
);
const REQUEST_PAGER = new Pager(['integer'], ({ pncRequestId }: PncRequestRow) => [pncRequestId]);
const AUTHORIZATION_PAGER = new Pager(
  ['time', 'text', 'text'],
  ({ receivedAt, stationId, messageId }: PncAuthorizationRow) => [
    receivedAt.toISOString(),
    stationId,
    messageId,
  ],
);
const plugAndCharge = ['plug and charge'];

/** Plug & Charge certificates that stations have, requests for V2G certificates, and authorizations by contract certificate. */
export function pncCertificateRoutes(app: App, context: ApiContext): void {
  addCertificates(app, context);
  addRequests(app, context);
  addAuthorizations(app, context);
}

function addCertificates(app: App, { database }: ApiContext): void {
  app.get(
    '/stations/:stationId/pnc-certificates',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listPncCertificates',
        summary: 'V2G and MO roots and the V2G certificate of a station, as reported or accepted by it',
        tags: plugAndCharge,
        params: StationParams,
        querystring: listQuery({
          certificateType: Type.Optional(oneOf(LISTS.pnc, 'Only certificates of this type')),
        }),
        response: { 200: pageOf(PncCertificate) },
      },
    },
    ({ params, query }) =>
      CERTIFICATE_PAGER.page(query, ({ after, rows }) =>
        installedCertificates.list(database, {
          ...params,
          ...query,
          list: 'pnc',
          after: after?.[0] ?? null,
          rows,
        }),
      ),
  );
}

function addRequests(app: App, { database }: ApiContext): void {
  app.get(
    '/stations/:stationId/pnc-certificate-requests',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listPncCertificateRequests',
        summary: 'V2G certificates that a station requested, with the decision; newest first',
        tags: plugAndCharge,
        params: StationParams,
        querystring: listQuery({
          state: Type.Optional(oneOf(CERTIFICATE_REQUEST_STATES, 'Only requests in this state')),
        }),
        response: { 200: pageOf(PncCertificateRequest) },
      },
    },
    ({ params, query }) =>
      REQUEST_PAGER.page(query, ({ after, rows }) =>
        pncCertificateRequests.list(database, { ...params, ...query, before: after?.[0] ?? null, rows }),
      ),
  );
}

function addAuthorizations(app: App, { database }: ApiContext): void {
  app.get(
    '/pnc-authorizations',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listPncAuthorizations',
        summary: 'Authorizations by contract certificate, newest first',
        tags: plugAndCharge,
        querystring: listQuery({
          stationId: OfStation,
          emaid: Type.Optional(Type.String({ description: 'Only for this contract, in any form of its id' })),
          certificateStatus: Type.Optional(oneOf(CERTIFICATE_STATUSES, 'Only with this result of the check')),
          ...Period,
        }),
        response: { 200: pageOf(Authorization) },
      },
    },
    ({ query }) => {
      const { emaid, ...filter } = query;
      const key = emaid === undefined ? {} : { emaidKey: emaidKey(emaid) ?? tags.tagKey(emaid) };
      return AUTHORIZATION_PAGER.page(query, ({ after, rows }) =>
        pncAuthorizations.list(database, { ...filter, ...key, ...readPeriod(query), before: after, rows }),
      );
    },
  );
}
