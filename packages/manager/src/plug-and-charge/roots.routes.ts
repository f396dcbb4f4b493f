import { Type } from '@fastify/type-provider-typebox';
import type { X509Certificate } from 'node:crypto';
import type { ApiContext } from '../api-context.ts';
import { readCertificates } from '../certificates/pem.ts';
import { nullable, oneOf, Text, Time } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import * as pncRoots from './roots.store.ts';
import type { PncRoot, PncRootRow } from './roots.store.ts';

const Types = oneOf(pncRoots.PNC_ROOT_TYPES);
const Fingerprint = Type.String({
  pattern: '^[\\da-fA-F]{64}$',
  description: 'SHA-256 of the certificate, 64 hexadecimal digits',
});
const Root = Type.Object(
  {
    fingerprint: Fingerprint,
    certificateType: Types,
    isSelfSigned: Type.Boolean({
      description: 'true: a root, at which chains may end; false: a sub-CA, used to build chains',
    }),
    pem: Type.String(),
    serialNumber: Type.String(),
    subject: Type.String(),
    issuer: Type.String(),
    validFrom: Time,
    validTo: Time,
    note: Text,
    createdAt: Time,
  },
  { title: 'PncRoot', description: 'The root or sub-CA' },
);
const NewRoot = Type.Object(
  {
    certificateType: Types,
    certificate: Type.String({ maxLength: 20_000, description: 'One CA certificate in PEM' }),
    note: Type.Optional(nullable(Type.String({ maxLength: 500 }))),
  },
  { additionalProperties: false },
);
const Params = Type.Object({ fingerprint: Fingerprint });
const PAGER = new Pager(['text'], ({ fingerprint }: PncRootRow) => [fingerprint]);
const tags = ['plug and charge'];

/** The roots and sub-CAs against which contract certificates are checked. */
export function pncRootRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/pnc-roots',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listPncRoots',
        summary: 'Roots and sub-CAs against which contract certificates are checked, by fingerprint',
        tags,
        querystring: listQuery({
          certificateType: Type.Optional({ ...Types, description: 'Only certificates of this type' }),
        }),
        response: { 200: pageOf(Root) },
      },
    },
    ({ query }) =>
      PAGER.page(query, ({ after, rows }) =>
        pncRoots.list(database, { ...query, after: after?.[0] ?? null, rows }),
      ),
  );
  app.put(
    '/pnc-roots',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'putPncRoot',
        summary: 'Trust an authority: contracts issued under it are valid from now on',
        tags,
        body: NewRoot,
        response: { 200: Root, 201: Root },
      },
    },
    async ({ body: { certificate, certificateType, note = null } }, reply) => {
      const root = await pncRoots.put(database, { ...readAuthority(certificate), certificateType, note });
      return reply.code(root.isNew ? 201 : 200).send(root);
    },
  );
  addOne(app, { database });
}

function addOne(app: App, { database }: Pick<ApiContext, 'database'>): void {
  app.get(
    '/pnc-roots/:fingerprint',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getPncRoot',
        summary: 'A root or sub-CA',
        tags,
        params: Params,
        response: { 200: Root },
      },
    },
    async ({ params: { fingerprint } }) => {
      const root = await pncRoots.get(database, fingerprint.toLowerCase());
      if (!root) throw unknown(fingerprint);
      return root;
    },
  );
  app.delete(
    '/pnc-roots/:fingerprint',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'removePncRoot',
        summary: 'Stop trusting an authority',
        tags,
        params: Params,
        response: { 204: Type.Null({ description: 'Removed' }) },
      },
    },
    async ({ params: { fingerprint } }, reply) => {
      if (!(await pncRoots.remove(database, fingerprint.toLowerCase()))) throw unknown(fingerprint);
      return reply.code(204).send(null);
    },
  );
}

function readAuthority(text: string): Omit<PncRoot, 'certificateType' | 'note'> {
  const certificates = readCertificates(text);
  const [certificate] = certificates ?? [];
  if (!certificate || certificates?.length !== 1)
    throw new Problem(400, 'certificate must be exactly one X.509 certificate in PEM', {
      field: 'certificate',
    });
  if (!certificate.ca)
    throw new Problem(400, 'certificate is not a CA certificate: its basic constraints do not say CA', {
      field: 'certificate',
    });
  const { serialNumber, subject, issuer, validFrom, validTo } = certificate;
  return {
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    isSelfSigned: isSelfSigned(certificate),
    pem: certificate.toString(),
    serialNumber,
    subject,
    issuer,
    validFrom: new Date(validFrom),
    validTo: new Date(validTo),
  };
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
}

function unknown(fingerprint: string): Problem {
  return new Problem(404, `no root has the fingerprint ${fingerprint}; GET /api/v1/pnc-roots lists them`);
}
