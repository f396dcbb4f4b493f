import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import {
  accept,
  connectDeafStation,
  connectStation,
  credentials,
  handshake,
  openStage,
  portOf,
} from './harness.ts';

test('closing waits until open calls are answered, then closes with 1012', async () => {
  const { gateway, manager } = await openStage({ drainMs: 20_000 });
  manager.answerer = () => undefined;
  const station = await connectStation(gateway);
  station.send([2, '1', 'StopTransaction', {}]);
  station.send([2, '2', 'MeterValues', {}]);
  await manager.calls.count(1);
  const closed = gateway.close();
  manager.answerer = accept;
  expect((await station.closed).code).toBe(1012);
  expect(station.frames.items.map(([type, id]) => [type, id])).toEqual([
    [3, '1'],
    [3, '2'],
  ]);
  await closed;
});

test('closing accepts no new call and no new command while it waits', async () => {
  const { gateway, manager } = await openStage({ drainMs: 20_000 });
  manager.answerer = () => undefined;
  const station = await connectStation(gateway);
  station.send([2, '1', 'StopTransaction', {}]);
  await manager.calls.count(1);
  const closed = gateway.close();
  station.send([2, '2', 'MeterValues', {}]);
  manager.send('CP1', { type: 2, id: 'c1', action: 'Reset', request: {} });
  await manager.calls.count(3);
  // The pong follows the call: the gateway has read both.
  station.socket.ping();
  await once(station.socket, 'pong');
  manager.answerer = accept;
  await closed;
  expect((await station.closed).code).toBe(1012);
  expect(station.frames.items.map(([, id]) => id)).toEqual(['1']);
  expect(new Set(manager.calls.items.map(({ envelope }) => envelope.id))).toEqual(new Set(['1']));
});

test('a result that arrives during closing is still published', async () => {
  const { gateway, manager } = await openStage({ drainMs: 20_000 });
  manager.answerer = () => undefined;
  const station = await connectStation(gateway);
  manager.send('CP1', { type: 2, id: 'c1', action: 'Reset', request: {} });
  await station.frames.count(1);
  station.send([2, '1', 'StopTransaction', {}]);
  await manager.calls.count(1);
  const closed = gateway.close();
  station.send([3, 'c1', { status: 'Accepted' }]);
  await manager.results.count(1);
  manager.answerer = accept;
  await closed;
});

test('a station that connects during closing is sent elsewhere and not reported', async () => {
  const { gateway, manager } = await openStage({ drainMs: 20_000 });
  manager.answerer = () => undefined;
  const station = await connectStation(gateway);
  station.send([2, '1', 'StopTransaction', {}]);
  await manager.calls.count(1);
  const closed = gateway.close();
  const { status, headers } = await handshake(gateway, '/ws/CP2');
  expect(status).toBe(503);
  expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  const health = await fetch(`${gateway.statusUrl}/health/ready`, { headers: { connection: 'close' } });
  expect(health.status).toBe(503);
  await health.body?.cancel();
  manager.answerer = accept;
  await closed;
  await manager.reported('gone');
  expect(manager.presence.items.some(({ presence }) => presence.kind === 'rejected')).toBe(false);
});

test('a handshake in progress when closing begins is sent elsewhere too', async () => {
  let knocked: () => void = () => {};
  const knock = new Promise<void>((resolve) => (knocked = resolve));
  let letIn: () => void = () => {};
  const mayEnter = new Promise<void>((resolve) => (letIn = resolve));
  const { gateway } = await openStage({
    credentialsOf: async (stationId) => {
      knocked();
      await mayEnter;
      return credentials(stationId);
    },
  });
  const answer = handshake(gateway, '/ws/CP1');
  await knock;
  const closed = gateway.close();
  letIn();
  expect((await answer).status).toBe(503);
  await closed;
});

test('an unanswered call does not delay closing beyond the drain time', async () => {
  const { gateway, manager } = await openStage({ drainMs: 50 });
  manager.answerer = () => undefined;
  const station = await connectStation(gateway);
  station.send([2, '1', 'StopTransaction', {}]);
  await manager.calls.count(1);
  await gateway.close();
  expect((await station.closed).code).toBe(1012);
});

test('a station that never closes does not delay closing', async () => {
  const { gateway, manager } = await openStage();
  const deaf = await connectDeafStation(gateway, 'deaf');
  await manager.reported('connected');
  await gateway.close();
  await manager.reported('disconnected');
  deaf.destroy();
});

test('a silent connection does not delay closing', async () => {
  const { gateway } = await openStage();
  const silent = connect({ host: '127.0.0.1', port: portOf(gateway.url), allowHalfOpen: true });
  silent.on('error', () => {});
  await once(silent, 'connect');
  await gateway.close();
  silent.destroy();
});

test('a paused flood does not delay closing', async () => {
  const { gateway, manager } = await openStage({ drainMs: 50 });
  manager.answerer = () => undefined;
  const station = await connectStation(gateway);
  for (let i = 0; i < 300; i++) station.send([2, `${i}`, 'DataTransfer', { data: 'x'.repeat(10_000) }]);
  await manager.calls.count(1);
  await gateway.close();
  expect((await station.closed).code).toBe(1012);
});

test('an unreachable broker does not delay closing', async () => {
  const { broker, gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  await broker.close();
  await manager.away.count(1);
  await gateway.close();
  expect((await station.closed).code).toBe(1012);
});
