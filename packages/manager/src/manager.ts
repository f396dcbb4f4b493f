import { Sealer, SETTINGS } from '@evander/process';
import type { Log } from '@evander/process';
import { CampaignRunner } from './campaigns/runner.ts';
import { startApi } from './api/server.ts';
import type { Api } from './api/server.ts';
import { Authority } from './certificates/authority.ts';
import { DEFAULT_FILE_OPTIONS, Files } from './files/files.ts';
import type { FileOptions } from './files/files.ts';
import { Certificates } from './certificates/certificates.ts';
import type { CertificateOptions } from './certificates/certificates.ts';
import { Events } from './events/events.ts';
import { startHousekeeping } from './housekeeping.ts';
import { Desk } from './desk.ts';
import { ManagerMetrics } from './metrics.ts';
import { outbound } from './outbound.ts';
import { openPnc } from './pnc/open.ts';
import type { PncOptions } from './pnc/options.ts';
import * as apiKeys from './store/api-keys.ts';
import { startRetention } from './retention.ts';
import { openDatabase } from './store/db.ts';
import type { Database } from './store/db.ts';
import { migrate } from './store/migrate.ts';
import type { RetainedData } from './store/retention.ts';
import { createPartitions } from './store/partitions.ts';

export interface ManagerOptions {
  host: string;
  /** 0 for a free one. */
  apiPort: number;
  databaseUrl: string;
  databasePoolSize: number;
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
  now?: () => Date;
  log: Log;
}

export interface Manager {
  apiUrl: string;
  /** Lets what is being worked on be answered for up to `drainMs`, then ends. */
  close(): Promise<void>;
}

type Clocked = ManagerOptions & { now(): Date };

/** Starts a manager: migrates the database, serves the API, answers stations. Rejects when the database cannot be had. */
export async function startManager(given: ManagerOptions): Promise<Manager> {
  const options: Clocked = { now: () => new Date(), ...given };
  const { log, now } = options;
  const metrics = new ManagerMetrics();
  const database = await openStorage(options, metrics);
  const request = outbound({ allowPrivate: options.outboundPrivate });
  const pnc = await openPnc(options.plugAndCharge ?? {}, {
    database,
    outbound: request,
    now,
    ...(options.certificates.signedBy === 'builtin' && { authority: authorityOf(options, database) }),
  }).catch(async (error: unknown) => {
    await database.close();
    throw error;
  });
  const desk = new Desk({ ...options, pnc }, database, metrics);
  const { callMaker, register, road } = desk;
  const files = openFiles(options, database);
  const certificates = new Certificates({
    ...options,
    ...options.certificates,
    database,
    callMaker,
    outbound: request,
  });
  const events = new Events(options, { database, metrics, outbound: request });
  const closeAll = async (drainMs: number, api?: Api): Promise<void> => {
    await certificates.close();
    await Promise.all([events.finish(drainMs), desk.finish(drainMs)]);
    await api?.close();
    await desk.close();
    await events.close();
    await database.close();
  };
  const api = await startApi({
    host: options.host,
    port: options.apiPort,
    database,
    callMaker,
    feed: events.feed,
    webhookSealer: events.sealer,
    maxEventStreams: options.maxEventStreams ?? SETTINGS.eventStreams.default,
    files,
    metrics,
    gatewayKey: options.gatewayKey,
    passwordPepper: options.passwordPepper,
    unknownStations: options.unknownStations,
    authority: certificates.authority,
    judge: certificates.judge,
    serverKeySealer: new Sealer(options.serverKeySecret),
    isReady: () => road.isReady,
    now,
    onStationChanged: (stationId) => register.forget(stationId),
    log,
  }).catch(async (error: unknown) => {
    await closeAll(0);
    throw error;
  });
  files.links.listensAt(api.url);
  const campaignRunner = new CampaignRunner({ database, callMaker, links: files.links, now, log });
  campaignRunner.start();
  metrics.watch({ pool: () => database.pool, isBrokerConnected: () => road.isReady });
  await events.start();
  certificates.start();
  const { retentionDays } = options;
  const retention = retentionDays && startRetention({ database, days: retentionDays, metrics, now, log });
  const stopHousekeeping = startHousekeeping(database, { files: files.options, now, log });
  return {
    apiUrl: api.url,
    close: async () => {
      stopHousekeeping();
      await retention?.close();
      await campaignRunner.close();
      await closeAll(options.drainMs, api);
    },
  };
}

function authorityOf(options: Clocked, database: Database): Authority {
  return new Authority({
    ...options,
    ...options.certificates,
    database,
    sealer: new Sealer(options.sealingKey),
  });
}

async function openStorage(options: Clocked, metrics: ManagerMetrics): Promise<Database> {
  const { log, now, adminKey } = options;
  await migrate(options.databaseUrl);
  const database = openDatabase({
    url: options.databaseUrl,
    poolSize: options.databasePoolSize,
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

function openFiles({ files = DEFAULT_FILE_OPTIONS, publicUrl, now }: Clocked, database: Database): Files {
  return new Files(database, { ...files, publicUrl }, now);
}
