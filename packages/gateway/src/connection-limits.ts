import { networkOf } from '@evander/process';
import type { Server, Socket } from 'node:net';
import type { GatewayLimits } from './limits.ts';
import { ClosedEarlyError, takeProxyHeader } from './proxy-protocol.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

export interface ConnectionLimitsOptions {
  limits: Pick<GatewayLimits, 'connections' | 'connectionsPerAddress' | 'handshakeMs'>;
  proxies: TrustedProxies;
  /** A connection has been cut before it was served. */
  onCut(reason: string, remoteAddress: string): void;
}

/** Whose connection a socket is. */
export interface Origin {
  /** The peer's, or the one that a trusted load balancer has told by PROXY protocol. */
  address: string;
  /** True where a load balancer passes through what the client sends: nothing in it comes from a proxy. */
  isProxied: boolean;
}

/** Stands before the servers: takes PROXY protocol off what trusted load balancers send, and holds the limits on connections. */
export class ConnectionLimits {
  readonly #options: ConnectionLimitsOptions;
  readonly #perNetwork = new Map<string, number>();
  /** Of connections that came by PROXY protocol, by their peers' addresses and ports: TLS hides the socket below it. */
  readonly #origins = new Map<string, Origin>();
  #count = 0;

  constructor(options: ConnectionLimitsOptions) {
    this.#options = options;
  }

  /** Puts itself between a server's new connections and what it does with them. */
  guard(server: Server): void {
    const serve = server.listeners('connection') as ((socket: Socket) => void)[];
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) =>
      this.#onConnection(socket, () => serve.forEach((one) => one.call(server, socket))),
    );
  }

  originOf(socket: Socket): Origin {
    return this.#origins.get(nameOf(socket)) ?? { address: socket.remoteAddress ?? '', isProxied: false };
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

  #onConnection(socket: Socket, serve: () => void): void {
    const { limits, proxies, onCut } = this.#options;
    const peer = socket.remoteAddress;
    const cut = (reason: string, address = peer): void => {
      socket.destroy();
      onCut(reason, address ?? '');
    };
    // It may break before a server listens for that; `close` follows.
    socket.on('error', () => {});
    if (peer === undefined) {
      socket.destroy();
      return;
    }
    if (this.#count >= limits.connections) {
      cut('too many connections');
      return;
    }
    this.#count++;
    socket.once('close', () => this.#count--);
    if (!proxies.has(peer)) {
      if (this.take(peer, socket)) serve();
      else cut('too many connections from this address');
      return;
    }
    takeProxyHeader(socket, limits.handshakeMs).then(
      ({ isProxied, address }) => {
        if (isProxied) this.#remember(socket, { address: address ?? peer, isProxied });
        if (address !== undefined && !this.take(address, socket))
          cut('too many connections from this address', address);
        // The stream has to forget its reader first.
        else setImmediate(serve);
      },
      (error: Error) => {
        if (error instanceof ClosedEarlyError) socket.destroy();
        else cut(error.message);
      },
    );
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
