import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Requests, Responses } from '@evander/ocpp';
import { createRPCError, RPCServer } from 'ocpp-rpc';
import { Station, type StationOptions } from '../src/index.ts';

type RpcClient = {
  identity: string;
  call(method: string, params: unknown): Promise<unknown>;
  sendRaw(text: string): void;
  close(options: { code?: number; force?: boolean }): Promise<unknown>;
  handle(handler: (call: ReceivedCall) => unknown): void;
  on(event: string, listener: (...args: never[]) => void): void;
};

/** How a station came in. */
export type Handshake = { profile: 1 | 2 | 3; commonName?: string; protocol?: string };

export type ReceivedCall = { method: string; params: unknown; messageId: string };

type Answers = { [A in keyof Responses]?: (request: Requests[A], call: ReceivedCall) => unknown };

/** The manager's side as someone else wrote it: ocpp-rpc, strict about every schema. */
export class Manager {
  readonly calls: (ReceivedCall & { stationId: string })[] = [];
  readonly passwords: (Buffer | undefined)[] = [];
  /** Answers that differ from the plain ones; may throw `refuse(code)`. */
  readonly answers: Answers = {};
  url = '';
  readonly handshakes: Handshake[] = [];
  /** Refuses every handshake with this HTTP status. */
  refuseWith: number | undefined;
  /** Refuses the others with 401. */
  isWelcome: (handshake: Handshake) => boolean = () => true;
  client: RpcClient | undefined;
  #server: RPCServer;
  #nextTransactionId = 1;
  #watchers: (() => void)[] = [];

  constructor({ strictMode = true } = {}) {
    this.#server = new RPCServer({ protocols: ['ocpp1.6'], strictMode, callTimeoutMs: 2000 });
    this.#server.auth((accept, reject, handshake) => {
      this.passwords.push(handshake.password);
      const how = describe(handshake.request.socket, handshake.headers);
      this.handshakes.push(how);
      if (this.refuseWith) reject(this.refuseWith, 'on request');
      else if (!this.isWelcome(how)) reject(401, 'not welcome');
      else accept();
      this.#wake();
    });
    this.#server.on('client', (client: RpcClient) => {
      this.client = client;
      client.handle((call) => this.#answer(client.identity, call));
      this.#wake();
    });
  }

  async listen(): Promise<this> {
    const server = await this.#server.listen(0, '127.0.0.1');
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ocpp`;
    return this;
  }

  /** Takes stations over TLS as well; close the server it returns. */
  async listenTls(options: ServerOptions, port = 0): Promise<Server> {
    const server = createServer({ requestCert: true, rejectUnauthorized: false, ...options });
    server.on('upgrade', (request, socket, head) => {
      void this.#server.handleUpgrade(request, socket as Socket, head);
    });
    await once(server.listen(port), 'listening');
    return server;
  }

  async close(): Promise<void> {
    await this.#server.close({ force: true });
  }

  command<A extends keyof Requests>(action: A, request: Requests[A]): Promise<Responses[A]> {
    return this.client?.call(action, request) as Promise<Responses[A]>;
  }

  requests<A extends keyof Requests>(action: A): Requests[A][] {
    return this.calls.filter(({ method }) => method === action).map(({ params }) => params as Requests[A]);
  }

  ids(action: string): string[] {
    return this.calls.filter(({ method }) => method === action).map(({ messageId }) => messageId);
  }

  /** Resolves once the manager has seen what is asked for. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  #answer(stationId: string, call: ReceivedCall): unknown {
    this.calls.push({ ...call, stationId });
    queueMicrotask(() => this.#wake());
    const own = this.answers[call.method as keyof Answers] as ((...args: unknown[]) => unknown) | undefined;
    return own ? own(call.params, call) : this.plain(call.method);
  }

  /** What an obliging manager answers. */
  plain(method: string): unknown {
    const currentTime = new Date().toISOString();
    if (method === 'BootNotification') return { status: 'Accepted', interval: 300, currentTime };
    if (method === 'Heartbeat') return { currentTime };
    if (method === 'Authorize') return { idTagInfo: { status: 'Accepted' } };
    if (method === 'StartTransaction') {
      return { transactionId: this.#nextTransactionId++, idTagInfo: { status: 'Accepted' } };
    }
    return {};
  }

  #wake(): void {
    this.#watchers.splice(0).forEach((resolve) => resolve());
  }
}

/** What a handler throws to answer with a CALLERROR. */
export function refuse(code: string): Error {
  return createRPCError(code, 'on request') as Error;
}

/** A station that waits for nothing. */
export function quickStation(manager: Manager, options: Partial<StationOptions> = {}): Station {
  return new Station({
    stationId: 'CP 1/ä',
    url: manager.url,
    seed: 7,
    speed: Infinity,
    reconnect: { minMs: 1, maxMs: 5 },
    bootRetryMs: 1,
    retryIntervalMs: 1,
    ...options,
  });
}

/** The next event of this name. */
export async function next(station: Station, event: string): Promise<unknown> {
  return (await once(station, event))[0] as unknown;
}

function describe(socket: Socket, { authorization }: IncomingHttpHeaders): Handshake {
  if (!(socket instanceof TLSSocket)) return { profile: 1 };
  const { subject } = socket.getPeerCertificate();
  return {
    profile: authorization === undefined ? 3 : 2,
    protocol: socket.getProtocol() ?? '',
    ...(subject && { commonName: String(subject.CN) }),
  };
}
