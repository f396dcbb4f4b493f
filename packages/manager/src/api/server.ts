import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Log } from '@evander/process';
import Fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger } from 'fastify';
import { apiKeyRoutes } from './api-keys.ts';
import { requireRoles } from './authentication.ts';
import { gatewayRoutes } from './gateway.ts';
import { healthRoutes } from './health.ts';
import { messageRoutes } from './messages.ts';
import { meterValueRoutes } from './meter-values.ts';
import { answerProblem, Problem, ProblemDocument, sendProblem } from './problem.ts';
import type { ApiContext, App } from './route.ts';
import { stationRoutes } from './stations.ts';
import { tagRoutes } from './tags.ts';
import { transactionRoutes } from './transactions.ts';

export interface ApiOptions extends ApiContext {
  host: string;
  /** 0 for a free one. */
  port: number;
  log: Log;
}

export interface Api {
  url: string;
  close(): Promise<void>;
}

const RESOURCES = [
  stationRoutes,
  tagRoutes,
  transactionRoutes,
  meterValueRoutes,
  messageRoutes,
  apiKeyRoutes,
];

/** Serves the HTTP API, its OpenAPI and its documentation. Rejects when the port is taken. */
export async function startApi(options: ApiOptions): Promise<Api> {
  // By its own type of log Fastify would make all its types, and the routes' would not fit.
  const loggerInstance: FastifyBaseLogger = options.log;
  const app: App = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 1_048_576,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 1024 },
    // What a body holds and we do not know is refused, not dropped; a query's numbers come as text.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: true } },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setErrorHandler(answerProblem);
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      new Problem(
        404,
        `there is no ${request.method} ${request.url.split('?')[0]}; /docs lists what there is`,
      ),
    ),
  );
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
  });
  await describe(app);
  healthRoutes(app, options);
  gatewayRoutes(app, options);
  app.get('/', { schema: { hide: true } }, (_request, reply) => reply.redirect('/docs'));
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  await app.register(
    async (api) => {
      requireRoles(api, options.database);
      api.addHook('onRoute', ({ schema }) => {
        if (schema)
          schema.response = { ...(schema.response ?? {}), '4xx': ProblemDocument, '5xx': ProblemDocument };
      });
      for (const addRoutes of RESOURCES) addRoutes(api.withTypeProvider<TypeBoxTypeProvider>(), options);
    },
    { prefix: '/api/v1' },
  );
  const url = await app.listen({ host: options.host, port: options.port });
  return { url, close: () => app.close() };
}

async function describe(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Evander',
        description: 'A charging station management system for OCPP 1.6J',
        version: '1',
      },
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
      security: [{ apiKey: [] }],
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs' });
}
