import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { nullable, OfStation, oneOf, StationId, Text, Time } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import * as stations from '../stations/stations.store.ts';
import * as issuedCertificates from './issued-certificates.store.ts';
import type { IssuedCertificate } from './issued-certificates.store.ts';
import { MAX_CSR_LENGTH, requestFaults } from './signing-request.ts';

const Issued = Type.Object(
  {
    serialNumber: Type.String({ description: 'Hexadecimal' }),
    usage: oneOf(issuedCertificates.USAGES),
    stationId: Text,
    subject: Type.String(),
    fingerprint: Type.String({ description: 'SHA-256' }),
    certificate: Type.String({ description: 'PEM' }),
    validFrom: Time,
    validTo: Time,
    issuedAt: Time,
    revokedAt: nullable(Time),
    revocationReason: nullable(oneOf(issuedCertificates.REVOCATION_REASONS)),
  },
  { title: 'IssuedCertificate', description: 'A certificate of the built-in authority' },
);
const PAGER = new Pager(['time', 'text'], ({ issuedAt, serialNumber }: IssuedCertificate) => [
  issuedAt.toISOString(),
  serialNumber,
]);
const tags = ['security'];

/** Routes of the built-in certificate authority: list, issue and revoke certificates. */
export function certificateAuthorityRoutes(app: App, context: ApiContext): void {
  addIssued(app, context);
  addIssue(app, context);
  addRevocation(app, context);
}

function addIssued(app: App, { database }: ApiContext): void {
  app.get(
    '/issued-certificates',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listIssuedCertificates',
        summary: 'Certificates issued by the built-in authority, newest first',
        tags,
        querystring: listQuery({
          stationId: OfStation,
          usage: Type.Optional(oneOf(issuedCertificates.USAGES, 'Only certificates for this use')),
          revoked: Type.Optional(
            Type.Boolean({ description: 'true: only revoked ones; false: only others' }),
          ),
        }),
        response: { 200: pageOf(Issued) },
      },
    },
    ({ query }) =>
      PAGER.page(query, ({ after, rows }) => {
        const before = after ? { issuedAt: after[0], serialNumber: after[1] } : null;
        return issuedCertificates.list(database, { ...query, before, rows });
      }),
  );
}

function addIssue(app: App, { database, authority }: ApiContext): void {
  app.post(
    '/issued-certificates',
    {
      config: { role: 'operator', problems: [404] },
      schema: {
        operationId: 'issueCertificate',
        summary: 'Issue the first certificate of a station, for a request (CSR) that did not come over OCPP',
        tags,
        body: Type.Object(
          {
            stationId: StationId,
            csr: Type.String({ maxLength: MAX_CSR_LENGTH, description: 'PKCS#10 in PEM' }),
          },
          { additionalProperties: false },
        ),
        response: {
          201: Type.Object(
            {
              certificateChain: Type.String({ description: 'PEM, the station certificate first' }),
            },
            { title: 'CertificateChain', description: 'The certificate was issued' },
          ),
        },
      },
    },
    async ({ body: { stationId, csr } }, reply) => {
      if (!(await stations.find(database, stationId)))
        throw new Problem(404, `station ${stationId} is not known`);
      const faults = await requestFaults(database, { stationId, csr, usage: 'station' });
      if (faults.length > 0) throw new Problem(400, faults.join('; '), { field: 'csr' });
      return reply.code(201).send({ certificateChain: await authority.issueForStation(stationId, csr) });
    },
  );
}

function addRevocation(app: App, { database, now }: ApiContext): void {
  app.post(
    '/issued-certificates/:serialNumber/revocation',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'revokeCertificate',
        summary: 'Revoke a certificate; handshakes with it are rejected from now on. This cannot be undone',
        tags,
        params: Type.Object({
          serialNumber: Type.String({
            pattern: '^[0-9A-Fa-f]{1,64}$',
            description: '1 to 64 hexadecimal digits: the serial number of the certificate',
          }),
        }),
        body: Type.Object(
          { reason: Type.Optional(oneOf(issuedCertificates.REVOCATION_REASONS)) },
          { additionalProperties: false },
        ),
        response: { 200: Issued },
      },
    },
    async ({ params: { serialNumber }, body: { reason = 'unspecified' } }) => {
      const revoked = await issuedCertificates.revoke(database, serialNumber, { reason, at: now() });
      if (!revoked)
        throw new Problem(
          404,
          `certificate ${serialNumber} was not issued by Evander; GET /api/v1/issued-certificates lists those that were`,
        );
      return revoked;
    },
  );
}
