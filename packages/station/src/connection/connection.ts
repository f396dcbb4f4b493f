import { EventEmitter, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { WebSocket } from 'ws';
import type { Random } from '../runtime/random.ts';
import { wait } from '../runtime/wait.ts';
import { ConnectionClosed, HandshakeRefused } from './call-errors.ts';

/** Where and how to connect. */
export type Handshake = { url: string; headers: Record<string, string>; tls: TlsOptions };

/** Options of a connection. */
export type ConnectionOptions = {
  /** Called for each attempt, because passwords, certificates and security profiles change. */
  handshake: () => Handshake;
  reconnect: { minMs: number; maxMs: number };
  random: Random;
  subprotocols: readonly string[];
  perMessageDeflate: boolean;
  /** WebSocket pings are answered. */
  autoPong: boolean;
};

type ConnectionEvents = {
  /** With the transport below the WebSocket: a TLSSocket for wss. */
  open: [transport: Socket | undefined];
  close: [code: number];
  /** An attempt failed. */
  failed: [error: Error];
  /** An attempt failed, and another follows. */
  refused: [error: Error];
  received: [data: string | Buffer];
  sent: [data: string | Buffer];
};

const CLOSE_MS = 1000;
/** For an unanswered handshake, for example behind a load balancer that has lost its gateway. */
const HANDSHAKE_MS = 30_000;

/** A station's socket, which reopens automatically until `disconnect()`. */
export class Connection extends EventEmitter<ConnectionEvents> {
  readonly #options: ConnectionOptions;
  #socket: WebSocket | undefined;
  /** Exists while the station should be connected; aborted afterwards. */
  #desired: AbortController | undefined;
  /** The signal of the reconnect loop, while it runs. */
  #reopening: AbortSignal | undefined;
  #pings: NodeJS.Timeout | undefined;

  constructor(options: ConnectionOptions) {
    super();
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Resolves once open. Rejects when the first attempt fails, unless `keepTrying` is set. */
  async connect({ keepTrying = false } = {}): Promise<void> {
    if (this.isOpen) return;
    if (this.#desired) {
      await once(this, 'open', { signal: this.#desired.signal });
      return;
    }
    const { signal } = (this.#desired = new AbortController());
    try {
      await this.#open(signal);
    } catch (error) {
      if (keepTrying) {
        this.#reportRefusal(error as Error, signal);
        return this.#openEventually(signal);
      }
      this.#desired?.abort();
      this.#desired = undefined;
      throw error;
    }
  }

  /** Resolves once the operating system has the data. */
  send(data: string | Buffer): Promise<void> {
    const socket = this.#socket;
    if (!socket) return Promise.reject(new ConnectionClosed('send'));
    this.emit('sent', data);
    return new Promise((resolve, reject) => {
      socket.send(data, (error) => (error ? reject(new ConnectionClosed('send')) : resolve()));
    });
  }

  /** Terminates the socket without a close frame; it reopens after the back-off. */
  drop(): void {
    const socket = this.#socket;
    if (!socket) return;
    this.#forget(socket, 1006);
    socket.terminate();
  }

  /** Sends a WebSocket ping at this interval in ms; 0 for none. */
  setPingInterval(ms: number): void {
    clearInterval(this.#pings);
    if (ms > 0) this.#pings = setInterval(() => this.isOpen && this.#socket?.ping(), ms);
  }

  /** Closes the socket cleanly and stays disconnected. Without a code its peer sees 1005. */
  async disconnect({ withoutCode = false } = {}): Promise<void> {
    this.#desired?.abort();
    this.#desired = undefined;
    const socket = this.#socket;
    if (!socket) return;
    this.#forget(socket, withoutCode ? 1005 : 1000);
    const closed = new AbortController();
    socket.once('close', () => closed.abort());
    socket.close(withoutCode ? undefined : 1000);
    await wait(CLOSE_MS, closed.signal);
    socket.terminate();
  }

  #open(signal: AbortSignal): Promise<void> {
    const { handshake, subprotocols, perMessageDeflate, autoPong } = this.#options;
    const { url, headers, tls } = handshake();
    // ws sets TCP_NODELAY itself.
    const socket = new WebSocket(url, [...subprotocols], {
      ...tls,
      headers,
      perMessageDeflate,
      autoPong,
      handshakeTimeout: HANDSHAKE_MS,
    });
    const giveUp = () => socket.terminate();
    signal.addEventListener('abort', giveUp);
    return new Promise<void>((resolve, reject) => {
      let transport: Socket | undefined;
      socket.once('upgrade', (response) => (transport = response.socket));
      socket.once('open', () => {
        this.#adopt(socket, transport);
        resolve();
      });
      socket.once('unexpected-response', (_request, response) => {
        void saidBy(response).then((says) => {
          reject(new HandshakeRefused(url, response.statusCode ?? 0, says));
          socket.terminate();
        });
      });
      socket.on('error', reject);
    })
      .catch((error: Error) => {
        if (!signal.aborted) this.emit('failed', error);
        throw error;
      })
      .finally(() => signal.removeEventListener('abort', giveUp));
  }

  #adopt(socket: WebSocket, transport: Socket | undefined): void {
    this.#socket = socket;
    socket.on('message', (data: Buffer, isBinary) => {
      // Data in the buffer of a dropped socket is lost.
      if (this.#socket === socket) this.emit('received', isBinary ? data : data.toString());
    });
    socket.on('close', (code) => this.#forget(socket, code));
    this.emit('open', transport);
  }

  #forget(socket: WebSocket, code: number): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    this.emit('close', code);
    if (this.#desired) void this.#openEventually(this.#desired.signal);
  }

  async #openEventually(signal: AbortSignal): Promise<void> {
    // A socket may be dropped before the loop that opened it has noticed: then that loop continues.
    if (this.#reopening === signal) return;
    this.#reopening = signal;
    for (let attempt = 0; !signal.aborted && !this.isOpen; attempt++) {
      await wait(this.#backOffMs(attempt), signal);
      if (signal.aborted) break;
      await this.#open(signal).catch((error: Error) => this.#reportRefusal(error, signal));
    }
    if (this.#reopening === signal) this.#reopening = undefined;
  }

  /** An attempt that `disconnect()` ended was not refused, and no other follows. */
  #reportRefusal(error: Error, signal: AbortSignal): void {
    if (!signal.aborted) this.emit('refused', error);
  }

  #backOffMs(attempt: number): number {
    const { reconnect, random } = this.#options;
    const fullMs = Math.min(reconnect.maxMs, reconnect.minMs * 2 ** Math.min(attempt, 30));
    return fullMs * random.between(0.5, 1);
  }
}

const SAID_MS = 1000;
const SAID_LENGTH = 200;

/** The explanation of a rejection, if any: plain text, or a problem document's detail. */
async function saidBy(response: IncomingMessage): Promise<string> {
  let text = '';
  const done = new AbortController();
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (text.length > 10 * SAID_LENGTH) done.abort();
  });
  for (const end of ['end', 'error', 'close']) response.once(end, () => done.abort());
  await wait(SAID_MS, done.signal);
  const type = response.headers['content-type'] ?? '';
  if (/^text\/plain\b/.test(type)) return text.trim().slice(0, SAID_LENGTH);
  const [, detail = ''] = /"detail": ?"([^"]*)"/.exec(text) ?? [];
  return /^application\/(?:problem\+)?json\b/.test(type) ? detail.slice(0, SAID_LENGTH) : '';
}
