import { Sealer } from '@evander/process';
import * as apiKeys from './api-keys/api-keys.store.ts';
import { API_KEY_SETTINGS } from './api-keys/settings.ts';
import { CampaignRunner } from './campaigns/runner.ts';
import { Authority } from './certificates/authority.ts';
import { Certificates } from './certificates/certificates.ts';
import { Responders } from './certificates/responders.ts';
import type { CallMaker } from './commands/call-maker.ts';
import { openDatabase } from './database/database.ts';
import type { Database } from './database/database.ts';
import { migrate } from './database/migrate.ts';
import { createPartitions } from './database/partitions.ts';
import { startCertificateRenewal } from './desired-state/certificate-renewal.ts';
import { EVENT_SETTINGS } from './events/settings.ts';
import { FilesByLink } from './files/by-link.ts';
import { Files } from './files/files.ts';
import { startFtp } from './files/ftp-server.ts';
import { DEFAULT_FILE_OPTIONS } from './files/settings.ts';
import type { ManagerOptions } from './manager-options.ts';
import { ManagerMetrics } from './observability/metrics.ts';
import { outbound } from './outbound/outbound.ts';
import { openPnc } from './plug-and-charge/open.ts';
import { startCleanup } from './retention/cleanup.ts';
import { startRetention } from './retention/retention.ts';
import { startApi } from './server.ts';
import type { Api } from './server.ts';
import { StationTraffic } from './station-traffic.ts';
import { EventDelivery } from './webhooks/event-delivery.ts';

export interface Manager {
  apiUrl: string;
  /** Stops gracefully: calls in progress have up to `drainMs` to be answered. */
  close(): Promise<void>;
}

const FAILURE_LIMITS = {
  address: API_KEY_SETTINGS.apiFailuresPerAddress.default,
  key: API_KEY_SETTINGS.apiFailuresPerKey.default,
};

type OptionsWithClock = ManagerOptions & { now(): Date };

/** Functions that stop what was started, in the order of the start; they run in reverse order. */
type Stops = (() => Promise<void> | void)[];

/** Starts a manager: migrates the database, serves the API, answers stations. Rejects when the database is unavailable. */
export async function startManager(options: ManagerOptions): Promise<Manager> {
  const stops: Stops = [];
  const close = async (): Promise<void> => {
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  try {
    const apiUrl = await start({ now: () => new Date(), ...options }, stops);
    return { apiUrl, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(options: OptionsWithClock, stops: Stops): Promise<string> {
  const { now, drainMs } = options;
  const metrics = new ManagerMetrics();
  const database = await openStorage(options, metrics);
  stops.push(() => database.close());
  const request = outbound({ allowPrivate: options.outboundPrivate });
  const responders = new Responders({ database, now, request });
  const sealer = new Sealer(options.sealingKey);
  const authority = new Authority({ ...options, ...options.certificates, database, sealer });
  const { organisation, signedBy } = options.certificates;
  const pncContext = {
    ...{ database, responders, organisation, now },
    ...(signedBy === 'builtin' && { authority }),
  };
  const pnc = await openPnc(options.plugAndCharge ?? {}, pncContext);
  const traffic = new StationTraffic({ ...options, pnc }, database, metrics);
  const { callMaker, mqttLink } = traffic;
  const served: { api?: Api } = {};
  const files = openFiles(options, database);
  const common = { ...options, database, callMaker, authority, responders };
  const certificates = new Certificates({ ...common, ...options.certificates });
  const events = new EventDelivery(options, { database, metrics, outbound: request });
  stops.push(
    () => events.close(),
    () => traffic.close(),
    () => served.api?.close(),
    () => Promise.all([events.finish(drainMs), traffic.finish(drainMs)]).then(() => undefined),
  );
  const api = await startApi({
    ...common,
    port: options.apiPort,
    feed: events.feed,
    webhookSealer: events.sealer,
    maxEventStreams: options.maxEventStreams ?? EVENT_SETTINGS.eventStreams.default,
    files,
    metrics,
    failureLimits: options.failureLimits ?? FAILURE_LIMITS,
    trustedProxies: options.trustedProxies ?? [],
    judge: certificates.judge,
    serverKeySealer: new Sealer(options.serverKeySecret),
    answerSealer: sealer,
    isReady: () => mqttLink.isReady,
    onStationChanged: (stationId) => traffic.onStationChanged(stationId),
  });
  served.api = api;
  files.links.setOwnUrl(api.url);
  metrics.watch({ pool: () => database.pool, isBrokerConnected: () => mqttLink.isReady });
  await events.start();
  certificates.start();
  if (options.ftp) {
    const byLink = new FilesByLink(files, database);
    stops.push(await startFtp({ ...options.ftp, host: options.host, byLink, log: options.log }));
  }
  stops.push(() => certificates.close(), ...startBackgroundJobs({ ...common, files, metrics }));
  return api.url;
}

type BackgroundJobOptions = Omit<OptionsWithClock, 'files'> & {
  database: Database;
  callMaker: CallMaker;
  files: Files;
  metrics: ManagerMetrics;
};

/** Starts the recurring jobs; returns the functions that stop them. */
function startBackgroundJobs({ files, ...common }: BackgroundJobOptions): Stops {
  const { database, now, log, retentionDays: days } = common;
  const campaigns = new CampaignRunner({ ...common, links: files.links });
  campaigns.start();
  const retention = days && startRetention({ ...common, days });
  const { organisation, renewDays } = common.certificates;
  const renewal = startCertificateRenewal({ ...common, organisation, renewDays });
  const stopCleanup = startCleanup(database, { files: files.options, now, log });
  return [() => campaigns.close(), () => retention?.close(), () => renewal.close(), stopCleanup];
}

async function openStorage(options: OptionsWithClock, metrics: ManagerMetrics): Promise<Database> {
  const { log, now, adminKey } = options;
  await migrate(options.databaseUrl);
  const database = openDatabase({
    url: options.databaseUrl,
    poolSize: options.databasePoolSize,
    exportMs: options.exportMs,
    onError: (error) => log.warn({ err: error }, 'a database connection broke'),
    onQueryError: () => metrics.countQueryError(),
  });
  // Without new partitions rows go to the default ones, so the manager can start all the same.
  await createPartitions(database, now()).catch((error: unknown) =>
    log.warn({ err: error }, 'could not create partitions'),
  );
  if (adminKey !== undefined)
    await apiKeys.add(database, { name: 'first admin', role: 'admin', key: adminKey });
  return database;
}

function openFiles(options: OptionsWithClock, database: Database): Files {
  const { files = DEFAULT_FILE_OPTIONS, publicUrl, ftp, now } = options;
  return new Files(database, { ...files, publicUrl, ftpUrl: ftp?.url }, now);
}
