import type { Rejection } from '@evander/broker';
import type { Log } from '@evander/process';
import { createServer } from 'node:http';
import type { Server, ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WebSocket } from 'ws';
import type { CertificateHeader } from './client-certificate.ts';
import { ConnectionLimits } from './connection-limits.ts';
import type { Admission, HandshakeOptions } from './handshake.ts';
import type { GatewayLimits } from './limits.ts';
import { CertificateKeeper } from './server-certificates.ts';
import type { CertificateSource } from './server-certificates.ts';
import { StationHandshakes } from './station-handshakes.ts';
import { createTlsServer } from './tls-server.ts';
import { TrustedProxies } from './trusted-proxies.ts';

export interface StationServerOptions extends HandshakeOptions {
  host: string;
  wsPort: number;
  wssPort: number;
  /** Without them TLS is off. */
  certificates?: CertificateSource;
  certificatesEveryMs?: number;
  trustedProxies: readonly string[];
  clientCertificateHeader?: CertificateHeader | undefined;
  limits: GatewayLimits;
  maxFrameBytes: number;
  onSocket(socket: WebSocket, admission: Admission, remoteAddress: string): Promise<void>;
  /** Called for every rejected handshake. */
  onRejected(handshake: Rejection): void;
  /** Called when a connection was cut before there was a request. */
  onCut(): void;
  log: Log;
}

export interface StationServer {
  url: string;
  /** Undefined without TLS. */
  secureUrl: string | undefined;
  /** Expiry of the server certificate that expires first; NaN without certificates. */
  certificateExpiresAtMs(): number;
  /** Rejects new handshakes; open sockets stay. */
  refuseAll(): void;
  close(): Promise<void>;
}

const CHECK_INTERVAL_MS = 5000;
/** The first byte of every TLS connection: the content type of a handshake record (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 0x16;

/**
 * Listens for stations and opens a socket for those that pass the handshake. The first byte distinguishes TLS from HTTP, so the plain port
 * serves both; the TLS port accepts only TLS. Rejects when a port is taken.
 */
export async function startStationServer(options: StationServerOptions): Promise<StationServer> {
  const { host, certificates, log } = options;
  const proxies = new TrustedProxies(options.trustedProxies, options.clientCertificateHeader);
  const connections = new ConnectionLimits({
    limits: options.limits,
    proxies,
    onCut: ({ status, reason, remoteAddress }) => {
      options.onCut();
      handshakes.reject(status, reason, remoteAddress);
    },
  });
  const handshakes = new StationHandshakes({ ...options, proxies, connections });
  const timeouts = timeoutsOf(options.limits);
  const plain = createServer(timeouts);
  const secure = certificates && createTlsServer(timeouts);
  const servers: Server[] = secure ? [plain, secure.server] : [plain];
  for (const server of servers) handshakes.watch(server);
  connections.guard(plain, (firstByte) => (firstByte === TLS_HANDSHAKE ? secure?.server : plain));
  let keeper: CertificateKeeper | undefined;
  const close = async (): Promise<void> => {
    keeper?.close();
    const closed = servers.map(stop);
    connections.destroyAll();
    await Promise.all(closed);
  };
  try {
    const url = `ws://${host}:${await listen(plain, host, options.wsPort)}/ws`;
    let secureUrl: string | undefined;
    if (secure) {
      connections.guard(secure.server, (firstByte, socket) => {
        if (!isLetter(firstByte)) return secure.server;
        handshakes.expectTlsOf(socket);
        return plain;
      });
      keeper = new CertificateKeeper({
        source: certificates,
        use: (them) => secure.use(them),
        everyMs: options.certificatesEveryMs ?? CHECK_INTERVAL_MS,
        log,
      });
      await keeper.start();
      secureUrl = `wss://${host}:${await listen(secure.server, host, options.wssPort)}/ws`;
    }
    return {
      url,
      secureUrl,
      certificateExpiresAtMs: () => keeper?.expiresAtMs ?? NaN,
      refuseAll: () => handshakes.close(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** An HTTP request begins with its method. */
function isLetter(byte: number): boolean {
  return /[A-Za-z]/.test(String.fromCharCode(byte));
}

/** Node's defaults let a client that sends nothing, or one byte at a time, stay for 90 s, or 120 s with TLS. */
function timeoutsOf({ handshakeMs }: GatewayLimits): ServerOptions & { handshakeTimeout: number } {
  return {
    handshakeTimeout: handshakeMs,
    headersTimeout: handshakeMs,
    requestTimeout: handshakeMs,
    connectionsCheckingInterval: Math.min(1000, handshakeMs),
  };
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
  await new Promise((resolve) => server.close(resolve));
}
