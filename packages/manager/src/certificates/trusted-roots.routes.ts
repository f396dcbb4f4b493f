import { Certificate, readCrl } from '@evander/pki';
import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { Time } from '../http/fields.ts';
import { readPem } from '../http/pem-field.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import * as trustedRoots from './trusted-roots.store.ts';

const Root = Type.Object(
  {
    fingerprint: Type.String({ description: 'SHA-256' }),
    subject: Type.String(),
    organisations: Type.Array(Type.String()),
    certificate: Type.String({ description: 'PEM' }),
    hasRevocationList: Type.Boolean(),
    validTo: Time,
    createdAt: Time,
  },
  { title: 'TrustedRoot', description: 'The root' },
);
const NewRoot = Type.Object(
  {
    certificate: Type.String({ maxLength: 20_000, description: 'The root, in PEM' }),
    organisations: Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
      minItems: 1,
      maxItems: 100,
      description: 'Certificates of stations must have one of these as their O',
    }),
    revocationList: Type.Optional(
      Type.String({
        maxLength: 2_000_000,
        description: 'Its revocation list, in PEM; if omitted, the previous one stays',
      }),
    ),
  },
  { additionalProperties: false },
);
const tags = ['security'];

/** Routes for trusted roots, other than that of the built-in authority. */
export function trustedRootRoutes(app: App, context: ApiContext): void {
  addList(app, context);
  addTrust(app, context);
  addRemoval(app, context);
}

function addList(app: App, { database }: ApiContext): void {
  app.get(
    '/trusted-roots',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listTrustedRoots',
        summary: 'Trusted roots, other than that of the built-in authority',
        tags,
        response: {
          200: Type.Object(
            { items: Type.Array(Root) },
            { title: 'TrustedRoots', description: 'All trusted roots' },
          ),
        },
      },
    },
    async () => ({ items: (await trustedRoots.list(database)).map(shown) }),
  );
}

function addTrust(app: App, { database, judge, now }: ApiContext): void {
  app.post(
    '/trusted-roots',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'trustRoot',
        summary: 'Trust a root, or change the conditions for its certificates',
        tags,
        body: NewRoot,
        response: { 200: Root },
      },
    },
    async ({ body: { certificate: pem, organisations, revocationList } }) => {
      const certificate = readPem('certificate', () => Certificate.parse(pem));
      if (!certificate.isCa)
        throw new Problem(400, 'certificate is not a CA certificate: its basicConstraints do not say CA', {
          field: 'certificate',
        });
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
}

function addRemoval(app: App, { database, judge }: ApiContext): void {
  app.delete(
    '/trusted-roots/:fingerprint',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'removeTrustedRoot',
        summary: 'Stop trusting a root',
        tags,
        params: Type.Object({
          fingerprint: Type.String({ maxLength: 64, description: 'SHA-256 of the root, in hexadecimal' }),
        }),
        response: { 204: Type.Null({ description: 'It is no longer trusted' }) },
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
  return readPem('revocationList', () => {
    const list = readCrl(pem);
    if (!list.isSignedBy(issuer)) throw new Error('it is not signed by the root');
    return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  });
}
