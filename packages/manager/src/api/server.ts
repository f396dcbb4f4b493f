import type { Log } from '@evander/process';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyReply } from 'fastify';
import { apiKeyRoutes } from './api-keys.ts';
import { KeyRing, requireRoles } from './authentication.ts';
import { certificateAuthorityRoutes } from './certificate-authority.ts';
import { chargingProfileRoutes } from './charging-profiles.ts';
import { certificateRoutes } from './certificates.ts';
import { commandRoutes } from './commands.ts';
import { configurationRoutes } from './configuration.ts';
import { connectorRoutes } from './connectors.ts';
import { goalRoutes } from './goals.ts';
import { gatewayRoutes } from './gateway.ts';
import { healthRoutes } from './health.ts';
import { jobRoutes } from './jobs.ts';
import { localListRoutes } from './local-list.ts';
import { messageRoutes } from './messages.ts';
import { meterValueRoutes } from './meter-values.ts';
import { describeRoutes } from './openapi.ts';
import { pkiRoutes } from './pki.ts';
import { pncCertificateRoutes } from './pnc-certificates.ts';
import { pncCommandRoutes } from './pnc-commands.ts';
import { pncRootRoutes } from './pnc-roots.ts';
import { answerProblem } from './problem.ts';
import { readRequestValues } from './request-values.ts';
import { reservationRoutes } from './reservations.ts';
import type { ApiContext, App } from './route.ts';
import { securityEventRoutes } from './security-events.ts';
import { stationGroupRoutes } from './station-groups.ts';
import { stationRoutes } from './stations.ts';
import { tagRoutes } from './tags.ts';
import { transactionRoutes } from './transactions.ts';
import { refuseOtherMethods, refuseUnknownPaths } from './unknown-routes.ts';
import { unmatchedStopRoutes } from './unmatched-stops.ts';

export interface ApiOptions extends Omit<ApiContext, 'keys'> {
  host: string;
  /** 0 for a free one. */
  port: number;
  /** What gateways show to be told of credentials. */
  gatewayKey: string;
  log: Log;
}

export interface Api {
  url: string;
  /** Lets requests that have begun end for a moment, then closes all connections. */
  close(): Promise<void>;
}

const RESOURCES = [
  stationRoutes,
  commandRoutes,
  connectorRoutes,
  messageRoutes,
  meterValueRoutes,
  tagRoutes,
  transactionRoutes,
  configurationRoutes,
  chargingProfileRoutes,
  localListRoutes,
  unmatchedStopRoutes,
  reservationRoutes,
  jobRoutes,
  certificateRoutes,
  pncCommandRoutes,
  pncCertificateRoutes,
  pncRootRoutes,
  securityEventRoutes,
  goalRoutes,
  stationGroupRoutes,
  certificateAuthorityRoutes,
  apiKeyRoutes,
];
const CLOSE_MS = 800;

/** Serves the HTTP API, its OpenAPI and the page to try it. Rejects when the port is taken. */
export async function startApi(options: ApiOptions): Promise<Api> {
  const app = createServer(options.log);
  const keys = new KeyRing(options.database, options.now);
  const context: ApiContext = { ...options, keys };
  requireRoles(app, keys, options.gatewayKey);
  readRequestValues(app);
  refuseUnknownPaths(app);
  await describeRoutes(app);
  const refuseOthers = refuseOtherMethods(app);
  healthRoutes(app, context);
  gatewayRoutes(app, context);
  pkiRoutes(app, context);
  await app.register(
    async (api) => {
      for (const addRoutes of RESOURCES) addRoutes(api.withTypeProvider<TypeBoxTypeProvider>(), context);
    },
    { prefix: '/api/v1' },
  );
  refuseOthers();
  const url = await app.listen({ host: options.host, port: options.port });
  return { url, close: () => close(app) };
}

function createServer(log: Log): App {
  // By its own type of log Fastify would make all its types, and the routes' would not fit.
  const loggerInstance: FastifyBaseLogger = log;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: false,
    bodyLimit: 1_048_576,
    forceCloseConnections: 'idle',
    // An identity of 255 characters, percent-encoded.
    routerOptions: { maxParamLength: 255 * 12 },
    frameworkErrors: (error, request, reply) => void answerProblem(error, request, forbidGuessing(reply)),
    // What a body holds and we do not know is refused, not dropped; what has the wrong type is refused, not bent.
    ajv: {
      customOptions: { removeAdditional: false, coerceTypes: false, verbose: true, multipleOfPrecision: 6 },
    },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.removeContentTypeParser('text/plain');
  app.setErrorHandler(answerProblem);
  app.addHook('onSend', async (_request, reply) => void forbidGuessing(reply));
  app.addHook('onResponse', async (request, reply) => {
    const { method, url } = request;
    log.debug({ method, url, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, 'request');
  });
  return app;
}

function forbidGuessing(reply: FastifyReply): FastifyReply {
  return reply.header('x-content-type-options', 'nosniff');
}

async function close(app: App): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), CLOSE_MS);
  await app.close();
  clearTimeout(timer);
}
