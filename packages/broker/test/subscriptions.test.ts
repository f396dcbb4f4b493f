import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { BrokerClient, startEmbeddedBroker } from '../src/index.ts';

const SUBSCRIBE = 8;
const UNSUBSCRIBE = 10;
const STATIONS = 1000;

const opened: { close(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

interface Packet {
  type: number;
  bytes: number;
}

/** A proxy to a broker that records the packets to the broker. */
async function watchedBroker(): Promise<{ url: string; packets: Packet[]; cut(): void }> {
  const broker = await startEmbeddedBroker();
  opened.push(broker);
  const packets: Packet[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(new URL(broker.url).port), '127.0.0.1');
    let rest = Buffer.alloc(0);
    near.on('data', (data) => {
      rest = Buffer.concat([rest, data]);
      for (let packet = firstOf(rest); packet; packet = firstOf(rest)) {
        packets.push(packet);
        rest = rest.subarray(packet.bytes);
      }
    });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  opened.push({
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return { url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, packets, cut };
}

/** The packet at the start of a buffer, once it is complete (MQTT 2.2). */
function firstOf(buffer: Buffer): Packet | undefined {
  let length = 0;
  for (let i = 1; i <= 4; i++) {
    const byte = buffer[i];
    if (byte === undefined) return undefined;
    length += (byte & 127) << (7 * (i - 1));
    if (byte >= 128) continue;
    const bytes = 1 + i + length;
    return buffer.length >= bytes ? { type: (buffer[0] ?? 0) >> 4, bytes } : undefined;
  }
  return undefined;
}

test('topics are subscribed and unsubscribed in groups, and again after the broker was lost', async () => {
  const { url, packets, cut } = await watchedBroker();
  const received = new Set<string>();
  let onReady: () => void = () => {};
  const isReady = (): Promise<void> => new Promise((resolve) => (onReady = resolve));
  const first = isReady();
  const client = new BrokerClient({
    url,
    clientId: 'gw',
    filters: ['end'],
    onMessage: (topic) => {
      received.add(topic);
      onMessage();
    },
    onConnect: () => onReady(),
  });
  let onMessage: () => void = () => {};
  const receipt = (topic: string): Promise<void> =>
    new Promise((resolve) => (onMessage = () => received.has(topic) && resolve()));
  opened.push(client);
  await first;

  const topics = Array.from({ length: STATIONS }, (_, i) => `cs/out/ocpp1.6/station-${i}`);
  const count = (type: number): Packet[] => packets.splice(0).filter((packet) => packet.type === type);
  count(SUBSCRIBE);
  await Promise.all(topics.map((topic) => client.subscribe([topic])));
  const subscribed = count(SUBSCRIBE);
  expect(subscribed.length).toBeLessThanOrEqual(STATIONS / 100 + 1);

  const again = isReady();
  cut();
  await again;
  const renewed = count(SUBSCRIBE);
  expect(renewed.length).toBeLessThanOrEqual(STATIONS / 100 + 1);
  for (const { bytes } of [...subscribed, ...renewed]) expect(bytes).toBeLessThan(16_384);

  // Half are unsubscribed, and every other one of them is subscribed again before the broker has received the change.
  const left = topics.slice(0, STATIONS / 2);
  const changes = left.map((topic) => client.unsubscribe([topic]));
  const back = left.filter((_, i) => i % 2 === 0);
  changes.push(...back.map((topic) => client.subscribe([topic])));
  await Promise.all(changes);
  expect(count(UNSUBSCRIBE).length).toBeLessThanOrEqual(STATIONS / 100 + 1);

  const end = receipt('end');
  for (const topic of [...topics, 'end']) client.publish(topic, '');
  await end;
  const desired = [...topics.slice(STATIONS / 2), ...back, 'end'];
  expect([...received].sort()).toEqual(desired.sort());
});
