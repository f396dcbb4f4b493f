import type { Rejection } from '@evander/broker';
import { TokenBucket } from '@evander/process';
import type { Log } from '@evander/process';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { ConnectionLimits } from './connection-limits.ts';
import { admit } from './handshake.ts';
import type { Admission, HandshakeOptions } from './handshake.ts';
import { readTarget } from './identity.ts';
import { refuse, Refusal } from './refusal.ts';
import type { Attempt, TrustedProxies } from './trusted-proxies.ts';

export interface StationHandshakesOptions extends HandshakeOptions {
  proxies: TrustedProxies;
  connections: ConnectionLimits;
  maxFrameBytes: number;
  onSocket(socket: WebSocket, admission: Admission, remoteAddress: string): Promise<void>;
  /** Called for every rejected handshake. */
  onRejected(handshake: Rejection): void;
  log: Log;
}

/** Limits log lines about handshakes for all clients together; each station is limited as well. */
const LOGGED = { burst: 200, perSecond: 10 } as const;

/** Statuses for requests that Node.js could not parse; 400 for all others. */
const UNREADABLE: Record<string, number> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
};

const NO_UPGRADE = new Refusal(
  426,
  'not a WebSocket handshake: the header "Connection: Upgrade" is missing',
  { Upgrade: 'websocket', Connection: 'Upgrade, close' },
);

/** Completes or rejects handshakes. Every rejection is logged, counted and listed, whatever its cause. */
export class StationHandshakes {
  readonly #options: StationHandshakesOptions;
  readonly #webSockets: WebSocketServer;
  /** Plain HTTP connections to the TLS port. */
  readonly #plainOnTlsPort = new WeakSet<Duplex>();
  readonly #lines = new TokenBucket(LOGGED);
  #linesLeftOut = 0;
  #closed = false;

  constructor(options: StationHandshakesOptions) {
    this.#options = options;
    this.#webSockets = new WebSocketServer({
      noServer: true,
      maxPayload: options.maxFrameBytes,
      // Stations are small devices, and compression costs more than it saves (ocppj.md FRM.10).
      perMessageDeflate: false,
    });
    this.#webSockets.on('wsClientError', (error, socket, request) =>
      this.#reject(new Refusal(400, error.message), this.#read(request), socket),
    );
  }

  /** Handles a server's requests. */
  watch(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', (error) => this.#options.log.debug({ err: error }, 'socket error in a handshake'));
      this.#onUpgrade(request, socket, head).catch((error: unknown) => {
        this.#options.log.error({ err: error }, 'handshake failed');
        this.#reject(new Refusal(500, 'internal error'), this.#read(request), socket);
      });
    });
    server.on('request', (request, response) => this.#onPlainRequest(request, response));
    server.on('connect', (request: IncomingMessage, socket: Duplex) => {
      const refusal = this.#misplaced(request) ?? NO_UPGRADE;
      this.#record(refusal, this.#read(request), false);
      refuse(socket, refusal);
    });
    server.on('clientError', (error, socket) => this.#onClientError(error, socket as Socket));
  }

  /** Marks a plain HTTP connection to the TLS port: its request is read for the record and rejected. */
  expectTlsOf(socket: Socket): void {
    this.#plainOnTlsPort.add(socket);
  }

  /** Logs and lists a connection that ended before there was a request. */
  reject(status: number, reason: string, remoteAddress: string): void {
    this.#record(new Refusal(status, reason), { remoteAddress });
  }

  /** Rejects all further handshakes. */
  close(): void {
    this.#closed = true;
  }

  async #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const attempt = this.#read(request);
    const admitted = this.#misplaced(request) ?? (await this.#admit(attempt, request.socket));
    if (socket.destroyed) return;
    // Check again: a station that passes the checks while the gateway begins to stop would never be closed.
    const outcome =
      this.#closed || admitted === undefined
        ? new Refusal(503, 'the gateway is stopping', { 'Retry-After': '1' })
        : admitted;
    if (outcome instanceof Refusal) {
      this.#reject(outcome, attempt, socket);
      return;
    }
    (socket as Socket).setNoDelay(true);
    // The offer has been checked: make ws answer with ocpp1.6, or without the header when none was offered.
    if (outcome.isSubprotocolOffered) request.headers['sec-websocket-protocol'] = 'ocpp1.6';
    else delete request.headers['sec-websocket-protocol'];
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.#options.onSocket(webSocket, outcome, attempt.remoteAddress).catch((error: unknown) => {
        this.#options.log.error({ stationId: outcome.stationId, err: error }, 'connection failed');
        webSocket.terminate();
      });
    });
  }

  async #admit(attempt: Attempt, peer: Socket): Promise<Admission | Refusal | undefined> {
    if (this.#closed) return undefined;
    if (attempt.isForwarded && !this.#options.connections.take(attempt.remoteAddress, peer))
      return new Refusal(429, 'too many connections from this address', { 'Retry-After': '60' });
    return admit(attempt, this.#options);
  }

  #read(request: IncomingMessage): Attempt {
    const { proxies, connections } = this.#options;
    return proxies.read(request, connections.originOf(request.socket));
  }

  #misplaced({ socket }: IncomingMessage): Refusal | undefined {
    return this.#plainOnTlsPort.has(socket)
      ? new Refusal(400, 'spoke plain HTTP on the TLS port; connect with wss://')
      : undefined;
  }

  #onPlainRequest(request: IncomingMessage, response: ServerResponse): void {
    const refusal = this.#misplaced(request) ?? NO_UPGRADE;
    const { status, reason, headers } = refusal;
    this.#record(refusal, this.#read(request), isOfStation(request));
    response.writeHead(status, { Connection: 'close', 'Content-Type': 'text/plain', ...headers });
    response.end(`${reason}\n`);
  }

  /** Handles bytes that are not TLS, or not HTTP. */
  #onClientError(error: Error & { code?: string; reason?: string }, socket: Socket): void {
    const { code = '', reason = error.message } = error;
    // A client that just disconnects, like a port probe, has done nothing wrong.
    if (code === 'ECONNRESET' || code === 'EPIPE') {
      socket.destroy();
      return;
    }
    const isHttp = code.startsWith('HPE_') || code.startsWith('ERR_HTTP_');
    // Later errors on the same socket only repeat the first one.
    if (isHttp && socket.writableEnded) return;
    const refusal = new Refusal(
      UNREADABLE[code] ?? 400,
      `${isHttp ? 'not an HTTP request' : 'TLS'}: ${reason}`.slice(0, 300),
    );
    this.#record(refusal, { remoteAddress: this.#options.connections.originOf(socket).address });
    if (isHttp) refuse(socket, refusal);
    else socket.destroy();
  }

  #reject(refusal: Refusal, attempt: Attempt, socket: Duplex): void {
    this.#record(refusal, attempt);
    refuse(socket, refusal);
  }

  #record({ status, reason }: Refusal, attempt: Partial<Attempt>, isNamed = true): void {
    const { remoteAddress = '', target } = attempt;
    const { stationId = '' } = isNamed && target !== undefined ? readTarget(target) : {};
    this.#warn({ stationId, status, reason, remoteAddress, url: target?.slice(0, 300) });
    const at = new Date().toISOString();
    this.#options.onRejected({ stationId, status, reason, remoteAddress, at });
  }

  #warn(about: object): void {
    if (!this.#lines.take()) {
      this.#linesLeftOut++;
      return;
    }
    const leftOut = this.#linesLeftOut;
    this.#linesLeftOut = 0;
    this.#options.log.warn({ ...about, ...(leftOut > 0 && { leftOut }) }, 'rejected');
  }
}

/** Whether a plain request was meant as a WebSocket handshake. Browsers and scanners request files, which are not stations. */
function isOfStation({ url = '', headers }: IncomingMessage): boolean {
  return /^\/+ws\//.test(url) || headers.upgrade !== undefined || 'sec-websocket-key' in headers;
}
