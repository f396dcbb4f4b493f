import { Certificate, faultsOf, readCrl, readSigningRequest } from '@evander/pki';
import { Type } from '@fastify/type-provider-typebox';
import * as issuedCertificates from '../store/issued-certificates.ts';
import type { IssuedCertificate } from '../store/issued-certificates.ts';
import * as stations from '../store/stations.ts';
import * as trustedRoots from '../store/trusted-roots.ts';
import { nullable, oneOf, Text, Time } from './fields.ts';
import { listQuery, pageOf, Pager } from './paging.ts';
import { Problem } from './problem.ts';
import type { ApiContext, App } from './route.ts';

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
  { description: 'A certificate of our own authority' },
);
const Root = Type.Object({
  fingerprint: Type.String({ description: 'SHA-256' }),
  subject: Type.String(),
  organisations: Type.Array(Type.String()),
  certificate: Type.String({ description: 'PEM' }),
  hasRevocationList: Type.Boolean(),
  validTo: Time,
  createdAt: Time,
});
const NewRoot = Type.Object(
  {
    certificate: Type.String({ maxLength: 20_000, description: 'The root, in PEM' }),
    organisations: Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
      minItems: 1,
      maxItems: 100,
      description: 'The O that certificates of stations must carry, one of these',
    }),
    revocationList: Type.Optional(
      Type.String({
        maxLength: 2_000_000,
        description: 'Its list of revoked certificates, in PEM; the former one stays unless said',
      }),
    ),
  },
  { additionalProperties: false },
);
const PAGER = new Pager(['time', 'text'], ({ issuedAt, serialNumber }: IssuedCertificate) => [
  issuedAt.toISOString(),
  serialNumber,
]);
const tags = ['security'];

/** Our own certificate authority and what it has issued, and the other roots that stations may come with. */
export function certificateAuthorityRoutes(app: App, context: ApiContext): void {
  addIssued(app, context);
  addIssue(app, context);
  addRevocation(app, context);
  addRoots(app, context);
}

function addIssued(app: App, { database }: ApiContext): void {
  app.get(
    '/issued-certificates',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listIssuedCertificates',
        summary: 'The certificates that our own authority has issued, newest first',
        tags,
        querystring: listQuery({
          stationId: Type.Optional(Type.String()),
          usage: Type.Optional(oneOf(issuedCertificates.USAGES)),
          revoked: Type.Optional(Type.Boolean()),
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
      config: { role: 'operator' },
      schema: {
        operationId: 'issueCertificate',
        summary:
          'Issue a station its first certificate, for a request (CSR) that came another way than over OCPP',
        tags,
        body: Type.Object(
          {
            stationId: Type.String(),
            csr: Type.String({ maxLength: 20_000, description: 'PKCS#10 in PEM' }),
          },
          { additionalProperties: false },
        ),
        response: {
          201: Type.Object({
            certificateChain: Type.String({ description: 'PEM, that of the station first' }),
          }),
        },
      },
    },
    async ({ body: { stationId, csr } }, reply) => {
      const commonNames = await stations.certificateNames(database, stationId);
      if (commonNames.length === 0) throw new Problem(404, `station ${stationId} is not known`);
      const faults = await faultsOf(
        read('csr', () => readSigningRequest(csr)),
        { commonNames },
      );
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
        summary: 'Revoke a certificate: whoever shows it is turned away from now on. It cannot be undone',
        tags,
        params: Type.Object({ serialNumber: Type.String({ pattern: '^[0-9A-Fa-f]{1,64}$' }) }),
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
          `certificate ${serialNumber} is not one of ours; GET /api/v1/issued-certificates lists them`,
        );
      return revoked;
    },
  );
}

function addRoots(app: App, { database, judge, now }: ApiContext): void {
  app.get(
    '/trusted-roots',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listTrustedRoots',
        summary: 'Roots beside our own whose certificates stations may show',
        tags,
        response: { 200: Type.Object({ items: Type.Array(Root) }, { description: 'All of them' }) },
      },
    },
    async () => ({ items: (await trustedRoots.list(database)).map(shown) }),
  );
  app.post(
    '/trusted-roots',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'trustRoot',
        summary: 'Trust a root, or change what counts of its certificates',
        tags,
        body: NewRoot,
        response: { 200: Root },
      },
    },
    async ({ body: { certificate: pem, organisations, revocationList } }) => {
      const certificate = read('certificate', () => Certificate.parse(pem));
      if (!certificate.isCa)
        throw new Problem(
          400,
          'certificate is not that of an authority: its basicConstraints do not say CA',
          {
            field: 'certificate',
          },
        );
      const list = revocationList === undefined ? undefined : readList(revocationList, certificate);
      const root = await trustedRoots.put(database, {
        fingerprint: certificate.fingerprint,
        certificate: certificate.pem,
        subject: certificate.subject.CN ?? certificate.subject.O ?? '',
        organisations,
        crl: list ?? null,
        validTo: certificate.notAfter,
        createdAt: now(),
      });
      judge.forgetRoots();
      return shown(root);
    },
  );
  app.delete(
    '/trusted-roots/:fingerprint',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'removeTrustedRoot',
        summary: 'Trust a root no more',
        tags,
        params: Type.Object({ fingerprint: Type.String({ maxLength: 64 }) }),
        response: { 204: Type.Null({ description: 'It is not trusted any more' }) },
      },
    },
    async ({ params: { fingerprint } }, reply) => {
      if (!(await trustedRoots.remove(database, fingerprint.toLowerCase())))
        throw new Problem(404, `no root ${fingerprint} is trusted; GET /api/v1/trusted-roots lists them`);
      judge.forgetRoots();
      return reply.code(204).send(null);
    },
  );
}

function shown({ crl, ...root }: trustedRoots.TrustedRoot): Omit<trustedRoots.TrustedRoot, 'crl'> & {
  hasRevocationList: boolean;
} {
  return { ...root, hasRevocationList: crl !== null };
}

function readList(pem: string, issuer: Certificate): Buffer {
  return read('revocationList', () => {
    const list = readCrl(pem);
    if (!list.isSignedBy(issuer)) throw new Error('it is not signed by the root');
    return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  });
}

function read<T>(field: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Problem(
      400,
      `${field} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      {
        field,
      },
    );
  }
}
