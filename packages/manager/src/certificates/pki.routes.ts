import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { sendConditional } from '../http/conditional.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';

/** In bytes or characters; an OCSP request for one certificate has about 100 bytes. */
const MAX_QUESTION = 10_000;

/** Public routes for verifying Evander's certificates: root certificates, revocation lists and the OCSP responder. */
export function pkiRoutes(app: App, { authority }: ApiContext): void {
  const open = { config: { role: 'anyone' as const }, schema: { hide: true } };
  app.get('/pki/root.pem', open, async (_request, reply) =>
    reply.type('application/x-pem-file').send(await authority.rootPem()),
  );
  app.get('/pki/v2g-root.pem', open, async (_request, reply) =>
    reply.type('application/x-pem-file').send(await authority.rootPem('v2g')),
  );
  app.get('/pki/crl', open, async (request, reply) =>
    sendConditional(request, reply, {
      type: 'application/pkix-crl',
      body: await authority.revocationList(),
    }),
  );
  app.get('/pki/v2g-crl', open, async (request, reply) =>
    sendConditional(request, reply, {
      type: 'application/pkix-crl',
      body: await authority.revocationList('v2g'),
    }),
  );
  app.addContentTypeParser(
    'application/ocsp-request',
    { parseAs: 'buffer', bodyLimit: MAX_QUESTION },
    (_request, body, done) => done(null, body),
  );
  app.post('/pki/ocsp', open, async ({ body }, reply) => {
    if (!Buffer.isBuffer(body))
      throw new Problem(415, 'the request must be application/ocsp-request (RFC 6960)');
    return reply.type('application/ocsp-response').send(await authority.answerOcsp(body));
  });
  app.get(
    '/pki/ocsp/*',
    {
      config: { role: 'anyone' },
      schema: { hide: true, params: Type.Object({ '*': Type.String({ maxLength: MAX_QUESTION }) }) },
    },
    async (request, reply) => {
      // The router has decoded it.
      const question = Buffer.from(request.params['*'], 'base64');
      const body = await authority.answerOcsp(question);
      return sendConditional(request, reply, { type: 'application/ocsp-response', body });
    },
  );
}
