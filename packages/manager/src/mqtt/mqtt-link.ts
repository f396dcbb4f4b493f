import {
  BrokerClient,
  decodeEnvelope,
  decodeObject,
  decodePresence,
  encodeCloseRequest,
  readTopic,
  topicsUnder,
} from '@evander/broker';
import type { Envelope, Presence, Topics, WeakConnection } from '@evander/broker';
import { warnOf } from '@evander/process';
import type { Log } from '@evander/process';
import { randomBytes } from 'node:crypto';

export interface MqttLinkOptions {
  mqttUrl: string;
  mqttPrefix: string;
  onEnvelope(stationId: string, envelope: Envelope): void;
  onPresence(gatewayId: string, presence: Presence): void;
  /** Called when a manager (this one or another) has completed a command. */
  onCompleted(commandId: string): void;
  log: Log;
}

/** Delay before presence that could not be recorded is requested again. */
const PRESENCE_RETRY_MS = 5000;

/** The manager's MQTT connection and topics. */
export class MqttLink {
  readonly #options: MqttLinkOptions;
  readonly #topics: Topics;
  readonly #client: BrokerClient;
  #presenceTimer: NodeJS.Timeout | undefined;

  constructor(options: MqttLinkOptions) {
    this.#options = options;
    this.#topics = topicsUnder(options.mqttPrefix);
    this.#client = new BrokerClient({
      url: options.mqttUrl,
      clientId: `manager-${randomBytes(6).toString('hex')}`,
      filters: this.#topics.managerFilters,
      onMessage: (topic, payload) => this.#onMessage(topic, payload),
      onConnect: () => {
        options.log.info('connected to the broker');
        // Presence messages are lost while no manager is connected, so the gateways must send theirs again.
        this.#requestPresence();
      },
      onDisconnect: () => options.log.warn('the broker is away'),
      onError: (error) => warnOf(options.log, 'broker error', error, { mqttUrl: options.mqttUrl }),
    });
  }

  get isReady(): boolean {
    return this.#client.isReady;
  }

  publishOut(stationId: string, payload: string): boolean {
    return this.#client.publish(this.#topics.out('ocpp1.6', stationId), payload);
  }

  complete(stationId: string, id: string, gaveUp: boolean): void {
    const payload = JSON.stringify({ id, ...(gaveUp && { gaveUp }) });
    this.#client.publish(this.#topics.ack('ocpp1.6', stationId), payload);
  }

  /** Asks the gateways to close connections. */
  closeConnections(weak: WeakConnection[]): void {
    this.#client.publish(this.#topics.presenceRequest, encodeCloseRequest(weak), 1);
  }

  /** Asks gateways, after a delay, to list their connections again. */
  requestPresenceLater(): void {
    this.#presenceTimer ??= setTimeout(() => {
      this.#presenceTimer = undefined;
      this.#requestPresence();
    }, PRESENCE_RETRY_MS);
  }

  #requestPresence(): void {
    this.#client.publish(this.#topics.presenceRequest, '{}', 1);
  }

  /** Receives no more messages; answers can still be published. */
  async stopReceiving(): Promise<void> {
    await this.#client.unsubscribe(this.#topics.managerFilters);
  }

  async close(): Promise<void> {
    clearTimeout(this.#presenceTimer);
    await this.#client.close();
  }

  #onMessage(topic: string, payload: Buffer): void {
    const from = readTopic(this.#options.mqttPrefix, topic);
    if (from?.kind === 'in') {
      const envelope = decodeEnvelope(payload);
      if (envelope) this.#options.onEnvelope(from.id, envelope);
      else this.#options.log.warn({ topic }, 'dropped a message that is not an envelope');
    } else if (from?.kind === 'presence') {
      const presence = decodePresence(payload);
      if (presence) this.#options.onPresence(from.id, presence);
      else this.#options.log.warn({ topic }, 'dropped a message that is not a presence message');
    } else if (from?.kind === 'ack') {
      const id = decodeObject(payload)?.id;
      if (typeof id === 'string') this.#options.onCompleted(id);
    }
  }
}
