import { connect } from 'mqtt';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';

/**
 * The baselines, one process each: `echo <port>` answers on the socket; `relay <port> <mqtt url>` and `answerer <mqtt url>` answer through
 * the broker, with JSON parsed at each end, QoS 0, without checks and without storage.
 */
const [mode = '', ...args] = process.argv.slice(2);

function answerTo(text: string): string {
  const [, id] = JSON.parse(text) as [number, string];
  return JSON.stringify([3, id, { currentTime: new Date().toISOString() }]);
}

function serve(port: number, onFrame: (socket: WebSocket, path: string, text: string) => void): void {
  const server = new WebSocketServer({ port, host: '127.0.0.1', perMessageDeflate: false });
  server.on('connection', (socket, { url = '' }) => {
    socket.on('message', (data: RawData) => onFrame(socket, url, (data as Buffer).toString()));
    socket.on('error', () => socket.terminate());
  });
  server.on('listening', () => console.log('ready'));
}

function openBroker(url: string) {
  const client = connect(url, { protocolVersion: 5 });
  // Otherwise each step waits 40 ms for a delayed acknowledgement.
  client.on('connect', () => (client.stream as unknown as Socket).setNoDelay(true));
  return client;
}

switch (mode) {
  case 'echo':
    serve(Number(args[0]), (socket, _path, text) => socket.send(answerTo(text)));
    break;
  case 'relay': {
    const client = openBroker(args[1] ?? '');
    const sockets = new Map<string, WebSocket>();
    client.on('message', (_topic, payload) => {
      const { station, frame } = JSON.parse(payload.toString()) as { station: string; frame: string };
      sockets.get(station)?.send(frame);
    });
    await client.subscribeAsync('bench/out/#');
    serve(Number(args[0]), (socket, station, text) => {
      sockets.set(station, socket);
      client.publish('bench/in', JSON.stringify({ station, frame: text }));
    });
    break;
  }
  case 'answerer': {
    const client = openBroker(args[0] ?? '');
    client.on('message', (_topic, payload) => {
      const { station, frame } = JSON.parse(payload.toString()) as { station: string; frame: string };
      client.publish('bench/out', JSON.stringify({ station, frame: answerTo(frame) }));
    });
    await client.subscribeAsync('bench/in');
    console.log('ready');
    break;
  }
  default:
    throw new Error(`no such baseline: ${mode}`);
}
