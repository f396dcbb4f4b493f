import {
  BrokerClient,
  decodeEnvelope,
  decodePresence,
  encodeEnvelope,
  encodePresence,
  readTopic,
  startEmbeddedBroker,
  topicsUnder,
} from '@evander/broker';
import type { CallEnvelope, EmbeddedBroker, Envelope, Presence } from '@evander/broker';
import { silentLog } from '@evander/process';
import { afterEach } from '@jest/globals';
import { once } from 'node:events';
import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { RequestOptions } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { ClientOptions, RawData } from 'ws';
import { startGateway } from '../src/index.ts';
import type { Credentials, CredentialSource, Gateway, GatewayOptions } from '../src/index.ts';

export const PEPPER = 'a pepper for tests';
export const topics = topicsUnder('cs');

const opened: { close(): Promise<void> | void }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

/** Closes it when the test ends, the latest first. */
export function closeLater<T extends { close(): Promise<void> | void }>(one: T): T {
  opened.push(one);
  return one;
}

/** Collected items, in order, for tests that wait for one. */
export class Feed<T> {
  readonly items: T[] = [];
  readonly #name: string;
  readonly #waiting = new Set<() => void>();

  constructor(name: string) {
    this.#name = name;
  }

  add(item: T): void {
    this.items.push(item);
    for (const check of this.#waiting) check();
  }

  /** The first match among the current and future items. */
  async first(matches: (item: T) => boolean): Promise<T> {
    return this.#until(() => this.items.find(matches));
  }

  /** The first `count` items, once there are that many. */
  async count(count: number): Promise<T[]> {
    return this.#until(() => (this.items.length >= count ? this.items.slice(0, count) : undefined));
  }

  async #until<R>(check: () => R | undefined): Promise<R> {
    const current = check();
    if (current !== undefined) return current;
    return new Promise((resolve, reject) => {
      const onItem = (): void => {
        const found = check();
        if (found === undefined) return;
        clearTimeout(timer);
        this.#waiting.delete(onItem);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(onItem);
        const last = JSON.stringify(this.items.slice(-5)).slice(0, 1000);
        reject(
          new Error(`timed out waiting for ${this.#name}; there are ${this.items.length}, the last: ${last}`),
        );
      }, 10_000);
      this.#waiting.add(onItem);
    });
  }
}

/** An envelope that a manager has received. */
export interface ReceivedEnvelope {
  stationId: string;
  envelope: Envelope;
}

/** A manager's answer to a call; undefined for no answer. */
export type Answerer = (call: CallEnvelope, stationId: string) => Envelope | undefined;

/** Accepts every call. */
export const accept: Answerer = ({ id, action, received_at }) => ({
  type: 3,
  id,
  action,
  response: { status: 'Accepted' },
  ...(received_at !== undefined && { received_at }),
});

/** Stand-in for a manager: a broker client that uses the wire formats. */
export class Manager {
  readonly calls = new Feed<{ stationId: string; envelope: CallEnvelope }>('calls from stations');
  readonly results = new Feed<ReceivedEnvelope>('results from stations');
  readonly presence = new Feed<{ gatewayId: string; presence: Presence }>('presence');
  readonly ready = new Feed<true>('connects to the broker');
  readonly away = new Feed<true>('losses of the broker');
  answerer: Answerer = accept;
  readonly #client: BrokerClient;

  constructor(brokerUrl: string) {
    this.#client = new BrokerClient({
      url: brokerUrl,
      clientId: `manager-${Math.random().toString(36).slice(2)}`,
      filters: topics.managerFilters,
      onMessage: (topic, payload) => this.#onMessage(topic, payload),
      onConnect: () => this.ready.add(true),
      onDisconnect: () => this.away.add(true),
    });
  }

  send(stationId: string, envelope: Envelope): void {
    this.publish(topics.out('ocpp1.6', stationId), encodeEnvelope(envelope));
  }

  acknowledge(stationId: string, id: string): void {
    this.publish(topics.ack('ocpp1.6', stationId), JSON.stringify({ id }));
  }

  publish(topic: string, payload: string): void {
    this.#client.publish(topic, payload);
  }

  /** Publishes presence as another gateway. */
  publishAs(gatewayId: string, presence: Presence): void {
    this.publish(topics.presence(gatewayId), encodePresence(presence));
  }

  /** The first presence of a kind, now or later. */
  async reported<K extends Presence['kind']>(
    kind: K,
    matches: (presence: Extract<Presence, { kind: K }>, gatewayId: string) => boolean = () => true,
  ): Promise<Extract<Presence, { kind: K }>> {
    const isIt = (presence: Presence): presence is Extract<Presence, { kind: K }> => presence.kind === kind;
    const { presence } = await this.presence.first(
      (reported) => isIt(reported.presence) && matches(reported.presence, reported.gatewayId),
    );
    return presence as Extract<Presence, { kind: K }>;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  #onMessage(topic: string, payload: Buffer): void {
    const from = readTopic('cs', topic);
    if (from?.kind === 'presence') {
      const presence = decodePresence(payload);
      for (const one of presence ? oneByOne(presence) : [])
        this.presence.add({ gatewayId: from.id, presence: one });
      return;
    }
    const envelope = decodeEnvelope(payload);
    if (!from || !envelope) return;
    const { id: stationId } = from;
    if (envelope.type !== 2) {
      this.results.add({ stationId, envelope });
      return;
    }
    this.calls.add({ stationId, envelope });
    const answer = this.answerer(envelope, stationId);
    if (answer) this.send(stationId, answer);
  }
}

/** Events at about the same time share one packet. */
function oneByOne(presence: Presence): Presence[] {
  if (presence.kind !== 'connected' && presence.kind !== 'disconnected') return [presence];
  const { kind, connections } = presence;
  return connections.map((connection) => ({ kind, connections: [connection] }));
}

export type TestGatewayOptions = Partial<GatewayOptions> & { mqttUrl: string };

/** A gateway on free ports that repeats quickly and accepts every station. */
export async function openGateway(options: TestGatewayOptions): Promise<Gateway> {
  const gateway = await startGateway({
    host: '127.0.0.1',
    wsPort: 0,
    statusPort: 0,
    mqttPrefix: 'cs',
    credentialsOf: everyone,
    passwordPepper: PEPPER,
    maxFrameBytes: 1024 * 1024,
    pingMs: 60_000,
    answerTimeoutMs: 30_000,
    // Tests that leave a result unacknowledged wait this long at the end.
    drainMs: 100,
    repeatDelaysMs: [50, 100],
    aliveEveryMs: 60_000,
    log: silentLog(),
    ...options,
  });
  return closeLater(onceClosed(gateway));
}

/** Every station is known and needs no password. */
export const everyone: CredentialSource = async (stationId) => credentials(stationId);

export function credentials(stationId: string, more: Partial<Credentials> = {}): Credentials {
  return { stationId, securityProfile: 0, passwordHashes: [], ...more };
}

export interface Stage {
  broker: EmbeddedBroker;
  manager: Manager;
  gateway: Gateway;
}

/** A connected broker, stand-in manager and gateway. */
export async function openStage(options: Partial<GatewayOptions> = {}): Promise<Stage> {
  const broker = closeLater(onceClosed(await startEmbeddedBroker()));
  const manager = await openManager(broker.url);
  const gateway = await openGateway({ mqttUrl: broker.url, ...options });
  await manager.reported('listing');
  return { broker, manager, gateway };
}

export async function openManager(brokerUrl: string): Promise<Manager> {
  const manager = closeLater(new Manager(brokerUrl));
  await manager.ready.count(1);
  return manager;
}

/** The value of a gateway metric without labels. */
export async function metric({ statusUrl }: Gateway, name: string): Promise<number> {
  const text = await (await fetch(`${statusUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1]);
}

/** The port of a URL, to start a server there again. */
export function portOf(url: string): number {
  return Number(new URL(url).port);
}

/** The test may close it, and it is closed again at the end. */
function onceClosed<T extends { close(): Promise<void> }>(one: T): T {
  let closing: Promise<void> | undefined;
  return { ...one, close: () => (closing ??= one.close()) };
}

/** A station's end of a socket, without station logic. */
export class StationSocket {
  /** Received frames, parsed. */
  readonly frames = new Feed<unknown[]>('frames to the station');
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly socket: WebSocket;
  #lastId = 0;

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url, ['ocpp1.6'], options);
    this.socket.on('message', (data: RawData) =>
      this.frames.add(JSON.parse((data as Buffer).toString()) as unknown[]),
    );
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    // A terminated socket does not fail the test; `closed` reports it.
    this.socket.on('error', () => {});
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
  }

  /** Sends a call with a new id and waits for its answer. */
  async call(action: string, payload: unknown = {}): Promise<unknown[]> {
    const id = `test-${++this.#lastId}`;
    this.send([2, id, action, payload]);
    return this.frames.first((frame) => frame[0] !== 2 && frame[1] === id);
  }

  close(): void {
    this.socket.terminate();
  }
}

/** Connects a station that can receive commands. */
export async function connectStation(
  gateway: Gateway,
  stationId = 'CP1',
  options: ClientOptions = {},
): Promise<StationSocket> {
  const station = closeLater(new StationSocket(`${gateway.url}/${encodeURIComponent(stationId)}`, options));
  await once(station.socket, 'open');
  // The gateway reads nothing before commands can reach the station, so a pong proves that they can.
  station.socket.ping();
  await once(station.socket, 'pong');
  return station;
}

export interface HandshakeAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A raw WebSocket handshake with this path and these headers, over TLS if options are given. */
export async function handshake(
  gateway: Gateway,
  path: string,
  headers: Record<string, string | string[]> = { 'sec-websocket-protocol': 'ocpp1.6' },
  tls?: RequestOptions,
): Promise<HandshakeAnswer> {
  return new Promise((resolve, reject) => {
    const pending = (tls ? secureRequest : request)({
      host: '127.0.0.1',
      port: portOf(tls ? (gateway.secureUrl ?? '') : gateway.url),
      ...(tls && { agent: false, ...tls }),
      path,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    });
    pending.on('upgrade', (response, socket) => {
      closeLater({ close: () => void socket.destroy() });
      socket.on('error', () => {});
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: '' });
    });
    pending.on('response', (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    pending.on('error', reject);
    pending.end();
  });
}

/** A station that completes the handshake and then neither answers nor closes. */
export async function connectDeafStation(gateway: Gateway, stationId: string): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: portOf(gateway.url), allowHalfOpen: true });
  closeLater({ close: () => void socket.destroy() });
  socket.on('error', () => {});
  socket.write(
    `GET /ws/${stationId} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
      'Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n',
  );
  await once(socket, 'data');
  return socket;
}

export interface Proxy {
  url: string;
  /** Breaks the connections like a bad network: without a clean disconnect. */
  cut(): void;
  /** Holds back data to the broker. */
  hold(): void;
  /** Forwards the held-back data in one piece. */
  release(): void;
}

/** A TCP proxy to a broker. */
export async function openProxy(url: string): Promise<Proxy> {
  const pairs = new Set<{ near: Socket; far: Socket }>();
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(portOf(url), '127.0.0.1');
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
    const pair = { near, far };
    pairs.add(pair);
    near.on('close', () => pairs.delete(pair));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  closeLater({
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    hold: () => pairs.forEach(({ near, far }) => near.unpipe(far)),
    release: () => pairs.forEach(({ near, far }) => near.pipe(far)),
  };
}
