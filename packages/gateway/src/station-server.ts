import type { TurnedAway } from '@evander/broker';
import type { Log } from '@evander/process';
import { createServer, STATUS_CODES } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { admit, Refusal } from './handshake.ts';
import type { HandshakeOptions } from './handshake.ts';

export interface StationServerOptions extends HandshakeOptions {
  host: string;
  port: number;
  maxFrameBytes: number;
  onSocket(socket: WebSocket, stationId: string, remoteAddress: string): Promise<void>;
  onTurnedAway(handshake: TurnedAway): void;
  log: Log;
}

export interface StationServer {
  url: string;
  /** Lets nobody in any more; open sockets stay. */
  refuseAll(): void;
  close(): Promise<void>;
}

/** Listens for stations and opens a socket for those that pass the handshake. Rejects when the port is taken. */
export async function startStationServer(options: StationServerOptions): Promise<StationServer> {
  const { host, log } = options;
  let refusing = false;
  const server = createServer((_request, response) => {
    response.writeHead(426, { 'content-type': 'text/plain', upgrade: 'websocket', connection: 'upgrade' });
    response.end('Stations connect here by WebSocket: /ws/<station id>, subprotocol ocpp1.6\n');
  });
  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.maxFrameBytes,
    // Stations are small, and compression costs more than it saves (ocppj.md FRM.10).
    perMessageDeflate: false,
    handleProtocols: () => 'ocpp1.6',
  });

  const onUpgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const remoteAddress = request.socket.remoteAddress ?? '';
    const admitted = refusing ? undefined : await admit(request, options);
    if (socket.destroyed) return;
    // Asked once more: whoever passes the ladder while the gateway begins to stop would never be closed.
    const outcome =
      refusing || admitted === undefined
        ? new Refusal(503, 'the gateway is stopping', { headers: { 'Retry-After': '1' } })
        : admitted;
    if (outcome instanceof Refusal) {
      const { status, reason, stationId } = outcome;
      log.warn({ stationId, status, reason, remoteAddress, url: request.url?.slice(0, 300) }, 'turned away');
      if (!refusing)
        options.onTurnedAway({ stationId, status, reason, remoteAddress, at: new Date().toISOString() });
      refuse(socket, outcome);
      return;
    }
    (socket as Socket).setNoDelay(true);
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      options.onSocket(webSocket, outcome, remoteAddress).catch((error: unknown) => {
        log.error({ err: error, stationId: outcome }, 'opening a connection failed');
        webSocket.terminate();
      });
    });
  };

  webSockets.on('wsClientError', (error, socket, request) => {
    log.warn({ err: error, url: request.url?.slice(0, 300) }, 'broken handshake');
    refuse(socket, new Refusal(400, error.message));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', (error) => log.debug({ err: error }, 'socket error in a handshake'));
    onUpgrade(request, socket, head).catch((error: unknown) => {
      log.error({ err: error }, 'handshake failed');
      refuse(socket, new Refusal(500, 'internal error'));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, resolve);
  });
  return {
    url: `ws://${host}:${(server.address() as AddressInfo).port}/ws`,
    refuseAll: () => (refusing = true),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function refuse(socket: Duplex, { status, reason, headers }: Refusal): void {
  if (!socket.writable) return;
  const lines = Object.entries({
    ...headers,
    Connection: 'close',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(reason)),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  // A peer that never closes its half would keep the socket for ever.
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\n${lines.join('')}\r\n${reason}`);
}
