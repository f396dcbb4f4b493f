import { BrokerClient, decodePresence, startEmbeddedBroker } from '@evander/broker';
import type { Connection } from '@evander/broker';
import { expect, test } from '@jest/globals';
import { closeLater, connectStation, openGateway, openManager, openProxy, topics } from './harness.ts';

const STATIONS = 1200;
const stationId = (i: number): string => `${i}`.padStart(48, 'LONG-STATION-ID-');

test('a gateway lists many stations in packets below 256 kB, and again when the broker fails midway', async () => {
  const broker = closeLater(await startEmbeddedBroker());
  const manager = await openManager(broker.url);
  const proxy = await openProxy(broker.url);
  const gateway = await openGateway({ mqttUrl: proxy.url });
  await manager.reported('listing');
  const packets: { bytes: number; kind: string | undefined; connections: Connection[] }[] = [];
  let onPacket: () => void = () => {};
  const watcher = new BrokerClient({
    url: broker.url,
    clientId: 'watcher',
    filters: ['cs/presence/+'],
    onMessage: (_topic, payload) => {
      const presence = decodePresence(payload);
      const connections = presence && 'connections' in presence ? presence.connections : [];
      packets.push({ bytes: payload.length, kind: presence?.kind, connections });
      onPacket();
    },
    onConnect: () => onPacket(),
  });
  closeLater(watcher);
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      onPacket = () => {
        if (holds()) resolve();
      };
      onPacket();
    });
  await until(() => watcher.isReady);
  const reported = (kind: string): string[] =>
    packets
      .filter((packet) => packet.kind === kind)
      .flatMap(({ connections }) => connections.map((one) => one.stationId));
  for (let i = 0; i < STATIONS; i += 50)
    await Promise.all(Array.from({ length: 50 }, (_, k) => connectStation(gateway, stationId(i + k))));
  await until(() => reported('connected').length === STATIONS);
  // Connections at the same time were reported together.
  expect(packets.length).toBeLessThan(STATIONS / 4);

  packets.length = 0;
  manager.publish(topics.presenceRequest, '');
  await until(() => reported('listing').length === STATIONS);
  expect(new Set(reported('listing')).size).toBe(STATIONS);
  expect(packets.filter(({ kind }) => kind === 'listing').length).toBeGreaterThan(1);
  expect(Math.max(...packets.map(({ bytes }) => bytes))).toBeLessThan(256_000);

  proxy.hold();
  manager.publish(topics.presenceRequest, '');
  await manager.presence.first(() => true);
  packets.length = 0;
  proxy.cut();
  await until(() => packets.some(({ kind }) => kind === 'gone'));
  await until(() => new Set(reported('listing')).size === STATIONS);
  const station = await connectStation(gateway, 'CP1');
  expect(await station.call('Heartbeat')).toEqual([3, 'test-1', { status: 'Accepted' }]);
}, 60_000);
