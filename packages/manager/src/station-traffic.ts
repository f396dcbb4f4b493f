import type { Presence } from '@evander/broker';
import { Sealer } from '@evander/process';
import type { Log } from '@evander/process';
import { CallMaker } from './commands/call-maker.ts';
import type { Batch } from './database/batch.ts';
import type { Database } from './database/database.ts';
import { DESIRED_STATES } from './desired-state/index.ts';
import { Reconciler } from './desired-state/reconciler.ts';
import { COMMANDS, MESSAGES } from './messages/v16/index.ts';
import { MqttLink } from './mqtt/mqtt-link.ts';
import { Router } from './mqtt/router.ts';
import type { ManagerMetrics } from './observability/metrics.ts';
import { LeafSigner } from './plug-and-charge/leaf-signer.ts';
import type { PncServices } from './plug-and-charge/plug-and-charge.ts';
import { HeardStations } from './presence/heard-stations.ts';
import { recordPresence } from './presence/presence.ts';
import { createWriter } from './station-writer.ts';
import type { Writer } from './station-writer.ts';
import * as connections from './stations/connections.store.ts';
import { LastSeen } from './stations/last-seen.ts';
import { StationRegister } from './stations/station-register.ts';

/** The manager options that StationTraffic needs. */
export interface StationTrafficOptions {
  mqttUrl: string;
  mqttPrefix: string;
  passwordPepper: string;
  sealingKey: string;
  answerTimeoutMs: number;
  heartbeatSeconds: number;
  unknownStations: 'accept' | 'reject';
  hiddenDataTransfers?: string[];
  pnc: PncServices;
  now(): Date;
  log: Log;
}

/** Connects MQTT and the database: answers calls, sends commands, records presence. */
export class StationTraffic {
  readonly mqttLink: MqttLink;
  readonly callMaker: CallMaker;
  readonly register: StationRegister;
  readonly reconciler: Reconciler;
  readonly #router: Router;
  readonly #writer: Writer;
  readonly #lastSeen: LastSeen;
  readonly #leafSigner: LeafSigner;
  readonly #presence = new Set<Promise<void>>();
  readonly #database: Database;
  readonly #log: Log;

  constructor(options: StationTrafficOptions, database: Database, metrics: ManagerMetrics) {
    const { log, now, passwordPepper, heartbeatSeconds } = options;
    const writer = createWriter(database, (table, rows) => metrics.countBatch(table, rows));
    const common = {
      database,
      metrics,
      now,
      log,
      hiddenDataTransfers: options.hiddenDataTransfers ?? [],
      publish: (stationId: string, payload: string) => this.mqttLink.publishOut(stationId, payload),
    };
    this.#writer = writer;
    this.#database = database;
    this.#log = log;
    this.#lastSeen = new LastSeen(database, log);
    this.register = new StationRegister(database, now);
    this.callMaker = new CallMaker({
      ...common,
      commands: COMMANDS,
      frames: writer.frames,
      sealer: new Sealer(options.sealingKey),
      passwordPepper,
      // The gateway's timeout starts a little later than the manager's.
      answerTimeoutMs: options.answerTimeoutMs + 1000,
      isBrokerConnected: () => this.mqttLink.isReady,
      complete: (stationId, commandId, gaveUp) => this.mqttLink.complete(stationId, commandId, gaveUp),
      onCompleted: (stationId) => void this.reconciler.check(stationId),
    });
    const { callMaker } = this;
    const heard = new HeardStations({ ...options, database, connections: writer.connections });
    const { issueV2g, ...pnc } = options.pnc;
    this.#leafSigner = new LeafSigner({ database, callMaker, issueV2g, now, log });
    this.reconciler = new Reconciler({
      database,
      callMaker: this.callMaker,
      desiredStates: DESIRED_STATES,
      now,
      log,
    });
    this.#router = new Router({
      ...common,
      pnc: { ...pnc, signWaiting: (stationId) => this.#leafSigner.signWaiting(stationId) },
      messages: MESSAGES,
      isAccepted: (stationId) => this.register.isAccepted(stationId),
      writer,
      heartbeatSeconds,
      onAnswer: (stationId, answer, at) => this.callMaker.onAnswer(stationId, answer, at),
      onAnswerNotStored: () => this.callMaker.onAnswerNotStored(),
      hear: (stationId, envelope) => heard.hear(stationId, envelope),
      markSeen: (stationId, at) => this.#lastSeen.mark(stationId, at),
    });
    this.mqttLink = new MqttLink({
      mqttUrl: options.mqttUrl,
      mqttPrefix: options.mqttPrefix,
      onEnvelope: (stationId, envelope) => void this.#router.route(stationId, envelope),
      onPresence: (gatewayId, presence) => {
        const recorded: Promise<void> = recordPresence(gatewayId, presence, { database, writer, now })
          .then(() => this.#closeWeaker(stationsIn(presence)))
          .catch((error: unknown) => {
            log.warn({ gatewayId, kind: presence.kind, err: error }, 'presence could not be recorded');
            this.mqttLink.requestPresenceLater();
          })
          .finally(() => this.#presence.delete(recorded));
        this.#presence.add(recorded);
      },
      onCompleted: (commandId) => this.callMaker.onCompleted(commandId),
      log,
    });
    this.callMaker.start();
    this.#leafSigner.start();
    this.reconciler.start();
  }

  /** Call after a change to a station: drops cached data and closes a connection that does not meet the security profile. */
  onStationChanged(stationId: string): void {
    this.register.forget(stationId);
    this.#closeWeaker([stationId]).catch((error: unknown) =>
      // The next listing of its gateway repeats the comparison.
      this.#log.warn(
        { stationId, err: error },
        'its connection could not be compared with its security profile',
      ),
    );
  }

  async #closeWeaker(stationIds: string[]): Promise<void> {
    if (stationIds.length === 0) return;
    const weak = await connections.weakerThanTheirStation(this.#database, stationIds);
    if (weak.length > 0) this.mqttLink.closeConnections(weak);
  }

  /** Accepts no new messages; calls in progress have up to `drainMs` to be answered. */
  async finish(drainMs: number): Promise<void> {
    await this.mqttLink.stopReceiving();
    await Promise.race([this.#router.idle(), new Promise((resolve) => setTimeout(resolve, drainMs).unref())]);
    await this.#leafSigner.close();
    await this.reconciler.close();
    await this.callMaker.close();
  }

  /** Writes everything that is pending, then disconnects from MQTT. */
  async close(): Promise<void> {
    await Promise.all(this.#presence);
    await this.#lastSeen.close();
    await Promise.all(Object.values(this.#writer).map((batch: Batch<unknown>) => batch.idle()));
    await this.mqttLink.close();
  }
}

/** Stations that a presence message lists as connected. One may have connected while its security profile was raised. */
function stationsIn(presence: Presence): string[] {
  return presence.kind === 'connected' || presence.kind === 'listing'
    ? presence.connections.map(({ stationId }) => stationId)
    : [];
}
