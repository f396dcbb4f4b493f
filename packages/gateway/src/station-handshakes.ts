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
  /** Called for every refusal. */
  onRejected(handshake: Rejection): void;
  log: Log;
}

/** Lines about handshakes in the log, from all clients together; each station's are limited as well. */
const LOGGED = { burst: 200, perSecond: 10 } as const;

/** Statuses of requests that Node.js could not read; 400 for all others. */
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

/** Where handshakes end: with an open socket, or rejected. Every refusal is logged, counted and listed, whatever its cause. */
export class StationHandshakes {
  readonly #options: StationHandshakesOptions;
  readonly #webSockets: WebSocketServer;
  /** Connections to the TLS port that do not speak it. */
  readonly #plainOnTlsPort = new WeakSet<Duplex>();
  readonly #lines = new TokenBucket(LOGGED);
  #linesLeftOut = 0;
  #closed = false;

  constructor(options: StationHandshakesOptions) {
    this.#options = options;
    this.#webSockets = new WebSocketServer({
      noServer: true,
      maxPayload: options.maxFrameBytes,
      // Stations are small, and compression costs more than it saves (ocppj.md FRM.10).
      perMessageDeflate: false,
    });
    this.#webSockets.on('wsClientError', (error, socket, request) =>
      this.#reject(new Refusal(400, error.message), this.#read(request), socket),
    );
  }

  /** Handles what comes to a server. */
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

  /** This connection has come to the TLS port and speaks plain HTTP: its request is read, for the record, and refused. */
  expectTlsOf(socket: Socket): void {
    this.#plainOnTlsPort.add(socket);
  }

  /** Logs and lists a connection that has ended before there was a request. */
  reject(status: number, reason: string, remoteAddress: string): void {
    this.#record(new Refusal(status, reason), { remoteAddress });
  }

  /** Accepts nobody from now on. */
  close(): void {
    this.#closed = true;
  }

  async #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const attempt = this.#read(request);
    const admitted = this.#misplaced(request) ?? (await this.#admit(attempt, request.socket));
    if (socket.destroyed) return;
    // Asked once more: a station that passes the checks while the gateway begins to stop would never be closed.
    const outcome =
      this.#closed || admitted === undefined
        ? new Refusal(503, 'the gateway is stopping', { 'Retry-After': '1' })
        : admitted;
    if (outcome instanceof Refusal) {
      this.#reject(outcome, attempt, socket);
      return;
    }
    (socket as Socket).setNoDelay(true);
    // What was offered has been judged: ws answers with the one that is spoken, or without the header where none was offered.
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

  /** Bytes that are no TLS, or no HTTP. */
  #onClientError(error: Error & { code?: string; reason?: string }, socket: Socket): void {
    const { code = '', reason = error.message } = error;
    // A client that just leaves, as probes of a port do, has shown nothing that could be wrong.
    if (code === 'ECONNRESET' || code === 'EPIPE') {
      socket.destroy();
      return;
    }
    const isHttp = code.startsWith('HPE_') || code.startsWith('ERR_HTTP_');
    // What follows the first error is the same again.
    if (isHttp && socket.writableEnded) return;
    const refusal = new Refusal(
      UNREADABLE[code] ?? 400,
      `${isHttp ? 'no HTTP request' : 'TLS'}: ${reason}`.slice(0, 300),
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

/** Is a request that is no WebSocket handshake meant to be one? Browsers and scanners ask for files, which are no stations. */
function isOfStation({ url = '', headers }: IncomingMessage): boolean {
  return /^\/+ws\//.test(url) || headers.upgrade !== undefined || 'sec-websocket-key' in headers;
}
