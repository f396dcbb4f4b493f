import {
  BrokerClient,
  ConnectionClock,
  decodeCloseRequest,
  decodeEnvelope,
  decodeObject,
  decodePresence,
  encodePresence,
  listingsOf,
} from '@evander/broker';
import { readTopic, topicsUnder } from '@evander/broker';
import type {
  Connection as AnnouncedConnection,
  Envelope,
  Presence,
  Topics,
  WeakConnection,
} from '@evander/broker';
import { warnOf } from '@evander/process';
import type { Log } from '@evander/process';
import { randomBytes } from 'node:crypto';
import { ConnectionNews } from './connection-news.ts';

export interface MqttLinkOptions {
  mqttUrl: string;
  mqttPrefix: string;
  onEnvelope(stationId: string, envelope: Envelope): void;
  onAcknowledged(stationId: string, id: string): void;
  /** Called when another gateway announces a connection. */
  onConnectedElsewhere(connection: AnnouncedConnection): void;
  /** Called when a manager wants a connection closed, on this or another gateway. */
  onWeakConnection(weak: WeakConnection): void;
  /** Called when the broker is back: publish again what it may have lost. */
  onReady(): void;
  connections(): AnnouncedConnection[];
  aliveEveryMs: number;
  log: Log;
}

/** One in this many `alive` messages is a full listing, which repairs anything that a manager missed. */
const ALIVE_PER_LISTING = 6;
/** When a broker is back, all managers and gateways ask at once; one listing answers all requests within this time. */
const LISTING_DELAY_MS = 100;

/** The gateway's MQTT connection, its topics, and its announcements about stations. */
export class MqttLink {
  readonly gatewayId = `gw-${randomBytes(6).toString('hex')}`;
  readonly clock = new ConnectionClock(this.gatewayId);
  readonly #options: MqttLinkOptions;
  readonly #topics: Topics;
  readonly #client: BrokerClient;
  readonly #aliveTimer: NodeJS.Timeout;
  readonly #news = new ConnectionNews((presence) => this.announce(presence));
  #aliveCount = 0;
  #listingTimer: NodeJS.Timeout | undefined;

  constructor(options: MqttLinkOptions) {
    this.#options = options;
    this.#topics = topicsUnder(options.mqttPrefix);
    this.#client = new BrokerClient({
      url: options.mqttUrl,
      clientId: this.gatewayId,
      will: { topic: this.#topics.presence(this.gatewayId), payload: encodePresence({ kind: 'gone' }) },
      filters: this.#topics.gatewayFilters,
      onMessage: (topic, payload) => this.#onMessage(topic, payload),
      onConnect: () => {
        options.log.info('connected to the broker');
        this.#announceAll();
        // The other gateways' listings report what was missed: newer connections of this gateway's stations, and ids to stay above.
        this.#client.publish(this.#topics.presenceRequest, '');
        options.onReady();
      },
      onDisconnect: () => options.log.warn('the broker is away'),
      onError: (error) => warnOf(options.log, 'broker error', error, { mqttUrl: options.mqttUrl }),
    });
    this.#aliveTimer = setInterval(() => this.#onAlive(), options.aliveEveryMs);
  }

  get isReady(): boolean {
    return this.#client.isReady;
  }

  /** Subscribes to managers' messages to a station. */
  async subscribe(stationId: string): Promise<void> {
    await this.#client.subscribe([this.#topics.out('ocpp1.6', stationId)]);
  }

  async unsubscribe(stationId: string): Promise<void> {
    await this.#client.unsubscribe([this.#topics.out('ocpp1.6', stationId)]);
  }

  /** Returns false when the broker is away and nothing was published. */
  publishIn(stationId: string, payload: string): boolean {
    return this.#client.publish(this.#topics.in('ocpp1.6', stationId), payload);
  }

  announce(presence: Presence): void {
    this.#client.publish(this.#topics.presence(this.gatewayId), encodePresence(presence), 1);
  }

  /** Announces that a station has connected or disconnected, after a short delay and batched with others. */
  announceSoon(kind: 'connected' | 'disconnected', connection: AnnouncedConnection): void {
    this.#news.add(kind, connection);
  }

  async close(): Promise<void> {
    clearInterval(this.#aliveTimer);
    clearTimeout(this.#listingTimer);
    this.#news.flush();
    this.announce({ kind: 'gone' });
    await this.#client.close();
  }

  #onMessage(topic: string, payload: Buffer): void {
    const from = readTopic(this.#options.mqttPrefix, topic);
    if (from?.kind === 'out') {
      const envelope = decodeEnvelope(payload);
      if (envelope) this.#options.onEnvelope(from.id, envelope);
      else this.#options.log.warn({ topic }, 'message dropped: not an envelope');
    } else if (from?.kind === 'ack') {
      const { id, gaveUp } = decodeObject(payload) ?? {};
      // A command that was given up has no stored answer: one that waits here is still to be delivered.
      if (typeof id === 'string' && gaveUp !== true) this.#options.onAcknowledged(from.id, id);
    } else if (from?.kind === 'presenceRequest') {
      const weak = decodeCloseRequest(payload);
      if (weak) weak.forEach((one) => this.#options.onWeakConnection(one));
      else this.#listingTimer ??= setTimeout(() => this.#announceAll(), LISTING_DELAY_MS);
    } else if (from?.kind === 'presence' && from.id !== this.gatewayId) {
      this.#onPresence(decodePresence(payload));
    }
  }

  #onPresence(presence: Presence | undefined): void {
    if (presence?.kind !== 'connected' && presence?.kind !== 'listing') return;
    if (presence.kind === 'listing') this.clock.observe(presence.upTo);
    for (const connection of presence.connections) {
      this.clock.observe(connection.connectionId);
      this.#options.onConnectedElsewhere(connection);
    }
  }

  #onAlive(): void {
    this.#aliveCount++;
    if (this.#aliveCount % ALIVE_PER_LISTING === 0) this.#announceAll();
    else this.announce({ kind: 'alive' });
  }

  #announceAll(): void {
    clearTimeout(this.#listingTimer);
    this.#listingTimer = undefined;
    for (const listing of listingsOf(this.#options.connections(), this.clock.next())) this.announce(listing);
  }
}
