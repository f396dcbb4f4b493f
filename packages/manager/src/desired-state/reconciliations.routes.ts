import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { isCertificateChain } from '../certificates/pem.ts';
import { EmptyRequest, nullable, OfStation, oneOf } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import { addReconciliation } from './reconciliation-route.ts';
import { RECONCILIATION_KINDS, ReconciliationSchema } from './reconciliations.schemas.ts';
import * as reconciliations from './reconciliations.store.ts';
import type { ReconciliationRow } from './reconciliations.store.ts';

const PAGER = new Pager(['text', 'text'], ({ stationId, kind }: ReconciliationRow) => [stationId, kind]);

/** Routes for desired states of stations, which Evander reconciles step by step whenever the station is connected. */
export function reconciliationRoutes(app: App, context: ApiContext): void {
  addList(app, context);
  addSecurityProfile(app, context);
  addRootCertificates(app, context);
  addReconciliation(app, context, {
    kind: 'authorizationKey',
    method: 'POST',
    path: '/password-rotation',
    summary:
      'Set a new password for a station: 20 random bytes, by ChangeConfiguration of its AuthorizationKey',
    body: EmptyRequest,
    desired: () => ({}),
  });
  addReconciliation(app, context, {
    kind: 'stationCertificate',
    method: 'POST',
    path: '/client-certificate',
    summary: 'Renew the client certificate of a station (security profile 3)',
    body: EmptyRequest,
    desired: () => ({ organisation: context.authority.organisation }),
  });
}

function addSecurityProfile(app: App, context: ApiContext): void {
  addReconciliation(app, context, {
    kind: 'securityProfile',
    method: 'PUT',
    path: '/security-profile',
    summary: 'Raise the security profile of a station over OCPP, with everything that the new one requires',
    body: Type.Object(
      {
        securityProfile: Type.Integer({ minimum: 1, maximum: 3 }),
        reset: Type.Optional(
          Type.Boolean({
            description:
              'Reset the station after it accepts, so that it reconnects immediately; true by default',
          }),
        ),
        rootCertificate: Type.Optional(
          nullable(
            Type.String({
              maxLength: 5500,
              description:
                'PEM of the root by which the station trusts the CSMS from profile 2 on. By default the built-in authority; null: none',
            }),
          ),
        ),
      },
      { additionalProperties: false },
    ),
    desired: async ({ securityProfile, reset = true, rootCertificate }) => {
      if (rootCertificate) requireCertificate(rootCertificate, 'rootCertificate');
      const root = rootCertificate === undefined ? await context.authority.rootPem() : rootCertificate;
      const { organisation } = context.authority;
      return { securityProfile, reset, rootCertificate: root, organisation };
    },
  });
}

function addRootCertificates(app: App, context: ApiContext): void {
  addReconciliation(app, context, {
    kind: 'rootCertificates',
    method: 'PUT',
    path: '/root-certificates',
    summary: 'Set the desired root certificates of a station; others of the named types are deleted',
    body: Type.Object(
      {
        certificates: Type.Array(
          Type.Object(
            {
              certificateType: oneOf([
                'CentralSystemRootCertificate',
                'ManufacturerRootCertificate',
              ] as const),
              certificate: Type.String({ maxLength: 5500, description: 'One certificate in PEM' }),
            },
            { additionalProperties: false },
          ),
          { minItems: 1, maxItems: 100 },
        ),
      },
      { additionalProperties: false },
    ),
    desired: (body) => {
      for (const { certificate } of body.certificates) requireCertificate(certificate, 'certificates');
      return body;
    },
  });
}

function addList(app: App, { database }: ApiContext): void {
  app.get(
    '/reconciliations',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listReconciliations',
        summary: 'Reconciliations of stations, by station and kind',
        tags: ['reconciliations'],
        querystring: listQuery({
          stationId: OfStation,
          kind: Type.Optional(oneOf(RECONCILIATION_KINDS, 'Only reconciliations of this kind')),
          state: Type.Optional(
            oneOf(reconciliations.RECONCILIATION_STATES, 'Only reconciliations in this state'),
          ),
        }),
        response: { 200: pageOf(ReconciliationSchema) },
      },
    },
    ({ query }) =>
      PAGER.page(query, ({ after, rows }) => {
        const [stationId, kind] = (after ?? []) as string[];
        const from = stationId !== undefined && kind !== undefined ? { stationId, kind } : null;
        return reconciliations.list(database, { ...query, after: from, rows });
      }),
  );
}

function requireCertificate(pem: string, field: string): void {
  if (!isCertificateChain(pem)) throw new Problem(400, `${field} must be a certificate in PEM`, { field });
}
