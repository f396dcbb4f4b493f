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
  /** Lets what is being worked on be answered for up to `drainMs`, then ends. */
  close(): Promise<void>;
}

const FAILURE_LIMITS = {
  address: API_KEY_SETTINGS.apiFailuresPerAddress.default,
  key: API_KEY_SETTINGS.apiFailuresPerKey.default,
};

type Clocked = ManagerOptions & { now(): Date };

/** What runs, the first at the bottom: it is closed from the top. */
type Parts = (() => Promise<void> | void)[];

/** Starts a manager: migrates the database, serves the API, answers stations. Rejects when the database cannot be had. */
export async function startManager(given: ManagerOptions): Promise<Manager> {
  const parts: Parts = [];
  const close = async (): Promise<void> => {
    for (const end of parts.splice(0).reverse()) await end();
  };
  try {
    const apiUrl = await start({ now: () => new Date(), ...given }, parts);
    return { apiUrl, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(options: Clocked, parts: Parts): Promise<string> {
  const { now, drainMs } = options;
  const metrics = new ManagerMetrics();
  const database = await openStorage(options, metrics);
  parts.push(() => database.close());
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
  parts.push(
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
  files.links.listensAt(api.url);
  metrics.watch({ pool: () => database.pool, isBrokerConnected: () => mqttLink.isReady });
  await events.start();
  certificates.start();
  if (options.ftp) {
    const byLink = new FilesByLink(files, database);
    parts.push(await startFtp({ ...options.ftp, host: options.host, byLink, log: options.log }));
  }
  parts.push(() => certificates.close(), ...startChores({ ...common, files, metrics }));
  return api.url;
}

type Chores = Omit<Clocked, 'files'> & {
  database: Database;
  callMaker: CallMaker;
  files: Files;
  metrics: ManagerMetrics;
};

/** What recurs; how each of it is ended. */
function startChores({ files, ...common }: Chores): Parts {
  const { database, now, log, retentionDays: days } = common;
  const campaigns = new CampaignRunner({ ...common, links: files.links });
  campaigns.start();
  const retention = days && startRetention({ ...common, days });
  const { organisation, renewDays } = common.certificates;
  const renewal = startCertificateRenewal({ ...common, organisation, renewDays });
  const endCleanup = startCleanup(database, { files: files.options, now, log });
  return [() => campaigns.close(), () => retention?.close(), () => renewal.close(), endCleanup];
}

async function openStorage(options: Clocked, metrics: ManagerMetrics): Promise<Database> {
  const { log, now, adminKey } = options;
  await migrate(options.databaseUrl);
  const database = openDatabase({
    url: options.databaseUrl,
    poolSize: options.databasePoolSize,
    exportMs: options.exportMs,
    onError: (error) => log.warn({ err: error }, 'a database connection broke'),
    onQueryError: () => metrics.countQueryError(),
  });
  // Without them rows go to the default partitions: no reason not to serve.
  await createPartitions(database, now()).catch((error: unknown) =>
    log.warn({ err: error }, 'partitions could not be made'),
  );
  if (adminKey !== undefined)
    await apiKeys.add(database, { name: 'first admin', role: 'admin', key: adminKey });
  return database;
}

function openFiles(options: Clocked, database: Database): Files {
  const { files = DEFAULT_FILE_OPTIONS, publicUrl, ftp, now } = options;
  return new Files(database, { ...files, publicUrl, ftpUrl: ftp?.url }, now);
}
