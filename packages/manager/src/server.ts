import { withoutToken } from '@evander/process';
import type { Log, Sealer } from '@evander/process';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger } from 'fastify';
import type { ApiContext } from './api-context.ts';
import { apiKeyRoutes } from './api-keys/api-keys.routes.ts';
import { KeyRing, requireRoles } from './api-keys/authentication.ts';
import type { RouteAccess } from './api-keys/authentication.ts';
import { FailedKeys } from './api-keys/failed-keys.ts';
import type { FailureLimits } from './api-keys/failed-keys.ts';
import { tagRoutes } from './authorization/tags.routes.ts';
import { campaignControlRoutes } from './campaigns/campaign-control.routes.ts';
import { campaignRoutes } from './campaigns/campaigns.routes.ts';
import { certificateAuthorityRoutes } from './certificates/certificate-authority.routes.ts';
import { certificateRoutes } from './certificates/certificates.routes.ts';
import { pkiRoutes } from './certificates/pki.routes.ts';
import { trustedRootRoutes } from './certificates/trusted-roots.routes.ts';
import { commandRoutes } from './commands/commands.routes.ts';
import { configurationRoutes } from './configuration/configuration.routes.ts';
import { desiredConfigurationRoutes } from './desired-state/desired-configuration.routes.ts';
import { desiredLocalListRoutes } from './desired-state/desired-local-list.routes.ts';
import { reconciliationRoutes } from './desired-state/reconciliations.routes.ts';
import { problemOfDomain } from './domain-problems.ts';
import { eventRoutes } from './events/events.routes.ts';
import { fileChangeRoutes } from './files/file-changes.routes.ts';
import { fileRequestRoutes } from './files/file-requests.routes.ts';
import { fileRoutes } from './files/files.routes.ts';
import { stationFileRoutes } from './files/station-files.routes.ts';
import { messageRoutes } from './frames/frames.routes.ts';
import { honourIdempotencyKeys } from './http/idempotency.ts';
import { answerProblem, Problem } from './http/problem.ts';
import { readRequestValues } from './http/request-values.ts';
import type { App } from './http/route.ts';
import { addSecurityHeaders } from './http/security-headers.ts';
import { rejectOtherMethods, rejectUnknownPaths } from './http/unknown-routes.ts';
import { unreadableAnswerer } from './http/unreadable-requests.ts';
import { jobRoutes } from './jobs/jobs.routes.ts';
import { localListRoutes } from './local-lists/local-list.routes.ts';
import { healthRoutes } from './observability/health.routes.ts';
import { describeRoutes } from './openapi/openapi.ts';
import { pncCertificateRoutes } from './plug-and-charge/certificates.routes.ts';
import { pncCommandRoutes } from './plug-and-charge/commands.routes.ts';
import { pncRootRoutes } from './plug-and-charge/roots.routes.ts';
import { gatewayRoutes } from './presence/gateway.routes.ts';
import { rejectedConnectionRoutes } from './presence/rejected-connections.routes.ts';
import { reservationRoutes } from './reservations/reservations.routes.ts';
import { chargingProfileApplicationRoutes } from './smart-charging/charging-profile-applications.routes.ts';
import { chargingProfileTemplateRoutes } from './smart-charging/charging-profile-templates.routes.ts';
import { chargingProfileRoutes } from './smart-charging/charging-profiles.routes.ts';
import { compositeScheduleRoute } from './smart-charging/composite-schedule.routes.ts';
import { connectorRoutes } from './stations/connectors.routes.ts';
import { requireKnownStations } from './stations/known-station.ts';
import { securityEventRoutes } from './stations/security-events.routes.ts';
import { stationGroupRoutes } from './stations/station-groups.routes.ts';
import { stationRoutes } from './stations/stations.routes.ts';
import { exportRoutes } from './transactions/exports.routes.ts';
import { meterValueRoutes } from './transactions/meter-values.routes.ts';
import { transactionCloseRoute } from './transactions/transaction-close.routes.ts';
import { transactionRoutes } from './transactions/transactions.routes.ts';
import { unmatchedStopRoutes } from './transactions/unmatched-stops.routes.ts';
import { webhookDeliveryRoutes } from './webhooks/webhook-deliveries.routes.ts';
import { webhookRoutes } from './webhooks/webhooks.routes.ts';

export interface ApiOptions extends Omit<ApiContext, 'keys'> {
  host: string;
  /** 0 for any free port. */
  port: number;
  /** Key that gateways send when they ask for credentials. */
  gatewayKey: string;
  /** Maximum failed authentications per minute. */
  failureLimits: FailureLimits;
  /** Proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted: addresses, or networks such as 10.0.0.0/8. */
  trustedProxies: string[];
  /** Seals the responses that are stored for repeated requests. */
  answerSealer: Sealer;
  log: Log;
}

export interface Api {
  url: string;
  /** All routes, including those that the OpenAPI does not show. */
  routes: readonly RouteAccess[];
  /** Waits a moment for requests in progress, then closes all connections. */
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
  desiredConfigurationRoutes,
  chargingProfileRoutes,
  compositeScheduleRoute,
  chargingProfileTemplateRoutes,
  chargingProfileApplicationRoutes,
  localListRoutes,
  desiredLocalListRoutes,
  unmatchedStopRoutes,
  reservationRoutes,
  jobRoutes,
  fileRoutes,
  fileChangeRoutes,
  fileRequestRoutes,
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
  reconciliationRoutes,
  stationGroupRoutes,
  certificateAuthorityRoutes,
  trustedRootRoutes,
  apiKeyRoutes,
];
const CLOSE_MS = 800;

/** Serves the HTTP API, its OpenAPI description and the page to try it. Rejects when the port is in use. */
export async function startApi(options: ApiOptions): Promise<Api> {
  const app = createServer(options);
  const keys = new KeyRing(options.database, options.now);
  const failures = new FailedKeys(options.failureLimits, () => options.now().getTime());
  const context: ApiContext = { ...options, keys };
  const routes = requireRoles(app, { keys, gatewayKey: options.gatewayKey, failures });
  readRequestValues(app);
  rejectUnknownPaths(app);
  await describeRoutes(app);
  const addMethodRejections = rejectOtherMethods(app);
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
  addMethodRejections();
  const url = await app.listen({ host: options.host, port: options.port });
  return { url, routes: routes(), close: () => close(app) };
}

function createServer({ log, trustedProxies }: ApiOptions): App {
  // Fastify would derive its types from the logger's own type, and those of the routes would not match.
  const loggerInstance: FastifyBaseLogger = log;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: trustedProxies.length > 0 && trustedProxies,
    bodyLimit: 1_048_576,
    // Fastify's own 503 is no Problem; the onRequest hook below sends one.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // A station id of 255 characters, percent-encoded.
    routerOptions: { maxParamLength: 255 * 12 },
    frameworkErrors: (error, request, reply) =>
      void answerProblem(error, request, addSecurityHeaders(request, reply)),
    clientErrorHandler: unreadableAnswerer(log),
    // Reject unknown properties instead of removing them, and wrong types instead of coercing them.
    ajv: {
      customOptions: { removeAdditional: false, coerceTypes: false, verbose: true, multipleOfPrecision: 6 },
    },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.removeContentTypeParser('text/plain');
  app.setErrorHandler((error: Error, request, reply) =>
    answerProblem(problemOfDomain(error), request, reply),
  );
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

/** Servers that are stopping. Requests may still arrive on connections that an earlier request keeps open. */
const closing = new WeakSet<object>();

async function close(app: App): Promise<void> {
  closing.add(app.server);
  const timer = setTimeout(() => app.server.closeAllConnections(), CLOSE_MS);
  await app.close();
  clearTimeout(timer);
}
