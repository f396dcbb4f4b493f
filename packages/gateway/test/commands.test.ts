import { startEmbeddedBroker } from '@evander/broker';
import type { CallEnvelope } from '@evander/broker';
import { expect, test } from '@jest/globals';
import { closeLater, connectStation, openGateway, openManager, openProxy, openStage } from './harness.ts';

/** A command as Evander's managers publish it: they acknowledge its answer. */
function reset(id: string, more: Partial<CallEnvelope> = {}): CallEnvelope {
  return { type: 2, id, action: 'Reset', request: { type: id }, ack: true, ...more };
}

test('a command reaches the station as a CALL, and its result reaches the managers with its request', async () => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  manager.send('CP1', reset('c1'));
  expect(await station.frames.count(1)).toEqual([[2, 'c1', 'Reset', { type: 'c1' }]]);
  station.send([3, 'c1', { status: 'Accepted' }]);
  const { connections } = await manager.reported('connected');
  expect(await manager.results.count(1)).toEqual([
    {
      stationId: 'CP1',
      envelope: {
        type: 3,
        id: 'c1',
        action: 'Reset',
        request: { type: 'c1' },
        response: { status: 'Accepted' },
        connection_id: connections[0]?.connectionId,
        received_at: expect.any(String),
      },
    },
  ]);
});

test.each([
  [[4, 'c1', 'NotSupported', 'why', { at: 1 }], 'NotSupported', 'why', { at: 1 }],
  [[4, 'c1', 'GenericError'], 'GenericError', '', {}],
])("a station's CALLERROR becomes an error envelope: %j", async (frame, code, description, details) => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  manager.send('CP1', reset('c1'));
  await station.frames.count(1);
  station.send(frame);
  const [result] = await manager.results.count(1);
  expect(result?.envelope).toMatchObject({
    type: 4,
    id: 'c1',
    action: 'Reset',
    request: { type: 'c1' },
    error_code: code,
    error_description: description,
    error_details: details,
  });
});

test.each([
  ['truncated', '[3,"c1",{"a":[]', 'not JSON'],
  ['with a line break in a text', '[3,"c1",{"status":"Acc\nepted"}]', 'not JSON'],
  ['with an extra comma', '[3,"c1",{"list":[,{}]}]', 'not JSON'],
  ['that is a list', '[3,"c1",[]]', 'the payload of a call result must be an object'],
  ['that is an error without a code', '[4,"c1"]', 'a call error needs a code'],
])('an answer %s ends its command immediately, and the next one is sent', async (_what, frame, reason) => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  for (const id of ['c1', 'c2']) manager.send('CP1', reset(id));
  await station.frames.count(1);
  station.send(frame);
  const [result] = await manager.results.count(1);
  expect(result?.envelope).toMatchObject({
    type: 4,
    id: 'c1',
    action: 'Reset',
    request: { type: 'c1' },
    error_code: 'FormationViolation',
    error_description: `the answer cannot be read: ${reason}`,
  });
  const { frames } = await manager.reported('unreadable');
  expect(frames).toMatchObject([{ text: frame, reason }]);
  expect((await station.frames.count(2))[1]).toEqual([2, 'c2', 'Reset', { type: 'c2' }]);
  // A frame that answers no pending command ends none.
  station.send('[3,"other",{');
  station.send([3, 'c2', { status: 'Accepted' }]);
  // The first result may come again in between: nobody has acknowledged it.
  const { envelope } = await manager.results.first(({ envelope: { id } }) => id === 'c2');
  expect(envelope).toMatchObject({ type: 3, id: 'c2' });
});

test('commands are sent one at a time and in order', async () => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  const ids = Array.from({ length: 10 }, (_, i) => `c${i}`);
  for (const id of ids) manager.send('CP1', reset(id));
  for (const [i, id] of ids.entries()) {
    const frames = await station.frames.count(i + 1);
    // Anything else from the gateway would arrive before this answer.
    await station.call('Heartbeat');
    expect(station.frames.items.filter(([type]) => type === 2).map(([, sent]) => sent)).toEqual(
      ids.slice(0, i + 1),
    );
    expect(frames).toBeDefined();
    station.send([3, id, {}]);
    if (i < 9) await station.frames.first(([type, sent]) => type === 2 && sent === ids[i + 1]);
  }
  const results = await manager.results.first(({ envelope }) => envelope.id === 'c9');
  expect(results.envelope.type).toBe(3);
});

test("the station's calls are answered while a command is open, and vice versa", async () => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  manager.send('CP1', reset('c1'));
  await station.frames.count(1);
  expect(await station.call('Heartbeat')).toEqual([3, 'test-1', { status: 'Accepted' }]);
  manager.answerer = () => undefined;
  station.send([2, 'unanswered', 'Heartbeat', {}]);
  await manager.calls.count(2);
  station.send([3, 'c1', {}]);
  manager.send('CP1', reset('c2'));
  await station.frames.first(([type, id]) => type === 2 && id === 'c2');
});

test('a command and a call may have the same id', async () => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  manager.send('CP1', reset('same'));
  await station.frames.count(1);
  station.send([2, 'same', 'Heartbeat', {}]);
  expect((await station.frames.count(2))[1]).toEqual([3, 'same', { status: 'Accepted' }]);
  station.send([3, 'same', {}]);
  expect((await manager.results.count(1))[0]?.envelope).toMatchObject({ id: 'same', action: 'Reset' });
});

test('after a timeout the next command is sent, and a late result is still published with its request', async () => {
  const { gateway, manager } = await openStage({ answerTimeoutMs: 50 });
  const station = await connectStation(gateway);
  manager.send('CP1', reset('c1'));
  manager.send('CP1', reset('c2'));
  const frames = await station.frames.count(2);
  expect(frames.map(([, id]) => id)).toEqual(['c1', 'c2']);
  expect(manager.results.items).toEqual([]);
  station.send([3, 'c1', { status: 'Late' }]);
  expect((await manager.results.count(1))[0]?.envelope).toMatchObject({
    type: 3,
    id: 'c1',
    action: 'Reset',
    request: { type: 'c1' },
    response: { status: 'Late' },
  });
});

test('a command that managers send twice is sent to the station once', async () => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  manager.send('CP1', reset('c1'));
  manager.send('CP1', reset('c1'));
  await station.frames.count(1);
  station.send([3, 'c1', {}]);
  await manager.results.count(1);
  manager.send('CP1', reset('c1'));
  manager.send('CP1', reset('c2'));
  const frames = await station.frames.count(2);
  expect(frames.map(([, id]) => id)).toEqual(['c1', 'c2']);
});

test('a result is published again until a manager acknowledges it', async () => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  manager.send('CP1', reset('c1'));
  await station.frames.count(1);
  station.send([3, 'c1', { status: 'Accepted' }]);
  const results = await manager.results.count(4);
  expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
  manager.acknowledge('CP1', 'c1');
  // Anything published before the gateway has read the acknowledgement arrives before this answer.
  await station.call('Heartbeat');
  const before = manager.results.items.length;
  manager.answerer = () => undefined;
  station.send([2, 'unanswered', 'Heartbeat', {}]);
  await manager.calls.count(5);
  expect(manager.results.items).toHaveLength(before);
});

test('an acknowledgement applies to one result of one station', async () => {
  const { gateway, manager } = await openStage();
  for (const stationId of ['CP1', 'CP2']) {
    const station = await connectStation(gateway, stationId);
    manager.send(stationId, reset('c1'));
    await station.frames.count(1);
    station.send([3, 'c1', {}]);
    await manager.results.first((result) => result.stationId === stationId);
  }
  manager.acknowledge('CP1', 'c1');
  manager.acknowledge('CP1', 'unknown');
  manager.publish('cs/ack/ocpp1.6/CP2', 'no JSON');
  // Not an acknowledgement: the command timed out before its answer reached a manager.
  manager.publish('cs/ack/ocpp1.6/CP2', JSON.stringify({ id: 'c1', gaveUp: true }));
  const before = manager.results.items.filter(({ stationId }) => stationId === 'CP2').length;
  await manager.results.count(manager.results.items.length + 4);
  expect(manager.results.items.filter(({ stationId }) => stationId === 'CP2').length).toBeGreaterThan(before);
});

test('a result outlives its connection until it is acknowledged', async () => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  manager.send('CP1', reset('c1'));
  await station.frames.count(1);
  station.send([3, 'c1', {}]);
  await manager.results.count(1);
  station.socket.close();
  await manager.reported('disconnected');
  await manager.results.count(manager.results.items.length + 2);
  manager.acknowledge('CP1', 'c1');
});

test('a result is stored until a manager acknowledges it, however often it is published', async () => {
  const { gateway, manager } = await openStage({ repeatDelaysMs: [5] });
  const station = await connectStation(gateway);
  manager.send('CP1', reset('c1'));
  await station.frames.count(1);
  station.send([3, 'c1', {}]);
  await manager.results.count(45);
  station.socket.close();
  await manager.reported('disconnected');
  await manager.results.count(manager.results.items.length + 45);
  manager.acknowledge('CP1', 'c1');
});

test('publications while the broker is away do not count', async () => {
  const broker = closeLater(await startEmbeddedBroker());
  const manager = await openManager(broker.url);
  const proxy = await openProxy(broker.url);
  const gateway = await openGateway({ mqttUrl: proxy.url, repeatDelaysMs: [5, 5, 5, 5, 60_000] });
  await manager.reported('listing');
  const station = await connectStation(gateway);
  manager.send('CP1', reset('c1'));
  await station.frames.count(1);
  proxy.cut();
  station.send([3, 'c1', {}]);
  // The broker is back after half a second; if its absence counted, one publication would follow.
  await manager.results.count(3);
  manager.acknowledge('CP1', 'c1');
});

test("the result of a command without the marker, as MaEVe's manager sends it, is published once", async () => {
  const { gateway, manager } = await openStage({ repeatDelaysMs: [5] });
  const station = await connectStation(gateway);
  for (const id of ['c1', 'c2', 'c3']) {
    manager.send('CP1', { type: 2, id, action: 'Reset', request: { type: 'Soft' } });
    await station.frames.first(([, sent]) => sent === id);
    station.send([3, id, {}]);
  }
  manager.send('CP1', reset('c4'));
  await station.frames.first(([, sent]) => sent === 'c4');
  station.send([3, 'c4', {}]);
  await manager.results.count(3 + 40);
  expect(manager.results.items.map(({ envelope }) => envelope.id).filter((id) => id !== 'c4')).toEqual([
    'c1',
    'c2',
    'c3',
  ]);
});

test('a command for another connection does not reach the station', async () => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  const { connections } = await manager.reported('connected');
  manager.send('CP1', reset('before', { connection_id: '000000000-gw-a' }));
  manager.send('CP1', reset('after', { connection_id: 'zzzzzzzzz-gw-b' }));
  manager.send('CP1', reset('own', { connection_id: connections[0]?.connectionId ?? '' }));
  manager.send('CP1', reset('any'));
  expect(await station.frames.count(1)).toMatchObject([[2, 'own', 'Reset', {}]]);
  station.send([3, 'own', {}]);
  expect(await station.frames.count(2)).toMatchObject([{}, [2, 'any', 'Reset', {}]]);
});

test('a result that the broker may have lost is published again when it is back', async () => {
  const broker = closeLater(await startEmbeddedBroker());
  const manager = await openManager(broker.url);
  const proxy = await openProxy(broker.url);
  const gateway = await openGateway({ mqttUrl: proxy.url, repeatDelaysMs: [60_000] });
  await manager.reported('listing');
  const station = await connectStation(gateway);
  manager.answerer = () => undefined;
  station.send([2, 'unanswered', 'Heartbeat', {}]);
  manager.send('CP1', reset('c1'));
  await station.frames.count(1);
  station.send([3, 'c1', {}]);
  await manager.results.count(1);
  proxy.cut();
  const [first, second] = await manager.results.count(2);
  expect(second).toEqual(first);
  const [call, again] = await manager.calls.count(2);
  expect(again).toEqual(call);
});

test.each([
  ['a result', [3, 'unknown', {}]],
  ['an error', [4, 'unknown', 'GenericError', '', {}]],
])('%s without a matching command is dropped without a reply', async (_name, frame) => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  station.send(frame);
  await station.call('Heartbeat');
  expect(station.frames.items).toHaveLength(1);
  expect(manager.results.items).toEqual([]);
});

test('a second result to one command is dropped', async () => {
  const { gateway, manager } = await openStage({ repeatDelaysMs: [60_000] });
  const station = await connectStation(gateway);
  manager.send('CP1', reset('c1'));
  await station.frames.count(1);
  station.send([3, 'c1', { n: 1 }]);
  station.send([3, 'c1', { n: 2 }]);
  await station.call('Heartbeat');
  expect(manager.results.items.map(({ envelope }) => envelope)).toMatchObject([{ response: { n: 1 } }]);
});

test('a second late result is dropped', async () => {
  const { gateway, manager } = await openStage({ answerTimeoutMs: 50, repeatDelaysMs: [60_000] });
  const station = await connectStation(gateway);
  manager.send('CP1', reset('c1'));
  manager.send('CP1', reset('c2'));
  await station.frames.count(2);
  station.send([3, 'c1', { n: 1 }]);
  station.send([3, 'c1', { n: 2 }]);
  await station.call('Heartbeat');
  expect(manager.results.items.map(({ envelope }) => envelope)).toMatchObject([{ response: { n: 1 } }]);
});

test('a command to a station that is not connected here is dropped', async () => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  manager.send('CP2', reset('c1'));
  manager.send('CP1', reset('c2'));
  expect(await station.frames.count(1)).toEqual([[2, 'c2', 'Reset', { type: 'c2' }]]);
});
