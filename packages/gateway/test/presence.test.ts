import { ConnectionClock, startEmbeddedBroker } from '@evander/broker';
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import {
  closeLater,
  connectStation,
  openGateway,
  openManager,
  openProxy,
  openStage,
  portOf,
  StationSocket,
  topics,
} from './harness.ts';
import type { Manager } from './harness.ts';

/** The kinds of presence about one station's connections, with their ids, in order. */
function story(manager: Manager, stationId: string): [string, string][] {
  return manager.presence.items.flatMap(({ presence }) =>
    presence.kind === 'connected' || presence.kind === 'disconnected'
      ? presence.connections
          .filter((connection) => connection.stationId === stationId)
          .map(({ connectionId }): [string, string] => [presence.kind, connectionId])
      : [],
  );
}

test('connects and disconnects are reported with the same connection', async () => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  station.socket.close();
  const { connections } = await manager.reported('disconnected');
  expect(await manager.reported('connected')).toEqual({ kind: 'connected', connections });
  expect(connections).toEqual([
    {
      stationId: 'CP1',
      connectionId: expect.any(String),
      remoteAddress: '127.0.0.1',
      securityProfile: 0,
      connectedAt: expect.any(String),
    },
  ]);
});

test('a broken socket is reported like a closed one', async () => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  station.socket.terminate();
  await manager.reported('disconnected');
});

test('a listing request returns all connections and an id that is newer than them', async () => {
  const { gateway, manager } = await openStage();
  await connectStation(gateway, 'CP1');
  await connectStation(gateway, 'CP2');
  await manager.reported('connected', ({ connections }) => connections[0]?.stationId === 'CP2');
  manager.publish(topics.presenceRequest, '');
  const { connections, upTo } = await manager.reported('listing', (all) => all.connections.length === 2);
  expect(connections.map(({ stationId }) => stationId)).toEqual(['CP1', 'CP2']);
  expect(connections.every(({ connectionId }) => connectionId < upTo)).toBe(true);
});

test('`alive` messages are sent, and sometimes a full listing', async () => {
  const { gateway, manager } = await openStage({ aliveEveryMs: 10 });
  await connectStation(gateway);
  await manager.reported('alive');
  await manager.reported('listing', (all) => all.connections.length === 1);
});

test('a gateway that is cut off is gone, and lists its connections when it is back', async () => {
  const broker = closeLater(await startEmbeddedBroker());
  const manager = await openManager(broker.url);
  const proxy = await openProxy(broker.url);
  const gateway = await openGateway({ mqttUrl: proxy.url });
  await manager.reported('listing');
  const station = await connectStation(gateway);
  await manager.reported('connected');
  const before = manager.presence.items.length;
  proxy.cut();
  await manager.reported('gone');
  await manager.reported('listing', (all) => all.connections.length === 1);
  expect(manager.presence.items[before]?.presence.kind).toBe('gone');
  expect(await station.call('Heartbeat')).toEqual([3, 'test-1', { status: 'Accepted' }]);
});

test('a closed gateway is gone', async () => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  await manager.reported('connected');
  await gateway.close();
  await manager.reported('gone');
  await station.closed;
  expect(story(manager, 'CP1').map(([kind]) => kind)).toEqual(['connected', 'disconnected']);
  expect(manager.presence.items.at(-1)?.presence.kind).toBe('gone');
});

test('the newest connection of a station wins', async () => {
  const { gateway, manager } = await openStage();
  const old = await connectStation(gateway);
  const young = await connectStation(gateway);
  expect((await old.closed).code).toBe(4001);
  expect(await young.call('Heartbeat')).toEqual([3, 'test-1', { status: 'Accepted' }]);
  manager.send('CP1', { type: 2, id: 'c1', action: 'Reset', request: {} });
  await young.frames.first(([type, id]) => type === 2 && id === 'c1');
  await manager.presence.first(() => story(manager, 'CP1').length === 2);
  // The station is never shown as away.
  const [first, second, ...more] = story(manager, 'CP1');
  expect([first?.[0], second?.[0]]).toEqual(['connected', 'connected']);
  expect(second![1] > first![1]).toBe(true);
  expect(more).toEqual([]);
});

test('a station that reconnects immediately is served', async () => {
  const { gateway } = await openStage();
  for (let i = 0; i < 30; i++) {
    const station = await connectStation(gateway);
    expect((await station.call('Heartbeat'))[0]).toBe(3);
    if (i % 2) station.socket.terminate();
    else station.socket.close();
  }
});

test('a station is served when its disconnect and reconnect reach the broker in one piece', async () => {
  const broker = closeLater(await startEmbeddedBroker());
  const manager = await openManager(broker.url);
  const proxy = await openProxy(broker.url);
  const gateway = await openGateway({ mqttUrl: proxy.url });
  await manager.reported('listing');
  const old = await connectStation(gateway);
  proxy.hold();
  old.socket.terminate();
  const count = async (): Promise<string> => (await fetch(`${gateway.statusUrl}/metrics`)).text();
  while (!(await count()).includes('connections 0')) continue;
  const young = closeLater(new StationSocket(`${gateway.url}/CP1`));
  await once(young.socket, 'open');
  proxy.release();
  expect(await young.call('Heartbeat')).toEqual([3, 'test-1', { status: 'Accepted' }]);
});

test('the late close of a replaced connection changes nothing', async () => {
  const { gateway, manager } = await openStage();
  const old = await connectStation(gateway);
  // It does not complete the close, so the gateway terminates it in the end.
  old.socket.pause();
  const young = await connectStation(gateway);
  await young.call('Heartbeat');
  old.socket.terminate();
  expect((await young.call('Heartbeat'))[0]).toBe(3);
  young.socket.close();
  await manager.reported(
    'disconnected',
    ({ connections }) => connections[0]?.connectionId === story(manager, 'CP1')[1]?.[1],
  );
  expect(story(manager, 'CP1').map(([kind]) => kind)).toEqual(['connected', 'connected', 'disconnected']);
});

test('calls on a replaced connection are not forwarded, but a result is', async () => {
  const { gateway, manager } = await openStage();
  const old = await connectStation(gateway);
  manager.answerer = () => undefined;
  old.send([2, 'open', 'Heartbeat', {}]);
  manager.send('CP1', { type: 2, id: 'c1', action: 'Reset', request: {} });
  await old.frames.count(1);
  await manager.calls.count(1);
  // While paused, it does not see the close and carries on.
  old.socket.pause();
  const young = await connectStation(gateway);
  old.send([2, 'late', 'Heartbeat', {}]);
  old.send('no frame');
  old.send([3, 'c1', {}]);
  await manager.results.count(1);
  const before = manager.calls.items.length;
  young.send([2, 'young', 'Heartbeat', {}]);
  await manager.calls.first(({ envelope }) => envelope.id === 'young');
  await manager.calls.count(before + 4);
  expect(new Set(manager.calls.items.slice(before).map(({ envelope }) => envelope.id))).toEqual(
    new Set(['young']),
  );
  expect(manager.presence.items.some(({ presence }) => presence.kind === 'unreadable')).toBe(false);
});

test('the newest connection wins across two gateways', async () => {
  const { broker, gateway, manager } = await openStage();
  const second = await openGateway({ mqttUrl: broker.url });
  await manager.reported('listing', (_all, id) => id !== manager.presence.items[0]?.gatewayId);
  const old = await connectStation(gateway);
  await manager.reported('connected');
  const young = await connectStation(second);
  expect((await old.closed).code).toBe(4001);
  expect(await young.call('Heartbeat')).toEqual([3, 'test-1', { status: 'Accepted' }]);
  manager.send('CP1', { type: 2, id: 'c1', action: 'Reset', request: {} });
  await young.frames.first(([type, id]) => type === 2 && id === 'c1');
  const back = await connectStation(gateway);
  expect((await young.closed).code).toBe(4001);
  expect(await back.call('Heartbeat')).toEqual([3, 'test-1', { status: 'Accepted' }]);
  expect(back.socket.readyState).toBe(back.socket.OPEN);
  await manager.presence.first(() => story(manager, 'CP1').length === 3);
  expect(story(manager, 'CP1').map(([kind]) => kind)).toEqual(['connected', 'connected', 'connected']);
});

test("the newest connection wins even if its gateway's clock is behind and it starts later", async () => {
  const { broker, gateway, manager } = await openStage();
  // The first gateway observes an id from the future and issues none below it, as if its clock were ahead.
  const ahead = new ConnectionClock('gw-ahead').next(Date.now() + 3_600_000);
  manager.publishAs('gw-ahead', {
    kind: 'connected',
    connections: [{ stationId: 'other', connectionId: ahead, connectedAt: new Date().toISOString() }],
  });
  manager.publish(topics.presenceRequest, '');
  await manager.reported('listing', ({ upTo }) => upTo > ahead);
  const old = await connectStation(gateway);
  await manager.reported('connected', ({ connections }) => connections[0]?.stationId === 'CP1');
  const first = manager.presence.items[0]!.gatewayId;
  const second = await openGateway({ mqttUrl: broker.url });
  // It has requested the others' listings and so learned their ids.
  await manager.reported('listing', ({ upTo }, id) => id !== first && id !== 'gw-ahead' && upTo < ahead);
  await manager.reported('listing', ({ connections }, id) => id === first && connections.length === 1);
  manager.publish(topics.presenceRequest, '');
  await manager.reported('listing', ({ upTo }, id) => id !== first && upTo > ahead);
  const young = await connectStation(second);
  expect((await old.closed).code).toBe(4001);
  expect(await young.call('Heartbeat')).toEqual([3, 'test-1', { status: 'Accepted' }]);
  manager.publish(topics.presenceRequest, '');
  expect(await young.call('Heartbeat')).toEqual([3, 'test-2', { status: 'Accepted' }]);
});

test('the id of an empty listing is observed too', async () => {
  const { manager } = await openStage();
  const upTo = new ConnectionClock('gw-ahead').next(Date.now() + 3_600_000);
  manager.publishAs('gw-ahead', { kind: 'listing', after: '', upTo, connections: [] });
  manager.publish(topics.presenceRequest, '');
  await manager.reported('listing', (all, gatewayId) => gatewayId !== 'gw-ahead' && all.upTo > upTo);
});

test('an older connection elsewhere replaces nothing', async () => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  const { connections } = await manager.reported('connected');
  manager.publishAs('gw-old', {
    kind: 'listing',
    after: '',
    upTo: connections[0]!.connectionId,
    connections: [{ ...connections[0]!, connectionId: new ConnectionClock('gw-old').next(1000) }],
  });
  manager.publish(topics.presence('gw-old'), 'no presence');
  expect(await station.call('Heartbeat')).toEqual([3, 'test-1', { status: 'Accepted' }]);
  expect(station.socket.readyState).toBe(station.socket.OPEN);
});

test('a connection that was replaced elsewhere while the broker was away is closed when the broker is back', async () => {
  const broker = closeLater(await startEmbeddedBroker());
  const manager = await openManager(broker.url);
  const proxy = await openProxy(broker.url);
  const near = await openGateway({ mqttUrl: broker.url });
  const cutOff = await openGateway({ mqttUrl: proxy.url });
  await manager.presence.first(({ gatewayId }) => gatewayId !== manager.presence.items[0]?.gatewayId);
  const old = await connectStation(cutOff);
  await manager.reported('connected');
  proxy.cut();
  await manager.reported('gone');
  const young = await connectStation(near);
  expect((await old.closed).code).toBe(4001);
  expect(await young.call('Heartbeat')).toEqual([3, 'test-1', { status: 'Accepted' }]);
});

test('after a broker restart every connection is announced again', async () => {
  const { broker, gateway, manager } = await openStage();
  await connectStation(gateway);
  await manager.reported('connected');
  await broker.close();
  closeLater(await startEmbeddedBroker({ port: portOf(broker.url) }));
  await manager.ready.count(2);
  manager.publish(topics.presenceRequest, '');
  await manager.reported('listing', ({ connections }) => connections.length === 1);
});
