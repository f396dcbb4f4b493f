import type { TurnedAway } from '@evander/broker';
import { TokenBucket } from '@evander/process';
import type { Log } from '@evander/process';
import { createServer, STATUS_CODES } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerOptions } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { CertificateHeader } from './client-certificate.ts';
import { ConnectionLimits } from './connection-limits.ts';
import { admit, Refusal } from './handshake.ts';
import type { Admission, HandshakeOptions } from './handshake.ts';
import type { GatewayLimits } from './limits.ts';
import { CertificateKeeper } from './server-certificates.ts';
import type { CertificateSource } from './server-certificates.ts';
import { createTlsServer } from './tls-server.ts';
import type { TlsFailure } from './tls-server.ts';
import { TrustedProxies } from './trusted-proxies.ts';
import type { Attempt } from './trusted-proxies.ts';

export interface StationServerOptions extends HandshakeOptions {
  host: string;
  wsPort: number;
  wssPort: number;
  /** Without them nothing listens for TLS. */
  certificates?: CertificateSource;
  certificatesEveryMs?: number;
  trustedProxies: readonly string[];
  clientCertificateHeader?: CertificateHeader | undefined;
  limits: GatewayLimits;
  maxFrameBytes: number;
  onSocket(socket: WebSocket, admission: Admission, remoteAddress: string): Promise<void>;
  onTurnedAway(handshake: TurnedAway): void;
  /** A connection was cut before there was a request. */
  onCut(): void;
  log: Log;
}

export interface StationServer {
  url: string;
  /** Undefined where nothing listens for TLS. */
  secureUrl: string | undefined;
  /** When the first of the server's certificates ends; NaN while there is none. */
  certificateExpiresAtMs(): number;
  /** Lets nobody in any more; open sockets stay. */
  refuseAll(): void;
  close(): Promise<void>;
}

const LOOK_MS = 5000;

const onPlainRequest: RequestListener = (_request, response) => {
  response.writeHead(426, {
    'content-type': 'text/plain',
    upgrade: 'websocket',
    connection: 'upgrade, close',
  });
  response.end('Stations connect here by WebSocket: /ws/<station id>, subprotocol ocpp1.6\n');
};

/** Listens for stations, with TLS and without, and opens a socket for those that pass the handshake. Rejects when a port is taken. */
export async function startStationServer(options: StationServerOptions): Promise<StationServer> {
  const { host, certificates, log } = options;
  const door = new Door(options);
  const timeouts = timeoutsOf(options.limits);
  const plain = createServer(timeouts, onPlainRequest);
  const servers: Server[] = [plain];
  door.watch(plain);
  let keeper: CertificateKeeper | undefined;
  try {
    const url = `ws://${host}:${await listen(plain, host, options.wsPort)}/ws`;
    let secureUrl: string | undefined;
    if (certificates) {
      const secure = createTlsServer(timeouts, onPlainRequest, (failure) => door.turnAwayBefore(failure));
      servers.push(secure.server);
      door.watch(secure.server);
      keeper = new CertificateKeeper({
        source: certificates,
        use: (them) => secure.use(them),
        everyMs: options.certificatesEveryMs ?? LOOK_MS,
        log,
      });
      await keeper.start();
      secureUrl = `wss://${host}:${await listen(secure.server, host, options.wssPort)}/ws`;
    }
    return {
      url,
      secureUrl,
      certificateExpiresAtMs: () => keeper?.expiresAtMs ?? NaN,
      refuseAll: () => door.close(),
      close: async () => {
        keeper?.close();
        await Promise.all(servers.map(stop));
      },
    };
  } catch (error) {
    keeper?.close();
    await Promise.all(servers.map(stop));
    throw error;
  }
}

/** Node's own would let a client that sends nothing, or byte by byte, stay for 90 s, and 120 s in TLS. */
function timeoutsOf({ handshakeMs }: GatewayLimits): ServerOptions & { handshakeTimeout: number } {
  return {
    handshakeTimeout: handshakeMs,
    headersTimeout: handshakeMs,
    requestTimeout: handshakeMs,
    connectionsCheckingInterval: Math.min(1000, handshakeMs),
  };
}

/** Lines about handshakes in the log, whoever they come from; each station's are limited besides. */
const LOGGED = { burst: 200, perSecond: 10 } as const;

/** Where handshakes end: with an open socket, or turned away. */
class Door {
  readonly #options: StationServerOptions;
  readonly #proxies: TrustedProxies;
  readonly #connections: ConnectionLimits;
  readonly #lines = new TokenBucket(LOGGED);
  #linesLeftOut = 0;
  readonly #webSockets: WebSocketServer;
  #closed = false;

  constructor(options: StationServerOptions) {
    this.#options = options;
    this.#proxies = new TrustedProxies(options.trustedProxies, options.clientCertificateHeader);
    this.#connections = new ConnectionLimits({
      limits: options.limits,
      proxies: this.#proxies,
      onCut: (reason, remoteAddress) => {
        options.onCut();
        this.#warn({ reason, remoteAddress }, 'connection cut');
      },
    });
    this.#webSockets = new WebSocketServer({
      noServer: true,
      maxPayload: options.maxFrameBytes,
      // Stations are small, and compression costs more than it saves (ocppj.md FRM.10).
      perMessageDeflate: false,
      handleProtocols: () => 'ocpp1.6',
    });
    this.#webSockets.on('wsClientError', (error, socket, request) => {
      this.#warn({ err: error, url: request.url?.slice(0, 300) }, 'broken handshake');
      refuse(socket, new Refusal(400, error.message));
    });
  }

  watch(server: Server): void {
    const { log } = this.#options;
    this.#connections.guard(server);
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', (error) => log.debug({ err: error }, 'socket error in a handshake'));
      this.#onUpgrade(request, socket, head).catch((error: unknown) => {
        log.error({ err: error }, 'handshake failed');
        refuse(socket, new Refusal(500, 'internal error'));
      });
    });
  }

  close(): void {
    this.#closed = true;
  }

  /** A connection that has come to nothing before there was a request. */
  turnAwayBefore({ reason, socket }: TlsFailure): void {
    this.#turnAway(new Refusal(400, reason), this.#connections.originOf(socket).address);
  }

  async #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { socket: peer } = request;
    const attempt = this.#proxies.read(request, this.#connections.originOf(peer));
    const admitted = await this.#admit(attempt, peer);
    if (socket.destroyed) return;
    // Asked once more: whoever passes the ladder while the gateway begins to stop would never be closed.
    const outcome =
      this.#closed || admitted === undefined
        ? new Refusal(503, 'the gateway is stopping', { headers: { 'Retry-After': '1' } })
        : admitted;
    if (outcome instanceof Refusal) {
      this.#turnAway(outcome, attempt.remoteAddress, attempt.target);
      refuse(socket, outcome);
      return;
    }
    (socket as Socket).setNoDelay(true);
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.#options.onSocket(webSocket, outcome, attempt.remoteAddress).catch((error: unknown) => {
        this.#options.log.error({ err: error, stationId: outcome.stationId }, 'opening a connection failed');
        webSocket.terminate();
      });
    });
  }

  async #admit(attempt: Attempt, peer: Socket): Promise<Admission | Refusal | undefined> {
    if (this.#closed) return undefined;
    if (attempt.isForwarded && !this.#connections.take(attempt.remoteAddress, peer))
      return new Refusal(429, 'too many connections from this address', { headers: { 'Retry-After': '60' } });
    return admit(attempt, this.#options);
  }

  #turnAway({ status, reason, stationId }: Refusal, remoteAddress: string, target?: string): void {
    this.#warn({ stationId, status, reason, remoteAddress, url: target?.slice(0, 300) }, 'turned away');
    if (!this.#closed)
      this.#options.onTurnedAway({ stationId, status, reason, remoteAddress, at: new Date().toISOString() });
  }

  #warn(about: object, message: string): void {
    if (!this.#lines.take()) {
      this.#linesLeftOut++;
      return;
    }
    const leftOut = this.#linesLeftOut;
    this.#linesLeftOut = 0;
    this.#options.log.warn({ ...about, ...(leftOut > 0 && { leftOut }) }, message);
  }
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}

async function stop(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

function refuse(socket: Duplex, { status, reason, headers }: Refusal): void {
  if (!socket.writable) return;
  const lines = Object.entries({
    ...headers,
    Connection: 'close',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(reason)),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  // A peer that never closes its half would keep the socket for ever.
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\n${lines.join('')}\r\n${reason}`);
}
