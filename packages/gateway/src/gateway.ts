import type { Connection as AnnouncedConnection } from '@evander/broker';
import type { Log } from '@evander/process';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { CLOSE, Connection } from './connection.ts';
import type { CredentialSource } from './credentials.ts';
import { admit, Refusal } from './handshake.ts';
import { Road } from './road.ts';
import { startStatusServer } from './status-server.ts';
import { TurnedAwayReports } from './turned-away.ts';
import { UnsettledResults } from './unsettled-results.ts';

export interface GatewayOptions {
  host: string;
  /** 0 for a free one. */
  wsPort: number;
  statusPort: number;
  mqttUrl: string;
  mqttPrefix: string;
  credentialsOf: CredentialSource;
  passwordPepper: string;
  maxFrameBytes: number;
  pingMs: number;
  answerTimeoutMs: number;
  drainMs: number;
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

/** Starts a gateway. Rejects when a port is taken; a broker or manager that is away is waited for. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { log, repeatDelaysMs = REPEAT_DELAYS_MS } = options;
  const connections = new Map<string, Connection>();
  let draining = false;

  const road = new Road({
    mqttUrl: options.mqttUrl,
    mqttPrefix: options.mqttPrefix,
    onEnvelope: (stationId, envelope) => connections.get(stationId)?.onEnvelope(envelope),
    onSettled: (stationId, id) => unsettled.settle(stationId, id),
    onConnectedElsewhere: ({ stationId, connectionId }) => {
      const ours = connections.get(stationId);
      if (ours && ours.connectionId < connectionId) replace(ours);
    },
    onReady: () => {
      for (const connection of connections.values()) connection.publishAgain();
      unsettled.publishAgain();
    },
    connections: () => [...connections.values()].map(announced),
    aliveEveryMs: options.aliveEveryMs ?? 10_000,
    log,
  });
  const unsettled = new UnsettledResults({
    publish: (stationId, payload) => road.publishIn(stationId, payload),
    repeatDelaysMs,
  });
  const turnedAway = new TurnedAwayReports((handshakes) => road.tell({ kind: 'turnedAway', handshakes }));

  const replace = (old: Connection): void => {
    log.info({ stationId: old.stationId }, 'replaced by a newer connection');
    old.close(CLOSE.replaced, 'replaced by a newer connection');
    forget(old);
  };

  // The late close of a replaced socket changes nothing: only the connection that counts is forgotten.
  const forget = (connection: Connection): void => {
    const { stationId } = connection;
    if (connections.get(stationId) !== connection) return;
    connections.delete(stationId);
    road
      .leave(stationId)
      .catch((error: unknown) => log.warn({ stationId, err: error }, 'unsubscribing failed'));
    road.tell({ kind: 'disconnected', connections: [announced(connection)] });
  };

  const onSocket = async (socket: WebSocket, stationId: string, remoteAddress: string): Promise<void> => {
    const connectionId = road.clock.next();
    const connectionLog = log.child({ stationId, connectionId });
    const older = connections.get(stationId);
    socket.pause();
    const connection = new Connection(socket, {
      stationId,
      connectionId,
      remoteAddress,
      publishCall: (payload) => road.publishIn(stationId, payload),
      publishResult: (id, payload) => unsettled.add(stationId, id, payload),
      onUnreadable: (frame) => road.tell({ kind: 'unreadable', frames: [frame] }),
      repeatDelaysMs,
      answerTimeoutMs: options.answerTimeoutMs,
      log: connectionLog,
    });
    socket.on('close', (code) => {
      connectionLog.info({ code }, 'disconnected');
      forget(connection);
    });
    if (older) replace(older);
    connections.set(stationId, connection);
    connectionLog.info({ remoteAddress }, 'connected');
    road.tell({ kind: 'connected', connections: [announced(connection)] });
    try {
      await road.open(stationId);
    } catch (error) {
      // Subscriptions are renewed when the broker is back, and unanswered calls are published again.
      connectionLog.warn({ err: error }, 'subscribing failed');
    }
    socket.resume();
  };

  const server = createServer((_request, response) => {
    response.writeHead(426, { 'content-type': 'text/plain', upgrade: 'websocket' });
    response.end('Stations connect here by WebSocket: /ws/<station id>, subprotocol ocpp1.6\n');
  });
  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.maxFrameBytes,
    perMessageDeflate: false,
    handleProtocols: () => 'ocpp1.6',
  });
  webSockets.on('wsClientError', (error, socket) => {
    log.warn({ err: error }, 'broken handshake');
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });

  const onUpgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const remoteAddress = request.socket.remoteAddress ?? '';
    const outcome = draining
      ? new Refusal(503, 'the gateway is stopping', { headers: { 'Retry-After': '1' } })
      : await admit(request, options);
    if (socket.destroyed) return;
    if (outcome instanceof Refusal) {
      const { status, reason, stationId } = outcome;
      log.warn({ stationId, status, reason, remoteAddress, url: request.url?.slice(0, 300) }, 'turned away');
      if (!draining)
        turnedAway.add({ stationId, status, reason, remoteAddress, at: new Date().toISOString() });
      refuse(socket, outcome);
      return;
    }
    (socket as Socket).setNoDelay(true);
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      onSocket(webSocket, outcome, remoteAddress).catch((error: unknown) => {
        log.error({ err: error, stationId: outcome }, 'opening a connection failed');
        webSocket.terminate();
      });
    });
  };
  server.on('upgrade', (request, socket: Duplex, head) => {
    socket.on('error', (error) => log.debug({ err: error }, 'socket error in handshake'));
    onUpgrade(request, socket, head).catch((error: unknown) => {
      log.error({ err: error }, 'handshake failed');
      refuse(socket, new Refusal(500, 'internal error'));
    });
  });

  await listen(server, options.wsPort, options.host);
  const status = await startStatusServer({
    host: options.host,
    port: options.statusPort,
    isReady: () => road.isReady && !draining,
    connectionCount: () => connections.size,
  });
  const pings = setInterval(() => {
    for (const connection of connections.values()) connection.ping();
  }, options.pingMs);

  return {
    url: `ws://${options.host}:${(server.address() as AddressInfo).port}/ws`,
    statusUrl: status.url,
    close: async () => {
      draining = true;
      server.close();
      const drained = Promise.all([...connections.values()].map((connection) => connection.drain()));
      await Promise.race([drained, delay(options.drainMs)]);
      clearInterval(pings);
      for (const connection of connections.values()) connection.close(CLOSE.restart, 'the gateway restarts');
      turnedAway.flush();
      unsettled.close();
      await Promise.all([allGone(connections), status.close()]);
      await road.close();
      server.closeAllConnections();
    },
  };
}

function announced({ stationId, connectionId, remoteAddress, connectedAt }: Connection): AnnouncedConnection {
  return { stationId, connectionId, remoteAddress, connectedAt };
}

function refuse(socket: Duplex, { status, reason, headers }: Refusal): void {
  if (!socket.writable) return;
  const lines = Object.entries({
    ...headers,
    Connection: 'close',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(reason)),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_TEXTS[status] ?? 'Refused'}\r\n${lines.join('')}\r\n${reason}`);
}

const STATUS_TEXTS: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

async function listen(server: ReturnType<typeof createServer>, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}

async function allGone(connections: Map<string, Connection>): Promise<void> {
  for (let waitedMs = 0; connections.size > 0 && waitedMs < 2500; waitedMs += 20) await delay(20);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
