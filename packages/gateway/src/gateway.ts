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
  /** 0 for a free one. */
  wsPort: number;
  /** 0 for a free one; unused without certificates. */
  wssPort?: number;
  /** Of the server itself; without them nothing listens for TLS. */
  certificates?: CertificateSource;
  /** How often it is looked whether they are stale. */
  certificatesEveryMs?: number;
  /** Networks and addresses of proxies that are believed. */
  trustedProxies?: readonly string[];
  /** In which they forward the certificate that a station has shown; none when unset. */
  clientCertificateHeader?: CertificateHeader | undefined;
  limits?: Partial<GatewayLimits>;
  lowestSecurityProfile?: number;
  /** 0 for a free one. */
  statusPort: number;
  mqttUrl: string;
  mqttPrefix: string;
  credentialsOf: CredentialSource;
  /** For so long after the managers have stopped answering, stations are let in by what they said before. */
  rememberCredentialsMs?: number;
  passwordPepper: string;
  maxFrameBytes: number;
  pingMs: number;
  answerTimeoutMs: number;
  drainMs: number;
  /** Waits before an unanswered call is published again, in ms; the last is used from there on. */
  repeatDelaysMs?: readonly number[];
  /** How long calls that fail fast wait for their answer; as EVANDER_FAIL_FAST_SECONDS unless told. */
  failFastMs?: number;
  aliveEveryMs?: number;
  log: Log;
}

export interface Gateway {
  /** Where stations connect; the station's id is to be added. */
  url: string;
  /** The same over TLS; undefined without certificates. */
  secureUrl: string | undefined;
  statusUrl: string;
  /** Lets open calls be answered for up to `drainMs`, then closes every socket. */
  close(): Promise<void>;
}

const REMEMBER_CREDENTIALS_MS = 24 * 3_600_000;
const REPEAT_DELAYS_MS = [3000, 6000, 12_000, 15_000];
const ALIVE_INTERVAL_MS = 10_000;

/** Starts a gateway. Rejects when a port is taken; a broker or manager that is away is waited for. */
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
  const leave = async (error: unknown): Promise<never> => {
    await connections.close(0);
    throw error;
  };
  const rejected = new RejectionReports((handshakes) =>
    connections.mqttLink.tell({ kind: 'rejected', handshakes }),
  );
  let isStopping = false;
  const status = await startStatusServer({
    host: options.host,
    port: options.statusPort,
    isReady: () => connections.mqttLink.isReady && !isStopping,
    metrics,
  }).catch(leave);
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
      // A station that meets a stopping gateway is accepted by another one: there is nothing for an operator to fix.
      if (!isStopping) rejected.add(handshake);
    },
    onCut: () => metrics.countCut(),
  }).catch(async (error: unknown) => {
    await status.close();
    return leave(error);
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
