import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { Connection } from '../src/connection/connection.ts';
import { Random } from '../src/runtime/random.ts';
import { closeLater } from './setup.ts';

test('a handshake that the station itself aborts is not reported as failed or refused', async () => {
  const sockets: Socket[] = [];
  // It never answers a handshake.
  const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  closeLater({ close: async () => void server.close() });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connection = new Connection({
    handshake: () => ({ url: `ws://127.0.0.1:${port}/ws`, headers: {}, tls: {} }),
    reconnect: { minMs: 1, maxMs: 1 },
    random: new Random(1),
    subprotocols: ['ocpp1.6'],
    perMessageDeflate: false,
    autoPong: true,
  });
  const events: string[] = [];
  for (const event of ['failed', 'refused'] as const) connection.on(event, () => events.push(event));

  const first = connection.connect({ keepTrying: true });
  await once(server, 'connection');
  await connection.disconnect();
  await first;
  expect(events).toEqual([]);

  const later = connection.connect({ keepTrying: true });
  await once(server, 'connection');
  sockets.at(-1)?.destroy();
  await once(server, 'connection');
  expect(events).toEqual(['failed', 'refused']);
  await connection.disconnect();
  await later;
  expect(events).toEqual(['failed', 'refused']);
});
