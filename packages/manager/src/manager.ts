import { Sealer, SETTINGS } from '@evander/process';
import type { Log } from '@evander/process';
import { CampaignRunner } from './campaigns/runner.ts';
import type { FailureLimits } from './api-keys/failed-keys.ts';
import { startApi } from './server.ts';
import type { Api } from './server.ts';
import type { CallMaker } from './commands/call-maker.ts';
import { Authority } from './certificates/authority.ts';
import { FilesByLink } from './files/by-link.ts';
import { DEFAULT_FILE_OPTIONS, Files } from './files/files.ts';
import type { FileOptions } from './files/files.ts';
import { Certificates } from './certificates/certificates.ts';
import type { CertificateOptions } from './certificates/certificates.ts';
import { Events } from './events/events.ts';
import { Responders } from './certificates/responders.ts';
import { startHousekeeping } from './retention/cleanup.ts';
import { Desk } from './station-traffic.ts';
import { ManagerMetrics } from './observability/metrics.ts';
import { outbound } from './outbound/outbound.ts';
import { openPnc } from './plug-and-charge/open.ts';
import type { PncOptions } from './plug-and-charge/options.ts';
import { startFtp } from './files/ftp-server.ts';
import type { FtpOptions } from './files/ftp-server.ts';
import * as apiKeys from './api-keys/api-keys.store.ts';
import { startRetention } from './retention/retention.ts';
import { openDatabase } from './database/database.ts';
import type { Database } from './database/database.ts';
import { migrate } from './database/migrate.ts';
import type { RetainedData } from './retention/retention.store.ts';
import { createPartitions } from './database/partitions.ts';

export interface ManagerOptions {
  host: string;
  /** 0 for a free one. */
  apiPort: number;
  databaseUrl: string;
  databasePoolSize: number;
  /** How long a CSV export may take; as EVANDER_EXPORT_MINUTES unless told. */
  exportMs?: number;
  mqttUrl: string;
  mqttPrefix: string;
  /** What gateways show to be told of credentials. */
  gatewayKey: string;
  passwordPepper: string;
  /** What seals secrets that wait in the database. */
  sealingKey: string;
  /** What seals server keys on their way to gateways. */
  serverKeySecret: string;
  /** Where stations reach a manager over HTTP. */
  publicUrl?: string;
  /** May addresses that others chose be asked when they are not public. */
  outboundPrivate: boolean;
  certificates: CertificateOptions;
  /** Becomes an admin key when it is none yet. */
  adminKey?: string;
  /** Refusals for want of a valid API key that are borne within a minute. */
  failureLimits?: FailureLimits;
  /** Proxies whose forwarded address and scheme the API believes: addresses, or networks as 10.0.0.0/8. */
  trustedProxies?: string[];
  /** Vendors whose DataTransfers are recorded without their data: `vendorId`, `vendorId/messageId`, or `*` for all. */
  hiddenDataTransfers?: string[];
  unknownStations: 'accept' | 'reject';
  /** Streams of events that the API keeps open at a time; as EVANDER_EVENT_STREAMS unless told. */
  maxEventStreams?: number;
  /** How long an event is tried in vain before it is given up; as EVANDER_WEBHOOK_GIVE_UP_HOURS unless told. */
  webhookGiveUpHours?: number;
  /** For how many days each kind of data is kept, 0 for ever; nothing is removed unless told. */
  retentionDays?: Record<RetainedData, number>;
  heartbeatSeconds: number;
  /** How long a station has for its answer to a command. */
  answerTimeoutMs: number;
  drainMs: number;
  plugAndCharge?: PncOptions;
  files?: FileOptions;
  /** Stations that have nothing but FTP are served, where this is told. */
  ftp?: FtpOptions | undefined;
  now?: () => Date;
  log: Log;
}

export interface Manager {
  apiUrl: string;
  /** Lets what is being worked on be answered for up to `drainMs`, then ends. */
  close(): Promise<void>;
}

const FAILURE_LIMITS = {
  address: SETTINGS.apiFailuresPerAddress.default,
  key: SETTINGS.apiFailuresPerKey.default,
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
  const desk = new Desk({ ...options, pnc }, database, metrics);
  const { callMaker, road } = desk;
  const served: { api?: Api } = {};
  const files = openFiles(options, database);
  const common = { ...options, database, callMaker, authority, responders };
  const certificates = new Certificates({ ...common, ...options.certificates });
  const events = new Events(options, { database, metrics, outbound: request });
  parts.push(
    () => events.close(),
    () => desk.close(),
    () => served.api?.close(),
    () => Promise.all([events.finish(drainMs), desk.finish(drainMs)]).then(() => undefined),
  );
  const api = await startApi({
    ...common,
    port: options.apiPort,
    feed: events.feed,
    webhookSealer: events.sealer,
    maxEventStreams: options.maxEventStreams ?? SETTINGS.eventStreams.default,
    files,
    metrics,
    failureLimits: options.failureLimits ?? FAILURE_LIMITS,
    trustedProxies: options.trustedProxies ?? [],
    judge: certificates.judge,
    serverKeySealer: new Sealer(options.serverKeySecret),
    answerSealer: sealer,
    isReady: () => road.isReady,
    onStationChanged: (stationId) => desk.onStationChanged(stationId),
  });
  served.api = api;
  files.links.listensAt(api.url);
  metrics.watch({ pool: () => database.pool, isBrokerConnected: () => road.isReady });
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
  const endHousekeeping = startHousekeeping(database, { files: files.options, now, log });
  return [() => campaigns.close(), () => retention?.close(), endHousekeeping];
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
