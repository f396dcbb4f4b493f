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
  /** Called when a connection was cut before it was served; `status` is the matching HTTP status. */
  onCut(cut: { status: number; reason: string; remoteAddress: string }): void;
}

/** Chooses a connection's server by its first byte; undefined for none. */
export type ServerChoice = (firstByte: number, socket: Socket) => Server | undefined;

/**
 * Runs before the HTTP servers: reads PROXY protocol headers from trusted load balancers, distinguishes TLS from HTTP, and enforces the
 * connection limits.
 */
export class ConnectionLimits {
  readonly #options: ConnectionLimitsOptions;
  readonly #perNetwork = new Map<string, number>();
  /** Origins of PROXY protocol connections, by the peer's address and port, because TLS hides the socket below it. */
  readonly #origins = new Map<string, Origin>();
  readonly #open = new Set<Socket>();
  readonly #handlers = new Map<Server, (socket: Socket) => void>();

  constructor(options: ConnectionLimitsOptions) {
    this.#options = options;
  }

  /** Intercepts a server's new connections before its own handlers. */
  guard(server: Server, choose: ServerChoice): void {
    const handlers = server.listeners('connection') as ((socket: Socket) => void)[];
    this.#handlers.set(server, (socket) => handlers.forEach((one) => one.call(server, socket)));
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => void this.#onConnection(socket, choose));
  }

  /** Destroys all open sockets of all servers. */
  destroyAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  originOf(socket: Socket): Origin {
    // Naming a socket costs two system calls, and most gateways have no PROXY protocol connections.
    const proxied = this.#origins.size > 0 ? this.#origins.get(nameOf(socket)) : undefined;
    return proxied ?? { address: socket.remoteAddress ?? '', isProxied: false };
  }

  /** Counts a connection for a client's address until it closes; false when the address already has too many. */
  take(address: string, socket: Socket): boolean {
    if (this.#options.proxies.has(address)) return true;
    const network = networkOf(address);
    const count = this.#perNetwork.get(network) ?? 0;
    if (count >= this.#options.limits.connectionsPerAddress) return false;
    this.#perNetwork.set(network, count + 1);
    socket.once('close', () => {
      const remaining = (this.#perNetwork.get(network) ?? 1) - 1;
      if (remaining === 0) this.#perNetwork.delete(network);
      else this.#perNetwork.set(network, remaining);
    });
    return true;
  }

  async #onConnection(socket: Socket, choose: ServerChoice): Promise<void> {
    // The socket may fail before a server listens for errors; `close` follows.
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
      // Let the stream release its reader first.
      setImmediate(() => this.#handlers.get(server)?.(socket));
    } catch (error) {
      socket.destroy();
      if (error instanceof ClosedEarlyError) return;
      const { message: reason } = error as Error;
      const status = error instanceof OpeningError ? error.status : 500;
      this.#options.onCut({ status, reason, remoteAddress });
    }
  }

  /** The client's address, if a trusted load balancer reports it. */
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
