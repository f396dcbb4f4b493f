import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify';
import { STATUS_CODES } from 'node:http';
import { sendConditional } from '../http/conditional.ts';
import { IDEMPOTENCY_HEADER } from '../http/idempotency.ts';
import type { App } from '../http/route.ts';
import { DOCS_POLICY } from '../http/security-headers.ts';
import { completeOperations } from './operations.ts';
import type { Operations } from './operations.ts';

const PROBLEMS = ['400', '401', '403', '404', '409', '413', '415', '416', '422', '429', '500', '503'];

/** Describes the routes that are added later at `/openapi.json` and serves a page to try them at `/docs`. */
export async function describeRoutes(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Evander',
        version: '1',
        description:
          'A charging station management system for OCPP 1.6J. Times are RFC 3339 in UTC, energy is in Wh. ' +
          'A list gives `items` and `nextCursor`, which is the `cursor` of its next page.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [
        { url: '/', description: 'The manager, or the proxy in front of it, that served this description' },
      ],
      components: {
        securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key: evk_…' } },
        responses: Object.fromEntries(PROBLEMS.map((status) => [status, problemResponse(status)])),
      },
    },
    transform: ({ schema, url, route }) => {
      const isIdempotent = route.method === 'POST' && url.startsWith('/api/v1/');
      const described = { ...schema, ...accessOf(route.config, schema.description) };
      return { url, schema: { ...described, ...(isIdempotent && { headers: IDEMPOTENCY_HEADER }) } };
    },
    transformObject: (document) => {
      if ('swaggerObject' in document) return document.swaggerObject;
      const { openapiObject } = document;
      const schemas = completeOperations(openapiObject.paths as Operations);
      const components = { ...openapiObject.components, schemas };
      return { ...openapiObject, components } as typeof openapiObject;
    },
  });
  const [sendJson, sendYaml] = documentSenders(app);
  await app.register(async (docs) => {
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, role: 'anyone' };
      // The page's own URLs for the same documents.
      if (route.url === '/docs/json') route.handler = sendJson;
      if (route.url === '/docs/yaml') route.handler = sendYaml;
    });
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      theme: { title: 'Evander API' },
      staticCSP: DOCS_POLICY,
    });
  });
  const open = { config: { role: 'anyone' }, schema: { hide: true } } as const;
  app.get('/', open, (_request, reply) => reply.redirect('/docs'));
  app.get('/openapi.json', open, sendJson);
}

type Sender = (request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/** Handlers for the description as JSON and YAML. Each is serialized once, as routes do not change once the server is ready. */
function documentSenders(app: App): [json: Sender, yaml: Sender] {
  const cache: Record<string, Buffer> = {};
  return [
    (request, reply) => {
      const body = (cache['json'] ??= Buffer.from(JSON.stringify(app.swagger())));
      return sendConditional(request, reply, { type: 'application/json; charset=utf-8', body });
    },
    (request, reply) => {
      const body = (cache['yaml'] ??= Buffer.from(app.swagger({ yaml: true })));
      return sendConditional(request, reply, { type: 'application/x-yaml', body });
    },
  ];
}

function accessOf({ role, problems = [] }: FastifyContextConfig = {}, description?: string): object {
  if (role === 'anyone') return { security: [] };
  const access = `Needs a key with the role ${role} or a higher one.`;
  return {
    security: [{ apiKey: [] }],
    description: [description, access].filter(Boolean).join(' '),
    'x-problems': problems.map(String),
  };
}

function problemResponse(status: string) {
  return {
    description: STATUS_CODES[status] ?? 'Error',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}
