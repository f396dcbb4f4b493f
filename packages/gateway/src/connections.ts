import type { Connection as AnnouncedConnection, WeakConnection } from '@evander/broker';
import type { Log } from '@evander/process';
import type { WebSocket } from 'ws';
import { CLOSE, Connection } from './connection.ts';
import type { Admission } from './handshake.ts';
import type { GatewayLimits } from './limits.ts';
import type { GatewayMetrics } from './metrics.ts';
import { QueuedBytes } from './queued-bytes.ts';
import { MqttLink } from './mqtt-link.ts';
import { UnacknowledgedResults } from './unacknowledged-results.ts';

export interface ConnectionsOptions {
  mqttUrl: string;
  mqttPrefix: string;
  limits: GatewayLimits;
  repeatDelaysMs: readonly number[];
  failFastMs: number;
  answerTimeoutMs: number;
  aliveEveryMs: number;
  metrics: GatewayMetrics;
  log: Log;
}

/** The stations connected to this gateway, and the MQTT link that carries their frames. */
export class Connections {
  readonly mqttLink: MqttLink;
  readonly #options: ConnectionsOptions;
  readonly #connections = new Map<string, Connection>();
  readonly #unacknowledged: UnacknowledgedResults;
  readonly #queuedBytes: QueuedBytes;
  #whenEmpty: (() => void) | undefined;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#queuedBytes = new QueuedBytes(options.limits.queuedBytes);
    this.mqttLink = new MqttLink({
      ...options,
      onEnvelope: (stationId, envelope) => this.#connections.get(stationId)?.onEnvelope(envelope),
      onAcknowledged: (stationId, id) => this.#unacknowledged.acknowledge(stationId, id),
      onConnectedElsewhere: (other) => this.#onConnectedElsewhere(other),
      onWeakConnection: (weak) => this.#closeWeak(weak),
      onReady: () => this.#publishAgain(),
      connections: () => [...this.#connections.values()].map(({ announcement }) => announcement),
    });
    this.#unacknowledged = new UnacknowledgedResults({
      publish: (stationId, payload) => this.mqttLink.publishIn(stationId, payload),
      repeatDelaysMs: options.repeatDelaysMs,
      onDropped: () => options.metrics.countDroppedAnswer(),
      log: options.log,
    });
  }

  get size(): number {
    return this.#connections.size;
  }

  /** Number of station calls that wait for an answer. */
  get unansweredCalls(): number {
    let count = 0;
    for (const connection of this.#connections.values()) count += connection.unansweredCalls;
    return count;
  }

  /** Takes over a station's newly opened socket and closes an older one of the same station. */
  async add(
    socket: WebSocket,
    { stationId, securityProfile, heartbeatSeconds }: Admission,
    remoteAddress: string,
  ): Promise<void> {
    const connectionId = this.mqttLink.clock.next();
    const log = this.#options.log.child({ stationId, connectionId });
    // Read nothing before answers can arrive.
    socket.pause();
    const connection = new Connection(socket, {
      ...this.#options,
      stationId,
      securityProfile,
      heartbeatSeconds,
      connectionId,
      remoteAddress,
      queuedBytes: this.#queuedBytes,
      publishCall: (payload) => void this.mqttLink.publishIn(stationId, payload),
      publishResult: (result) => this.#unacknowledged.add(result),
      onUnreadable: (frame) => this.mqttLink.announce({ kind: 'unreadable', frames: [frame] }),
      log,
    });
    socket.on('close', (code) => {
      log.info({ code }, 'disconnected');
      this.#unacknowledged.onClose(stationId, connectionId);
      this.#forget(connection);
    });
    const older = this.#connections.get(stationId);
    this.#connections.set(stationId, connection);
    if (older) this.#replace(older);
    log.info({ remoteAddress, securityProfile }, 'connected');
    this.mqttLink.announceSoon('connected', connection.announcement);
    try {
      await this.mqttLink.subscribe(stationId);
      // The station may have disconnected while the subscription was in progress.
      if (!this.#connections.has(stationId)) await this.mqttLink.unsubscribe(stationId);
    } catch (error) {
      // The subscription is renewed when the broker is back, and unanswered calls are published again.
      log.warn({ err: error }, 'subscribing failed');
    }
    socket.resume();
  }

  ping(): void {
    for (const connection of this.#connections.values()) connection.ping();
  }

  /**
   * Waits up to `drainMs` until open calls are answered and answers to commands are acknowledged. Then closes every socket and the MQTT
   * link.
   */
  async close(drainMs: number): Promise<void> {
    const drained = Promise.all([...this.#connections.values()].map((connection) => connection.drain()));
    await waitAtMost(drainMs, Promise.all([drained, this.#unacknowledged.emptied()]));
    for (const connection of this.#connections.values())
      connection.close(CLOSE.restart, 'the gateway restarts');
    if (this.size > 0) await new Promise<void>((resolve) => (this.#whenEmpty = resolve));
    this.#unacknowledged.close();
    await this.mqttLink.close();
  }

  // Not reported as disconnected: the newer connection's report replaces this one, so the station is never shown as away.
  #replace(old: Connection): void {
    this.#options.log.info({ stationId: old.stationId }, 'replaced by a newer connection');
    old.close(CLOSE.replaced, 'replaced by a newer connection');
  }

  // A replaced socket may close late; only the current connection may be removed.
  #forget(connection: Connection): void {
    const { stationId } = connection;
    if (this.#connections.get(stationId) !== connection) return;
    this.#remove(stationId);
    this.mqttLink.announceSoon('disconnected', connection.announcement);
  }

  #remove(stationId: string): void {
    this.#connections.delete(stationId);
    this.mqttLink.unsubscribe(stationId).catch((error: unknown) => {
      this.#options.log.debug({ stationId, err: error }, 'unsubscribing failed');
    });
    if (this.size === 0) this.#whenEmpty?.();
  }

  #onConnectedElsewhere({ stationId, connectionId }: AnnouncedConnection): void {
    const own = this.#connections.get(stationId);
    if (!own || own.connectionId >= connectionId) return;
    this.#remove(stationId);
    this.#replace(own);
  }

  #closeWeak({ stationId, connectionId, securityProfile }: WeakConnection): void {
    const connection = this.#connections.get(stationId);
    if (connection?.connectionId !== connectionId || connection.securityProfile >= securityProfile) return;
    const reason = `its security profile is ${securityProfile} now`;
    this.#options.log.info({ stationId, connectionId }, `closed: ${reason}`);
    connection.close(CLOSE.policyViolation, reason);
  }

  #publishAgain(): void {
    for (const connection of this.#connections.values()) connection.publishAgain();
    this.#unacknowledged.publishAgain();
  }
}

async function waitAtMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
