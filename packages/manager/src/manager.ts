import type { Log } from '@evander/process';
import { startApi } from './api/server.ts';
import { CallMaker } from './commands/call-maker.ts';
import { startHousekeeping } from './housekeeping.ts';
import { LastSeen } from './last-seen.ts';
import { COMMANDS, MESSAGES } from './messages/v16/index.ts';
import { ManagerMetrics } from './metrics.ts';
import { recordPresence } from './presence.ts';
import { Road } from './road.ts';
import { Router } from './router.ts';
import { Sealer } from './sealing.ts';
import { StationRegister } from './station-register.ts';
import * as apiKeys from './store/api-keys.ts';
import type { Batch } from './store/batch.ts';
import { openDatabase } from './store/db.ts';
import { migrate } from './store/migrate.ts';
import { createPartitions } from './store/partitions.ts';
import { createWriter } from './store/writer.ts';

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
  /** Becomes an admin key when it is none yet. */
  adminKey?: string;
  unknownStations: 'accept' | 'reject';
  heartbeatSeconds: number;
  /** How long a station has for its answer to a command. */
  answerTimeoutMs: number;
  drainMs: number;
  now?: () => Date;
  log: Log;
}

export interface Manager {
  apiUrl: string;
  /** Lets what is being worked on be answered for up to `drainMs`, then ends. */
  close(): Promise<void>;
}

/** Starts a manager: migrates the database, serves the API, answers stations. Rejects when the database cannot be had. */
export async function startManager(options: ManagerOptions): Promise<Manager> {
  const { log, now = () => new Date() } = options;
  await migrate(options.databaseUrl);
  const metrics = new ManagerMetrics();
  const database = openDatabase({
    url: options.databaseUrl,
    poolSize: options.databasePoolSize,
    onError: (error) => log.warn({ err: error }, 'a database connection broke'),
    onQueryError: () => metrics.countQueryError(),
  });
  await createPartitions(database, now());
  if (options.adminKey !== undefined) {
    await apiKeys.add(database, { name: 'first admin', role: 'admin', key: options.adminKey });
  }

  const writer = createWriter(database, (table, rows) => metrics.countBatch(table, rows));
  const lastSeen = new LastSeen(database, log);
  const register = new StationRegister(now);
  const callMaker = new CallMaker({
    commands: COMMANDS,
    database,
    frames: writer.frames,
    sealer: new Sealer(options.sealingKey),
    passwordPepper: options.passwordPepper,
    // The gateway's clock starts a little later than ours.
    answerTimeoutMs: options.answerTimeoutMs + 1000,
    publish: (stationId, payload) => road.publishOut(stationId, payload),
    settle: (stationId, commandId) => road.settle(stationId, commandId),
    metrics,
    now,
    log,
  });
  const router = new Router({
    messages: MESSAGES,
    isAccepted: (stationId) => register.isAccepted(database, stationId),
    database,
    writer,
    heartbeatSeconds: options.heartbeatSeconds,
    publish: (stationId, payload) => road.publishOut(stationId, payload),
    onAnswer: (stationId, answer, at) => callMaker.onAnswer(stationId, answer, at),
    markSeen: (stationId, at) => lastSeen.mark(stationId, at),
    metrics,
    now,
    log,
  });
  const api = await startApi({
    host: options.host,
    port: options.apiPort,
    database,
    callMaker,
    metrics,
    gatewayKey: options.gatewayKey,
    passwordPepper: options.passwordPepper,
    unknownStations: options.unknownStations,
    isReady: () => road.isReady,
    now,
    onStationChanged: (stationId) => register.forget(stationId),
    log,
  });
  const road = new Road({
    mqttUrl: options.mqttUrl,
    mqttPrefix: options.mqttPrefix,
    onEnvelope: (stationId, envelope) => void router.route(stationId, envelope),
    onPresence: (gatewayId, presence) => {
      recordPresence(gatewayId, presence, { database, writer, now }).catch((error: unknown) =>
        log.warn({ gatewayId, kind: presence.kind, err: error }, 'presence could not be recorded'),
      );
    },
    onSettled: (commandId) => callMaker.onSettled(commandId),
    log,
  });
  metrics.watch({ pool: () => database.pool, isBrokerConnected: () => road.isReady });
  callMaker.start();
  const stopHousekeeping = startHousekeeping(database, { now, log });

  return {
    apiUrl: api.url,
    close: async () => {
      stopHousekeeping();
      await road.stopReceiving();
      await Promise.race([
        router.idle(),
        new Promise((resolve) => setTimeout(resolve, options.drainMs).unref()),
      ]);
      await callMaker.close();
      await api.close();
      await lastSeen.close();
      await Promise.all(Object.values(writer).map((batch: Batch<unknown>) => batch.idle()));
      await road.close();
      await database.close();
    },
  };
}
