import { networkOf } from '@evander/process';
import type { Server, Socket } from 'node:net';
import { ClosedEarlyError, OpeningError, peekFirstByte } from './first-bytes.ts';
import type { GatewayLimits } from './limits.ts';
import { takeProxyHeader } from './proxy-protocol.ts';
import type { Origin } from './proxy-protocol.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

export interface ConnectionLimitsOptions {
  limits: Pick<GatewayLimits, 'connections' | 'connectionsPerAddress' | 'handshakeMs'>;
  proxies: TrustedProxies;
  /** A connection has been cut before it was served; the status is what an HTTP answer would have had. */
  onCut(cut: { status: number; reason: string; remoteAddress: string }): void;
}

/** Which server a connection is for, by its first byte; undefined for none. */
export type ServerChoice = (firstByte: number, socket: Socket) => Server | undefined;

/**
 * Stands before the servers: takes PROXY protocol off what trusted load balancers send, tells TLS from HTTP, and holds the limits on
 * connections.
 */
export class ConnectionLimits {
  readonly #options: ConnectionLimitsOptions;
  readonly #perNetwork = new Map<string, number>();
  /** Of connections that came by PROXY protocol, by their peers' addresses and ports: TLS hides the socket below it. */
  readonly #origins = new Map<string, Origin>();
  readonly #open = new Set<Socket>();
  readonly #handlers = new Map<Server, (socket: Socket) => void>();

  constructor(options: ConnectionLimitsOptions) {
    this.#options = options;
  }

  /** Puts itself between a server's new connections and what handles them. */
  guard(server: Server, choose: ServerChoice): void {
    const handlers = server.listeners('connection') as ((socket: Socket) => void)[];
    this.#handlers.set(server, (socket) => handlers.forEach((one) => one.call(server, socket)));
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => void this.#onConnection(socket, choose));
  }

  /** Ends what is still open, whichever server has it. */
  destroyAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  originOf(socket: Socket): Origin {
    // To name a socket costs two system calls, and most gateways have no such connections.
    const proxied = this.#origins.size > 0 ? this.#origins.get(nameOf(socket)) : undefined;
    return proxied ?? { address: socket.remoteAddress ?? '', isProxied: false };
  }

  /** Counts a connection for a client's address until it closes; false when that has too many already. */
  take(address: string, socket: Socket): boolean {
    if (this.#options.proxies.has(address)) return true;
    const network = networkOf(address);
    const count = this.#perNetwork.get(network) ?? 0;
    if (count >= this.#options.limits.connectionsPerAddress) return false;
    this.#perNetwork.set(network, count + 1);
    socket.once('close', () => {
      const left = (this.#perNetwork.get(network) ?? 1) - 1;
      if (left === 0) this.#perNetwork.delete(network);
      else this.#perNetwork.set(network, left);
    });
    return true;
  }

  async #onConnection(socket: Socket, choose: ServerChoice): Promise<void> {
    // It may break before a server listens for that; `close` follows.
    socket.on('error', () => {});
    const peer = socket.remoteAddress;
    if (peer === undefined) {
      socket.destroy();
      return;
    }
    let remoteAddress = peer;
    try {
      if (this.#open.size >= this.#options.limits.connections)
        throw new OpeningError(429, 'too many connections');
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
      remoteAddress = (await this.#takeProxyHeader(socket, peer)) ?? peer;
      if (!this.take(remoteAddress, socket))
        throw new OpeningError(429, 'too many connections from this address');
      const firstByte = await peekFirstByte(socket, this.#options.limits.handshakeMs);
      const server = choose(firstByte, socket);
      if (!server)
        throw new OpeningError(400, 'spoke TLS on the plain port; this gateway has no certificates');
      // The stream has to forget its reader first.
      setImmediate(() => this.#handlers.get(server)?.(socket));
    } catch (error) {
      socket.destroy();
      if (error instanceof ClosedEarlyError) return;
      const { message: reason } = error as Error;
      const status = error instanceof OpeningError ? error.status : 500;
      this.#options.onCut({ status, reason, remoteAddress });
    }
  }

  /** The address of the client, where a trusted load balancer names it. */
  async #takeProxyHeader(socket: Socket, peer: string): Promise<string | undefined> {
    if (!this.#options.proxies.has(peer)) return undefined;
    const { isProxied, address } = await takeProxyHeader(socket, this.#options.limits.handshakeMs);
    if (isProxied) this.#remember(socket, { address: address ?? peer, isProxied });
    return address;
  }

  #remember(socket: Socket, origin: Origin): void {
    const name = nameOf(socket);
    this.#origins.set(name, origin);
    socket.once('close', () => this.#origins.delete(name));
  }
}

function nameOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return [remoteAddress, remotePort, localAddress, localPort].join(' ');
}
