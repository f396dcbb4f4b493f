import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { Type } from '@fastify/type-provider-typebox';
import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify';
import { STATUS_CODES } from 'node:http';
import { sendConditional } from './conditional.ts';
import { IDEMPOTENCY_HEADER } from './idempotency.ts';
import type { App } from './route.ts';
import { DOCS_POLICY } from './security-headers.ts';

const PROBLEM = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'Names the thing, the fault and the cure' }),
    field: Type.Optional(Type.String({ description: 'The field of body, query or path that is at fault' })),
  },
  { description: 'RFC 9457: what is wrong, and what to do about it' },
);
const PROBLEMS = ['400', '401', '403', '404', '409', '413', '415', '416', '422', '429', '500', '503'];

/** Describes the routes that are added later in `/openapi.json`, and shows a page to try them at `/docs`. */
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
      components: {
        securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key: evk_…' } },
        schemas: { Problem: PROBLEM },
        responses: Object.fromEntries(PROBLEMS.map((status) => [status, problemResponse(status)])),
      },
    },
    transform: ({ schema, url, route }) => {
      const access = accessOf(route.config);
      const isOnce = route.method === 'POST' && url.startsWith('/api/v1/');
      return { url, schema: { ...schema, ...access, ...(isOnce && { headers: IDEMPOTENCY_HEADER }) } };
    },
    transformObject: (document) => {
      if ('swaggerObject' in document) return document.swaggerObject;
      addProblems(document.openapiObject.paths as Paths);
      return document.openapiObject;
    },
  });
  const [sendJson, sendYaml] = documentSenders(app);
  await app.register(async (docs) => {
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, role: 'anyone' };
      // The same documents under names of the page's.
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

/** Routes do not change once the server is ready, so their description is written once: in JSON, and in YAML. */
function documentSenders(app: App): [json: Sender, yaml: Sender] {
  const written: Record<string, Buffer> = {};
  return [
    (request, reply) => {
      const body = (written['json'] ??= Buffer.from(JSON.stringify(app.swagger())));
      return sendConditional(request, reply, { type: 'application/json; charset=utf-8', body });
    },
    (request, reply) => {
      const body = (written['yaml'] ??= Buffer.from(app.swagger({ yaml: true })));
      return sendConditional(request, reply, { type: 'application/x-yaml', body });
    },
  ];
}

function accessOf({ role, problems = [] }: FastifyContextConfig = {}): object {
  if (role === 'anyone') return { security: [] };
  const description = `Needs a key with the role ${role} or a higher one.`;
  return { security: [{ apiKey: [] }], description, 'x-problems': problems.map(String) };
}

function problemResponse(status: string) {
  return {
    description: STATUS_CODES[status] ?? 'Error',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

interface Operation {
  security?: unknown[];
  parameters?: { in: string; name: string }[];
  requestBody?: unknown;
  responses: Record<string, unknown>;
  /** Handed over from the route, and taken out here. */
  'x-problems'?: string[];
}
type Paths = Record<string, Record<string, Operation>>;

function addProblems(paths: Paths): void {
  for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods))) {
    const { security = [], parameters = [], requestBody } = operation;
    const statuses = ['500', '503', ...(operation['x-problems'] ?? [])];
    delete operation['x-problems'];
    if (parameters.length > 0 || requestBody) statuses.push('400');
    if (security.length > 0) statuses.push('401', '403', '429');
    if (parameters.some((parameter) => parameter.in === 'path')) statuses.push('404');
    if (requestBody) statuses.push('413', '415');
    if (parameters.some((parameter) => parameter.name === 'idempotency-key')) statuses.push('409', '422');
    for (const status of statuses)
      operation.responses[status] ??= { $ref: `#/components/responses/${status}` };
  }
}
