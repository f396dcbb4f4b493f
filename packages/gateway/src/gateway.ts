import type { Log } from '@evander/process';
import { Connections } from './connections.ts';
import type { CredentialSource } from './credentials.ts';
import { GatewayMetrics } from './metrics.ts';
import { startStationServer } from './station-server.ts';
import { startStatusServer } from './status-server.ts';
import { TurnedAwayReports } from './turned-away.ts';

export interface GatewayOptions {
  host: string;
  /** 0 for a free one. */
  wsPort: number;
  /** 0 for a free one. */
  statusPort: number;
  mqttUrl: string;
  mqttPrefix: string;
  credentialsOf: CredentialSource;
  passwordPepper: string;
  maxFrameBytes: number;
  pingMs: number;
  answerTimeoutMs: number;
  drainMs: number;
  /** Waits before an unanswered call is published again, in ms; the last is used from there on. */
  repeatDelaysMs?: readonly number[];
  aliveEveryMs?: number;
  log: Log;
}

export interface Gateway {
  /** Where stations connect; the station's id is to be added. */
  url: string;
  statusUrl: string;
  /** Lets open calls be answered for up to `drainMs`, then closes every socket. */
  close(): Promise<void>;
}

const REPEAT_DELAYS_MS = [3000, 6000, 12_000, 15_000];
const ALIVE_EVERY_MS = 10_000;

/** Starts a gateway. Rejects when a port is taken; a broker or manager that is away is waited for. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { repeatDelaysMs = REPEAT_DELAYS_MS, aliveEveryMs = ALIVE_EVERY_MS } = options;
  const metrics = new GatewayMetrics();
  const connections = new Connections({ ...options, repeatDelaysMs, aliveEveryMs, metrics });
  metrics.watch({
    connections: () => connections.size,
    unansweredCalls: () => connections.unansweredCalls,
    isBrokerConnected: () => connections.road.isReady,
  });
  const leave = async (error: unknown): Promise<never> => {
    await connections.close(0);
    throw error;
  };
  const turnedAway = new TurnedAwayReports((handshakes) =>
    connections.road.tell({ kind: 'turnedAway', handshakes }),
  );
  let isStopping = false;
  const status = await startStatusServer({
    host: options.host,
    port: options.statusPort,
    isReady: () => connections.road.isReady && !isStopping,
    metrics,
  }).catch(leave);
  const stations = await startStationServer({
    ...options,
    port: options.wsPort,
    onSocket: (socket, stationId, remoteAddress) => connections.add(socket, stationId, remoteAddress),
    onTurnedAway: (handshake) => {
      metrics.countRefusal(handshake.status);
      turnedAway.add(handshake);
    },
  }).catch(async (error: unknown) => {
    await status.close();
    return leave(error);
  });
  const pings = setInterval(() => connections.ping(), options.pingMs);
  return {
    url: stations.url,
    statusUrl: status.url,
    close: async () => {
      isStopping = true;
      stations.refuseAll();
      turnedAway.flush();
      await connections.close(options.drainMs);
      clearInterval(pings);
      await Promise.all([stations.close(), status.close()]);
    },
  };
}
