import type { Log } from '@evander/process';
import type { CertificateHeader } from './client-certificate.ts';
import { Connections } from './connections.ts';
import { CredentialMemory } from './credential-memory.ts';
import type { CredentialSource } from './credentials.ts';
import { FailedHandshakes } from './failed-handshakes.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import type { GatewayLimits } from './limits.ts';
import { GatewayMetrics } from './metrics.ts';
import type { CertificateSource } from './server-certificates.ts';
import { GATEWAY_SETTINGS } from './settings.ts';
import { startStationServer } from './station-server.ts';
import { startStatusServer } from './status-server.ts';
import { RejectionReports } from './rejection-reports.ts';

export interface GatewayOptions {
  host: string;
  /** 0 picks a free port. */
  wsPort: number;
  /** 0 picks a free port; unused without certificates. */
  wssPort?: number;
  /** The server's certificates; without them TLS is off. */
  certificates?: CertificateSource;
  /** How often to check whether they are stale. */
  certificatesEveryMs?: number;
  /** Networks and addresses of trusted proxies. */
  trustedProxies?: readonly string[];
  /** Header in which proxies forward the station's certificate; unset: none. */
  clientCertificateHeader?: CertificateHeader | undefined;
  limits?: Partial<GatewayLimits>;
  lowestSecurityProfile?: number;
  /** 0 picks a free port. */
  statusPort: number;
  mqttUrl: string;
  mqttPrefix: string;
  credentialsOf: CredentialSource;
  /** How long remembered credentials stay valid after the managers stop answering. */
  rememberCredentialsMs?: number;
  passwordPepper: string;
  maxFrameBytes: number;
  pingMs: number;
  answerTimeoutMs: number;
  drainMs: number;
  /** Delays before an unanswered call is published again, in ms; the last one repeats. */
  repeatDelaysMs?: readonly number[];
  /** How long calls that fail fast wait for an answer. Default: EVANDER_FAIL_FAST_SECONDS. */
  failFastMs?: number;
  aliveEveryMs?: number;
  log: Log;
}

export interface Gateway {
  /** URL for stations, without the station id. */
  url: string;
  /** The same over TLS; undefined without certificates. */
  secureUrl: string | undefined;
  statusUrl: string;
  /** Waits up to `drainMs` for open calls to be answered, then closes every socket. */
  close(): Promise<void>;
}

const REMEMBER_CREDENTIALS_MS = 24 * 3_600_000;
const REPEAT_DELAYS_MS = [3000, 6000, 12_000, 15_000];
const ALIVE_INTERVAL_MS = 10_000;

/** Starts a gateway. Rejects when a port is taken. Does not wait for the broker or the managers. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const {
    repeatDelaysMs = REPEAT_DELAYS_MS,
    failFastMs = GATEWAY_SETTINGS.failFastSeconds.default * 1000,
    aliveEveryMs = ALIVE_INTERVAL_MS,
  } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const metrics = new GatewayMetrics();
  const connections = new Connections({
    ...options,
    limits,
    repeatDelaysMs,
    failFastMs,
    aliveEveryMs,
    metrics,
  });
  metrics.watch({
    connections: () => connections.size,
    unansweredCalls: () => connections.unansweredCalls,
    isBrokerConnected: () => connections.mqttLink.isReady,
  });
  const closeAndThrow = async (error: unknown): Promise<never> => {
    await connections.close(0);
    throw error;
  };
  const rejected = new RejectionReports((handshakes) =>
    connections.mqttLink.announce({ kind: 'rejected', handshakes }),
  );
  let isStopping = false;
  const status = await startStatusServer({
    host: options.host,
    port: options.statusPort,
    isReady: () => connections.mqttLink.isReady && !isStopping,
    metrics,
  }).catch(closeAndThrow);
  const stations = await startStationServer({
    wssPort: 0,
    trustedProxies: [],
    lowestSecurityProfile: 0,
    ...options,
    limits,
    credentials: new CredentialMemory({
      source: options.credentialsOf,
      rememberMs: options.rememberCredentialsMs ?? REMEMBER_CREDENTIALS_MS,
      waitMs: limits.handshakeMs,
      log: options.log,
    }),
    failedHandshakes: new FailedHandshakes(),
    onSocket: (socket, admission, remoteAddress) => connections.add(socket, admission, remoteAddress),
    onRejected: (handshake) => {
      metrics.countRefusal(handshake.status);
      // Another gateway accepts a station that a stopping gateway rejects: the operator has nothing to fix.
      if (!isStopping) rejected.add(handshake);
    },
    onCut: () => metrics.countCut(),
  }).catch(async (error: unknown) => {
    await status.close();
    return closeAndThrow(error);
  });
  metrics.watchCertificates(() => stations.certificateExpiresAtMs());
  const pings = setInterval(() => connections.ping(), options.pingMs);
  return {
    url: stations.url,
    secureUrl: stations.secureUrl,
    statusUrl: status.url,
    close: async () => {
      isStopping = true;
      stations.refuseAll();
      rejected.flush();
      await connections.close(options.drainMs);
      clearInterval(pings);
      await Promise.all([stations.close(), status.close()]);
    },
  };
}
