import { startEmbeddedBroker } from '@evander/broker';
import type { CallEnvelope } from '@evander/broker';
import { hashStationPassword } from '@evander/process';
import { describe, expect, test } from '@jest/globals';
import { RPCClient } from 'ocpp-rpc';
import {
  accept,
  closeLater,
  connectStation,
  credentials,
  Feed,
  openStage,
  PEPPER,
  portOf,
} from './harness.ts';
import type { Stage } from './harness.ts';

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

test("a call is published as MaEVe's envelope, with its connection and the time it was read", async () => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  await station.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'ü' });
  // Until the first call is answered, managers may not know the connection.
  await station.call('Heartbeat');
  const { connections } = await manager.reported('connected');
  expect(manager.calls.items[1]?.envelope).not.toHaveProperty('connection');
  expect(manager.calls.items.slice(0, 1)).toEqual([
    {
      stationId: 'CP1',
      envelope: {
        type: 2,
        id: 'test-1',
        action: 'BootNotification',
        request: { chargePointVendor: 'V', chargePointModel: 'ü' },
        connection_id: connections[0]?.connectionId,
        received_at: expect.stringMatching(RFC3339),
        connection: connections[0],
      },
    },
  ]);
});

test('an answer reaches the station as a CALLRESULT', async () => {
  const { gateway, manager } = await openStage();
  manager.answerer = ({ id, action }) => ({ type: 3, id, action, response: { currentTime: 'now', a: [1] } });
  const station = await connectStation(gateway);
  expect(await station.call('Heartbeat')).toEqual([3, 'test-1', { currentTime: 'now', a: [1] }]);
});

test.each([
  [{ error_description: 'why', error_details: { at: 1 } }, 'why', { at: 1 }],
  [{ error_description: '' }, '', {}],
])(
  'an error reaches the station as a CALLERROR of five elements: %j',
  async (error, description, details) => {
    const { gateway, manager } = await openStage();
    manager.answerer = ({ id, action }) => ({ type: 4, id, action, error_code: 'NotImplemented', ...error });
    const station = await connectStation(gateway);
    expect(await station.call('Nonsense')).toEqual([4, 'test-1', 'NotImplemented', description, details]);
  },
);

test('a numeric id is answered with the same number', async () => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  station.send('[2, 17, "Heartbeat", {}]');
  station.send('[2, "17", "Heartbeat", {}]');
  const frames = await station.frames.count(2);
  expect(frames.map(([, id]) => id)).toEqual([17, '17']);
  expect(manager.calls.items.map(({ envelope }) => envelope.id)).toEqual(['17', '17']);
});

test('an unanswered call is published again, unchanged, until it is answered', async () => {
  const { gateway, manager } = await openStage();
  manager.answerer = () => undefined;
  const station = await connectStation(gateway);
  station.send([2, '1', 'StartTransaction', { idTag: 'A' }]);
  const published = await manager.calls.count(4);
  expect(new Set(published.map((call) => JSON.stringify(call))).size).toBe(1);
  const { envelope } = published[0]!;
  manager.answerer = accept;
  manager.send('CP1', accept(envelope, 'CP1')!);
  expect(await station.frames.count(1)).toEqual([[3, '1', { status: 'Accepted' }]]);
  const before = manager.calls.items.filter((call) => call.envelope.id === '1').length;
  // After two repetition intervals it has not been published again.
  manager.answerer = (call) => (call.action === 'Heartbeat' ? undefined : accept(call, 'CP1'));
  station.send([2, '2', 'Heartbeat', {}]);
  await manager.calls.count(before + 4);
  const after = manager.calls.items.filter((call) => call.envelope.id === '1').length;
  expect(after).toBe(before);
});

test('an answer after many repeats is still delivered', async () => {
  const { gateway, manager } = await openStage({ repeatDelaysMs: [5, 10] });
  manager.answerer = () => undefined;
  const station = await connectStation(gateway);
  station.send([2, '1', 'Heartbeat', {}]);
  const calls = await manager.calls.count(25);
  manager.send('CP1', accept(calls[0]!.envelope, 'CP1')!);
  expect(await station.frames.count(1)).toEqual([[3, '1', { status: 'Accepted' }]]);
});

test('a second answer is dropped', async () => {
  const { gateway, manager } = await openStage();
  manager.answerer = (call, stationId) => {
    manager.send(stationId, accept(call, stationId)!);
    return accept(call, stationId);
  };
  const station = await connectStation(gateway);
  for (let i = 0; i < 5; i++) await station.call('Heartbeat');
  expect(station.frames.items.map(([, id]) => id)).toEqual([1, 2, 3, 4, 5].map((i) => `test-${i}`));
});

test.each<[string, (call: CallEnvelope) => object]>([
  ['with another time', () => ({ received_at: '2020-01-01T00:00:00.000Z' })],
  ['to another action', () => ({ action: 'StatusNotification' })],
  ['with another id', () => ({ id: 'other' })],
])('an answer %s does not answer the open call', async (_name, differing) => {
  const { gateway, manager } = await openStage();
  manager.answerer = (call, stationId) => {
    const right = accept(call, stationId)!;
    manager.send(stationId, { ...right, response: { wrong: true }, ...differing(call) } as typeof right);
    return right;
  };
  const station = await connectStation(gateway);
  expect(await station.call('Heartbeat')).toEqual([3, 'test-1', { status: 'Accepted' }]);
  await station.call('Heartbeat');
  expect(station.frames.items).toHaveLength(2);
});

test("an answer without a time is accepted, as MaEVe's manager sends it", async () => {
  const { gateway, manager } = await openStage();
  manager.answerer = ({ id, action }) => ({ type: 3, id, action, response: {} });
  const station = await connectStation(gateway);
  expect(await station.call('Heartbeat')).toEqual([3, 'test-1', {}]);
});

test('messages that are not envelopes have no effect', async () => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  for (const text of ['', 'null', '[]', '{"type":3}', 'x'.repeat(1000)])
    manager.publish('cs/out/ocpp1.6/CP1', text);
  expect(await station.call('Heartbeat')).toEqual([3, 'test-1', { status: 'Accepted' }]);
});

test('calls sent without waiting are forwarded one at a time and answered in order', async () => {
  const { gateway, manager } = await openStage();
  let open = 0;
  let mostOpen = 0;
  manager.answerer = (call, stationId) => {
    mostOpen = Math.max(mostOpen, ++open);
    setImmediate(() => {
      open--;
      manager.send(stationId, accept(call, stationId)!);
    });
    return undefined;
  };
  const station = await connectStation(gateway);
  const ids = Array.from({ length: 20 }, (_, i) => `${i}`);
  for (const id of ids) station.send([2, id, 'MeterValues', { n: id }]);
  const frames = await station.frames.count(20);
  expect(frames.map(([, id]) => id)).toEqual(ids);
  expect(manager.calls.items.map(({ envelope }) => envelope.id)).toEqual(ids);
  expect(mostOpen).toBe(1);
});

test('the same call, repeated while it is open, is answered once', async () => {
  const { gateway, manager } = await openStage();
  manager.answerer = () => undefined;
  const station = await connectStation(gateway);
  station.send([2, '1', 'StartTransaction', { idTag: 'A' }]);
  station.send([2, '1', 'StartTransaction', { idTag: 'A' }]);
  await manager.calls.count(1);
  manager.answerer = accept;
  await station.call('Heartbeat');
  expect(station.frames.items.map(([type, id]) => [type, id])).toEqual([
    [3, '1'],
    [3, 'test-1'],
  ]);
});

test.each([[[2, '1', 'StartTransaction', { idTag: 'B' }]], [[2, '1', 'StopTransaction', { idTag: 'A' }]]])(
  'another call with the id of an open one gets a GenericError: %j',
  async (other) => {
    const { gateway, manager } = await openStage();
    manager.answerer = () => undefined;
    const station = await connectStation(gateway);
    station.send([2, '1', 'StartTransaction', { idTag: 'A' }]);
    station.send(other);
    expect(await station.frames.count(1)).toEqual([[4, '1', 'GenericError', expect.any(String), {}]]);
    manager.answerer = accept;
    expect((await station.frames.count(2))[1]).toEqual([3, '1', { status: 'Accepted' }]);
    expect(new Set(manager.calls.items.map(({ envelope }) => JSON.stringify(envelope.request)))).toEqual(
      new Set(['{"idTag":"A"}']),
    );
  },
);

test('an id may be reused once its call is answered', async () => {
  const { gateway } = await openStage();
  const station = await connectStation(gateway);
  for (let i = 1; i <= 3; i++) {
    station.send([2, '1', 'Heartbeat', {}]);
    await station.frames.count(i);
  }
  expect(station.frames.items).toHaveLength(3);
});

test('a call that is open during a broker restart is answered afterwards', async () => {
  const { broker, gateway, manager } = await openStage();
  manager.answerer = () => undefined;
  const station = await connectStation(gateway);
  station.send([2, '1', 'StopTransaction', { transactionId: 1 }]);
  await manager.calls.count(1);
  await broker.close();
  manager.answerer = accept;
  closeLater(await startEmbeddedBroker({ port: portOf(broker.url) }));
  expect(await station.frames.count(1)).toEqual([[3, '1', { status: 'Accepted' }]]);
  expect(await station.call('Heartbeat')).toEqual([3, 'test-1', { status: 'Accepted' }]);
});

test('a station that connects while the broker is away is served when it is back', async () => {
  const { broker, gateway, manager } = await openStage();
  await broker.close();
  const station = await connectStation(gateway);
  station.send([2, '1', 'Heartbeat', {}]);
  closeLater(await startEmbeddedBroker({ port: portOf(broker.url) }));
  expect(await station.frames.count(1)).toEqual([[3, '1', { status: 'Accepted' }]]);
  await manager.reported('listing', ({ connections }) => connections.length === 1);
});

test('a flood is held back at its sender, and another station is served meanwhile', async () => {
  const { gateway, manager } = await openStage({ limits: { bytesPerSecond: 2 ** 26 } });
  manager.answerer = (call, stationId) => (stationId === 'flood' ? undefined : accept(call, stationId));
  const flood = await connectStation(gateway, 'flood');
  const other = await connectStation(gateway, 'other');
  const ids = Array.from({ length: 300 }, (_, i) => `${i}`);
  const data = 'x'.repeat(64 * 1024);
  for (const id of ids) flood.send([2, id, 'DataTransfer', { vendorId: 'V', data }]);
  await manager.calls.first(({ stationId }) => stationId === 'flood');
  for (let i = 0; i < 20; i++) await other.call('Heartbeat');
  // More than the kernel and the gateway's short queue hold.
  expect(flood.socket.bufferedAmount).toBeGreaterThan(1024 * 1024);
  manager.answerer = accept;
  const frames = await flood.frames.count(300);
  expect(frames.map(([, id]) => id)).toEqual(ids);
  const order = manager.calls.items.flatMap(({ stationId, envelope }) =>
    stationId === 'flood' ? [Number(envelope.id)] : [],
  );
  expect([...order].sort((a, b) => a - b)).toEqual(order);
});

test('a third-party station with a binary password sends and answers calls', async () => {
  const password = Buffer.from('0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF', 'hex');
  const { gateway, manager } = await openStage({
    credentialsOf: async (stationId) =>
      credentials(stationId, {
        securityProfile: 1,
        passwordHashes: [hashStationPassword(password, stationId, PEPPER)],
      }),
  });
  manager.answerer = (call, stationId) =>
    call.action === 'DataTransfer'
      ? { type: 4, id: call.id, action: call.action, error_code: 'NotSupported', error_description: 'no' }
      : accept(call, stationId);
  const options = { endpoint: gateway.url, identity: 'AL1000', protocols: ['ocpp1.6'], password };
  // Its types require every option, its documentation only these.
  const station = new RPCClient({ ...options, reconnect: false } as unknown as ConstructorParameters<
    typeof RPCClient
  >[0]);
  closeLater({ close: async () => void (await station.close({ force: true }).catch(() => {})) });
  const reset = new Feed<unknown>('Reset');
  station.handle('Reset', async ({ params }) => {
    reset.add(params);
    return { status: 'Accepted' };
  });
  await station.connect();
  expect(await station.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' })).toEqual({
    status: 'Accepted',
  });
  await expect(station.call('DataTransfer', { vendorId: 'V' })).rejects.toMatchObject({
    rpcErrorCode: 'NotSupported',
  });
  manager.send('AL1000', { type: 2, id: 'c1', action: 'Reset', request: { type: 'Soft' } });
  expect(await reset.count(1)).toEqual([{ type: 'Soft' }]);
  const [{ envelope } = { envelope: undefined }] = await manager.results.count(1);
  expect(envelope).toMatchObject({ type: 3, id: 'c1', action: 'Reset', response: { status: 'Accepted' } });
});

describe('while no manager answers', () => {
  const silent = (): Promise<Stage> =>
    openStage({ failFastMs: 300, repeatDelaysMs: [50, 100] }).then((stage) => {
      stage.manager.answerer = () => undefined;
      return stage;
    });
  test.each(['Authorize', 'BootNotification', 'DataTransfer'])(
    '%s is answered with InternalError in time, once, and a late answer is dropped',
    async (action) => {
      const { gateway, manager } = await silent();
      const station = await connectStation(gateway);
      station.send([2, '1', action, {}]);
      const [received] = await manager.calls.count(1);
      expect(await station.frames.count(1)).toEqual([[4, '1', 'InternalError', expect.any(String), {}]]);
      manager.send('CP1', accept(received!.envelope, 'CP1')!);
      manager.answerer = accept;
      expect(await station.call('Heartbeat')).toEqual([3, 'test-1', { status: 'Accepted' }]);
      expect(station.frames.items).toHaveLength(2);
    },
  );

  test.each([
    'StartTransaction',
    'StopTransaction',
    'MeterValues',
    'StatusNotification',
    'SecurityEventNotification',
    'Heartbeat',
    'Nonsense',
  ])('%s waits, and a call that fails fast behind it does not', async (action) => {
    const { gateway, manager } = await silent();
    const station = await connectStation(gateway);
    station.send([2, '1', action, {}]);
    station.send([2, '2', 'Authorize', {}]);
    station.send([2, '3', 'StopTransaction', {}]);
    expect(await station.frames.count(1)).toEqual([[4, '2', 'InternalError', expect.any(String), {}]]);
    // The first is published again and answered when a manager is there; the others keep their order.
    manager.answerer = accept;
    const [, ...answered] = await station.frames.count(3);
    expect(answered.map(([type, id]) => [type, id])).toEqual([
      [3, '1'],
      [3, '3'],
    ]);
    expect(manager.calls.items.some(({ envelope }) => envelope.id === '2')).toBe(false);
  });
});
