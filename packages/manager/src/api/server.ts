import type { Log, Sealer } from '@evander/process';
import { withoutToken } from '@evander/process';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger } from 'fastify';
import { apiKeyRoutes } from './api-keys.ts';
import { KeyRing, requireRoles } from './authentication.ts';
import { campaignControlRoutes } from './campaign-control.ts';
import { campaignRoutes } from './campaigns.ts';
import { chargingProfileApplicationRoutes } from './charging-profile-applications.ts';
import { chargingProfileTemplateRoutes } from './charging-profile-templates.ts';
import type { RouteAccess } from './authentication.ts';
import { certificateAuthorityRoutes } from './certificate-authority.ts';
import { chargingProfileRoutes } from './charging-profiles.ts';
import { certificateRoutes } from './certificates.ts';
import { commandRoutes } from './commands.ts';
import { compositeScheduleRoute } from './composite-schedule.ts';
import { configurationRoutes } from './configuration.ts';
import { connectorRoutes } from './connectors.ts';
import { fileChangeRoutes } from './file-changes.ts';
import { fileOrderRoutes } from './file-orders.ts';
import { fileRoutes } from './files.ts';
import { goalRoutes } from './goals.ts';
import { eventRoutes } from './events.ts';
import { gatewayRoutes } from './gateway.ts';
import { exportRoutes } from './exports.ts';
import { healthRoutes } from './health.ts';
import { honourIdempotencyKeys } from './idempotency.ts';
import { jobRoutes } from './jobs.ts';
import { requireKnownStations } from './known-station.ts';
import { localListRoutes } from './local-list.ts';
import { messageRoutes } from './messages.ts';
import { meterValueRoutes } from './meter-values.ts';
import { FailedKeys } from './failed-keys.ts';
import type { FailureLimits } from './failed-keys.ts';
import { describeRoutes } from './openapi.ts';
import { pkiRoutes } from './pki.ts';
import { pncCertificateRoutes } from './pnc-certificates.ts';
import { pncCommandRoutes } from './pnc-commands.ts';
import { pncRootRoutes } from './pnc-roots.ts';
import { answerProblem, Problem } from './problem.ts';
import { readRequestValues } from './request-values.ts';
import { reservationRoutes } from './reservations.ts';
import type { ApiContext, App } from './route.ts';
import { rejectedConnectionRoutes } from './rejected-connections.ts';
import { securityEventRoutes } from './security-events.ts';
import { stationFileRoutes } from './station-files.ts';
import { addSecurityHeaders } from './security-headers.ts';
import { stationGroupRoutes } from './station-groups.ts';
import { stationRoutes } from './stations.ts';
import { tagRoutes } from './tags.ts';
import { transactionCloseRoute } from './transaction-close.ts';
import { transactionRoutes } from './transactions.ts';
import { refuseOtherMethods, refuseUnknownPaths } from './unknown-routes.ts';
import { trustedRootRoutes } from './trusted-roots.ts';
import { unmatchedStopRoutes } from './unmatched-stops.ts';
import { unreadableAnswerer } from './unreadable-requests.ts';
import { webhookDeliveryRoutes } from './webhook-deliveries.ts';
import { webhookRoutes } from './webhooks.ts';

export interface ApiOptions extends Omit<ApiContext, 'keys'> {
  host: string;
  /** 0 for a free one. */
  port: number;
  /** What gateways show to be told of credentials. */
  gatewayKey: string;
  /** Refusals for want of a valid key that are borne within a minute. */
  failureLimits: FailureLimits;
  /** Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses, or networks as 10.0.0.0/8. */
  trustedProxies: string[];
  /** Seals answers that are kept for the repeats of a request. */
  answerSealer: Sealer;
  log: Log;
}

export interface Api {
  url: string;
  /** All routes, also those that the OpenAPI does not show. */
  routes: readonly RouteAccess[];
  /** Lets requests that have begun end for a moment, then closes all connections. */
  close(): Promise<void>;
}

const RESOURCES = [
  stationRoutes,
  rejectedConnectionRoutes,
  commandRoutes,
  connectorRoutes,
  messageRoutes,
  meterValueRoutes,
  tagRoutes,
  transactionRoutes,
  transactionCloseRoute,
  exportRoutes,
  configurationRoutes,
  chargingProfileRoutes,
  compositeScheduleRoute,
  chargingProfileTemplateRoutes,
  chargingProfileApplicationRoutes,
  localListRoutes,
  unmatchedStopRoutes,
  reservationRoutes,
  jobRoutes,
  fileRoutes,
  fileChangeRoutes,
  fileOrderRoutes,
  campaignRoutes,
  campaignControlRoutes,
  certificateRoutes,
  pncCommandRoutes,
  pncCertificateRoutes,
  pncRootRoutes,
  securityEventRoutes,
  eventRoutes,
  webhookRoutes,
  webhookDeliveryRoutes,
  goalRoutes,
  stationGroupRoutes,
  certificateAuthorityRoutes,
  trustedRootRoutes,
  apiKeyRoutes,
];
const CLOSE_MS = 800;

/** Serves the HTTP API, its OpenAPI and the page to try it. Rejects when the port is taken. */
export async function startApi(options: ApiOptions): Promise<Api> {
  const app = createServer(options);
  const keys = new KeyRing(options.database, options.now);
  const failures = new FailedKeys(options.failureLimits, () => options.now().getTime());
  const context: ApiContext = { ...options, keys };
  const routes = requireRoles(app, { keys, gatewayKey: options.gatewayKey, failures });
  readRequestValues(app);
  refuseUnknownPaths(app);
  await describeRoutes(app);
  const refuseOthers = refuseOtherMethods(app);
  healthRoutes(app, context);
  gatewayRoutes(app, context);
  stationFileRoutes(app, context);
  pkiRoutes(app, context);
  await app.register(
    async (api) => {
      honourIdempotencyKeys(api.withTypeProvider<TypeBoxTypeProvider>(), { ...options, keys });
      requireKnownStations(api, context);
      for (const addRoutes of RESOURCES) addRoutes(api.withTypeProvider<TypeBoxTypeProvider>(), context);
    },
    { prefix: '/api/v1' },
  );
  refuseOthers();
  const url = await app.listen({ host: options.host, port: options.port });
  return { url, routes: routes(), close: () => close(app) };
}

function createServer({ log, trustedProxies }: ApiOptions): App {
  // By its own type of log Fastify would make all its types, and the routes' would not fit.
  const loggerInstance: FastifyBaseLogger = log;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: trustedProxies.length > 0 && trustedProxies,
    bodyLimit: 1_048_576,
    // By default Fastify answers in its own form; ours is below.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // An identity of 255 characters, percent-encoded.
    routerOptions: { maxParamLength: 255 * 12 },
    frameworkErrors: (error, request, reply) =>
      void answerProblem(error, request, addSecurityHeaders(request, reply)),
    clientErrorHandler: unreadableAnswerer(log),
    // What a body holds and we do not know is refused, not dropped; what has the wrong type is refused, not bent.
    ajv: {
      customOptions: { removeAdditional: false, coerceTypes: false, verbose: true, multipleOfPrecision: 6 },
    },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.removeContentTypeParser('text/plain');
  app.setErrorHandler(answerProblem);
  app.addHook('onRequest', async () => {
    if (closing.has(app.server))
      throw new Problem(503, 'this manager is stopping; send the request again', {
        headers: { connection: 'close', 'retry-after': '1' },
      });
  });
  app.addHook('onSend', async (request, reply) => void addSecurityHeaders(request, reply));
  app.addHook('onResponse', async (request, reply) => {
    const { method, url } = request;
    log.debug(
      { method, url: withoutToken(url), status: reply.statusCode, ms: Math.round(reply.elapsedTime) },
      'request',
    );
  });
  return app;
}

/** Servers that take no new requests: they may still come on connections that one before them keeps open. */
const closing = new WeakSet<object>();

async function close(app: App): Promise<void> {
  closing.add(app.server);
  const timer = setTimeout(() => app.server.closeAllConnections(), CLOSE_MS);
  await app.close();
  clearTimeout(timer);
}
