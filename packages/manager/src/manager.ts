import { Sealer, SETTINGS } from '@evander/process';
import type { Log } from '@evander/process';
import type { FailureLimits } from './api/failed-keys.ts';
import { startApi } from './api/server.ts';
import type { Api } from './api/server.ts';
import { Authority } from './certificates/authority.ts';
import { Certificates } from './certificates/certificates.ts';
import type { CertificateOptions } from './certificates/certificates.ts';
import { startHousekeeping } from './housekeeping.ts';
import { Desk } from './desk.ts';
import { ManagerMetrics } from './metrics.ts';
import { outbound } from './outbound.ts';
import { openPnc } from './pnc/open.ts';
import type { PncOptions } from './pnc/options.ts';
import * as apiKeys from './store/api-keys.ts';
import { openDatabase } from './store/db.ts';
import type { Database } from './store/db.ts';
import { migrate } from './store/migrate.ts';
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
  /** Refusals for want of a valid API key that are borne within a minute. */
  failureLimits?: FailureLimits;
  /** Proxies whose forwarded address and scheme the API believes: addresses, or networks as 10.0.0.0/8. */
  trustedProxies?: string[];
  /** Vendors whose DataTransfers are recorded without their data: `vendorId`, `vendorId/messageId`, or `*` for all. */
  hiddenDataTransfers?: string[];
  unknownStations: 'accept' | 'reject';
  heartbeatSeconds: number;
  /** How long a station has for its answer to a command. */
  answerTimeoutMs: number;
  drainMs: number;
  plugAndCharge?: PncOptions;
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
  const certificates = new Certificates({
    ...options,
    ...options.certificates,
    database,
    callMaker,
    outbound: request,
  });
  const closeAll = async (drainMs: number, api?: Api): Promise<void> => {
    await certificates.close();
    await desk.finish(drainMs);
    await api?.close();
    await desk.close();
    await database.close();
  };
  const api = await startApi({
    host: options.host,
    port: options.apiPort,
    database,
    callMaker,
    metrics,
    gatewayKey: options.gatewayKey,
    failureLimits: options.failureLimits ?? FAILURE_LIMITS,
    trustedProxies: options.trustedProxies ?? [],
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
  metrics.watch({ pool: () => database.pool, isBrokerConnected: () => road.isReady });
  certificates.start();
  const stopHousekeeping = startHousekeeping(database, { now, log });
  return {
    apiUrl: api.url,
    close: async () => {
      stopHousekeeping();
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
