import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { once } from 'node:events';
import type { Envelope } from '@evander/broker';
import type { Gateway } from '../src/index.ts';
import { accept, connectDeafStation, connectStation, credentials, openStage } from './harness.ts';
import type { StationSocket } from './harness.ts';

const ANSWERED = [3, 'test-1', { status: 'Accepted' }];
const deep = `[2,"d","DataTransfer",${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}]`;

describe('a frame that is not OCPP-J', () => {
  test.each<[string, string | Buffer, string]>([
    ['no JSON', 'not JSON', 'not JSON'],
    ['half a frame without an id', '[2,"x', 'not JSON'],
    ['an object', '{}', 'not a JSON array'],
    ['null', 'null', 'not a JSON array'],
    ['nothing in it', '[]', 'unknown message type'],
    ['an unknown type', '[9,"x"]', 'unknown message type'],
    ['a type of OCPP 2.1', '[6,"x","NotifyPeriodicEventStream",{}]', 'unknown message type'],
    ['no id', '[2]', 'no readable message id'],
    ['an invalid id', '[2,{},"Heartbeat",{}]', 'no readable message id'],
    ['a result without a payload', '[3,"x"]', 'a call result has 3 elements, this has 2'],
    ['a result that is a list', '[3,"x",[]]', 'the payload of a call result must be an object'],
    ['an error without a code', '[4,"x"]', 'a call error needs a code'],
    ['binary', Buffer.from([0, 255, 254, 91]), 'a binary message: OCPP-J is text'],
    ['a call in binary', Buffer.from('[2,"x","Heartbeat",{}]'), 'a binary message: OCPP-J is text'],
    ['very deep', '['.repeat(50_000), 'not JSON'],
    ['very deep and whole', '['.repeat(5000) + ']'.repeat(5000), 'unknown message type'],
  ])('is dropped and reported, and the station is still served: %s', async (_name, frame, reason) => {
    const { gateway, manager } = await openStage();
    const station = await connectStation(gateway);
    station.send(frame);
    expect(await station.call('Heartbeat')).toEqual(ANSWERED);
    expect(station.frames.items).toEqual([ANSWERED]);
    expect(manager.calls.items).toHaveLength(1);
    const { frames } = await manager.reported('unreadable');
    const { connections } = await manager.reported('connected');
    expect(frames).toEqual([
      {
        stationId: 'CP1',
        connectionId: connections[0]?.connectionId,
        receivedAt: expect.any(String),
        text: Buffer.isBuffer(frame) ? `(${frame.length} bytes)` : frame.slice(0, 4096),
        reason,
      },
    ]);
  });

  test('is reported without a secret that truncation would split', async () => {
    const { gateway, manager } = await openStage();
    const station = await connectStation(gateway);
    const begin = `{"pad":"${'x'.repeat(4060)}","url":"ftp://u:`;
    station.send(`${begin}secretsecretsecret@host/"`);
    const { frames } = await manager.reported('unreadable');
    expect(frames).toMatchObject([{ text: `${begin}***@host/"`.slice(0, 4096) }]);
  });

  test.each<[string, string, unknown, string]>([
    ['no action', '[2,"x"]', 'x', 'a call needs the name of an action'],
    ['an action that is not a name', '[2,"x",7,{}]', 'x', 'a call needs the name of an action'],
    ['no payload', '[2,"x","Authorize"]', 'x', 'a call needs a payload'],
    ['a list for a payload', '[2,"x","Authorize",[]]', 'x', 'the payload must be an object'],
    ['text for a payload', '[2,"x","Authorize","{}"]', 'x', 'the payload must be an object'],
    ['too many elements', '[2,"x","Authorize",{},{}]', 'x', 'a call has 4 elements, this has 5'],
    ['an empty id', '[2,"","Authorize",{}]', '', 'the message id is empty'],
    [
      'a long id',
      `[2,"${'x'.repeat(37)}","Authorize",{}]`,
      'x'.repeat(37),
      'the message id is longer than 36',
    ],
    ['a number for an id', '[2,5,"Authorize"]', 5, 'a call needs a payload'],
    ['a deep payload', deep, 'd', 'nested too deeply'],
    ['half a frame', '[2,"x","Heartbeat",', 'x', 'not JSON'],
    ['a missing value', '[2,"x","StopTransaction",{"transactionId":,"meterStop":1}]', 'x', 'not JSON'],
    ['an extra comma', '[2,"x","MeterValues",{"meterValue":[,{}]}]', 'x', 'not JSON'],
    ['a line break in a text', '[2,"x","DataTransfer",{"data":"a\nb"}]', 'x', 'not JSON'],
    ['U+0000 in its id', '[2,"x\\u0000","Heartbeat",{}]', 'x\u0000', 'the message id has control characters'],
    ['U+007F in its id', '[2,"x\\u007f","Heartbeat",{}]', 'x\u007f', 'the message id has control characters'],
    ['U+0001 in its action', '[2,"x","Heart\\u0001",{}]', 'x', 'the action has control characters'],
  ])('but has an id is rejected and reported: %s', async (_name, frame, id, reason) => {
    const { gateway, manager } = await openStage();
    const station = await connectStation(gateway);
    station.send(frame);
    const [refusal] = await station.frames.count(1);
    expect(refusal).toEqual([4, id, 'FormationViolation', reason, {}]);
    expect(await station.call('Heartbeat')).toEqual(ANSWERED);
    expect(manager.calls.items).toHaveLength(1);
    const { frames } = await manager.reported('unreadable');
    expect(frames).toMatchObject([{ text: frame.slice(0, 4096), reason, answer: JSON.stringify(refusal) }]);
  });

  test('closes the connection when it is the twentieth in a row', async () => {
    const { gateway, manager } = await openStage();
    const station = await connectStation(gateway);
    for (let i = 0; i < 25; i++) station.send(`no frame ${i}`);
    expect(await station.closed).toMatchObject({ code: 1002 });
    await manager.reported('disconnected');
    const reported = manager.presence.items.filter(({ presence }) => presence.kind === 'unreadable');
    expect(reported).toHaveLength(20);
  });

  test('does not close a connection that has sent a valid frame', async () => {
    const { gateway } = await openStage();
    const station = await connectStation(gateway);
    expect((await station.call('Heartbeat'))[0]).toBe(3);
    for (let i = 0; i < 60; i++) station.send(`no frame ${i}`);
    expect((await station.call('Heartbeat'))[0]).toBe(3);
  });

  test('that is too large closes the connection with 1009', async () => {
    const { gateway, manager } = await openStage({ maxFrameBytes: 1000 });
    const station = await connectStation(gateway);
    expect(await station.call('DataTransfer', { vendorId: 'V', data: 'x'.repeat(900) })).toEqual(ANSWERED);
    station.send([2, 'x', 'DataTransfer', { vendorId: 'V', data: 'x'.repeat(1000) }]);
    expect((await station.closed).code).toBe(1009);
    await manager.reported('disconnected');
    expect(manager.calls.items).toHaveLength(1);
  });

  test('that is not UTF-8 closes the connection with 1007', async () => {
    const { gateway, manager } = await openStage();
    const station = await connectStation(gateway);
    station.socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
    expect((await station.closed).code).toBe(1007);
    await manager.reported('disconnected');
  });
});

test.each(['12345678901234567890', '9007199254740993', '1.0', '17'])(
  'the number %s as an id is answered byte for byte, and its repeat once',
  async (id) => {
    const { gateway, manager } = await openStage();
    const station = await connectStation(gateway);
    const texts: string[] = [];
    station.socket.on('message', (data: Buffer) => texts.push(data.toString()));
    manager.answerer = () => undefined;
    station.send(`[2,${id},"Heartbeat",{}]`);
    station.send(`[2, ${id} ,"Heartbeat",{}]`);
    const { envelope } = await manager.calls.first(() => true);
    manager.send('CP1', accept(envelope, 'CP1') as Envelope);
    await station.frames.count(1);
    manager.answerer = accept;
    expect((await station.call('Heartbeat'))[0]).toBe(3);
    expect(texts[0]).toBe(`[3,${id},{"status":"Accepted"}]`);
    expect(texts).toHaveLength(2);
  },
);

describe('a sloppy frame', () => {
  test.each([
    ['null for a payload', '[2,"x","DataTransfer",null]', {}],
    ['a Heartbeat without a payload', '[2,"x","Heartbeat"]', {}],
    ['white space around', ' \r\n[ 2 , "x" , "Heartbeat" , { } ]\n', {}],
    [
      'a prototype in it',
      '[2,"x","DataTransfer",{"__proto__":{"admin":true},"vendorId":"V"}]',
      { vendorId: 'V' },
    ],
    [
      'a name of a method',
      '[2,"x","DataTransfer",{"constructor":1,"toString":2}]',
      { constructor: 1, toString: 2 },
    ],
  ])('is forwarded: %s', async (_name, frame, payload) => {
    const { gateway, manager } = await openStage();
    const station = await connectStation(gateway);
    station.send(frame);
    expect(await station.frames.count(1)).toEqual([[3, 'x', { status: 'Accepted' }]]);
    expect(JSON.stringify(manager.calls.items[0]?.envelope.request)).toBe(JSON.stringify(payload));
    expect(manager.presence.items.some(({ presence }) => presence.kind === 'unreadable')).toBe(false);
  });

  test.each(['', ' ', '\n'])('that is blank is ignored, however often it comes: %j', async (blank) => {
    const { gateway, manager } = await openStage();
    const station = await connectStation(gateway);
    for (let i = 0; i < 30; i++) station.send(blank);
    expect(await station.call('Heartbeat')).toEqual(ANSWERED);
    expect(manager.presence.items.some(({ presence }) => presence.kind === 'unreadable')).toBe(false);
  });
});

test('whatever a station sends, its next Heartbeat is answered', async () => {
  const { gateway } = await openStage();
  const frameLike = fc
    .tuple(fc.constantFrom(2, 3, 4, 5), fc.jsonValue(), fc.jsonValue(), fc.jsonValue())
    .map((elements) => JSON.stringify(elements));
  const mutilated = fc
    .tuple(
      fc.constantFrom('[2,"1","Heartbeat",{}]', '[3,"1",{}]', '[4,"1","x","y",{}]'),
      fc.nat(20),
      fc.string(),
    )
    .map(([frame, at, more]) => frame.slice(0, at) + more + frame.slice(at));
  const message = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    frameLike,
    mutilated,
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  );
  let stationNumber = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 15 }), async (messages) => {
      const station = await connectStation(gateway, `CP${++stationNumber}`);
      for (const one of messages) station.send(one);
      const id = 'the last Heartbeat';
      station.send([2, id, 'Heartbeat', {}]);
      expect(await station.frames.first((frame) => frame[0] === 3 && frame[1] === id)).toBeDefined();
      station.close();
    }),
    { numRuns: 60 },
  );
});

describe('a ping', () => {
  /** Answers the first ping and nothing afterwards. */
  async function fallSilent(gateway: Gateway, stationId: string): Promise<StationSocket> {
    const station = await connectStation(gateway, stationId, { autoPong: false });
    await once(station.socket, 'ping');
    station.socket.pong();
    return station;
  }

  test('that is not answered in time closes the connection of a station that has answered one before', async () => {
    const pingMs = 200;
    const { gateway, manager } = await openStage({ pingMs });
    const station = await fallSilent(gateway, 'deaf');
    const startedAt = Date.now();
    await station.closed;
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(pingMs);
    await manager.reported('disconnected', ({ connections }) => connections[0]?.stationId === 'deaf');
  });

  test('that is answered keeps the connection, and so does any frame', async () => {
    const { gateway, manager } = await openStage({ pingMs: 300 });
    const ponging = await connectStation(gateway, 'ponging');
    await fallSilent(gateway, 'deaf');
    const talking = await fallSilent(gateway, 'talking');
    for (let periods = 0; periods < 5; periods++) {
      await once(ponging.socket, 'ping');
      await talking.call('Heartbeat');
    }
    await manager.reported('disconnected', ({ connections }) => connections[0]?.stationId === 'deaf');
    expect(ponging.socket.readyState).toBe(ponging.socket.OPEN);
    expect(talking.socket.readyState).toBe(talking.socket.OPEN);
  });

  test('is not required of a station that has never answered one: its silence counts, by its heartbeat interval', async () => {
    const { gateway, manager } = await openStage({
      pingMs: 50,
      credentialsOf: async (stationId) =>
        credentials(stationId, { heartbeatSeconds: stationId === 'silent' ? 0.2 : 300 }),
    });
    const quiet = await connectStation(gateway, 'quiet', { autoPong: false });
    const startedAt = Date.now();
    const silent = await connectDeafStation(gateway, 'silent');
    silent.resume();
    await manager.reported('disconnected', ({ connections }) => connections[0]?.stationId === 'silent');
    // Three heartbeat intervals are more than ten ping intervals.
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(600);
    expect(quiet.socket.readyState).toBe(quiet.socket.OPEN);
    expect(await quiet.call('Heartbeat')).toEqual(ANSWERED);
  });

  test('from the station is answered', async () => {
    const { gateway } = await openStage();
    const station = await connectStation(gateway);
    station.socket.ping('life');
    const [data] = (await once(station.socket, 'pong')) as [Buffer];
    expect(data.toString()).toBe('life');
  });
});

test('the status port reports readiness and the number of connections', async () => {
  const { broker, gateway, manager } = await openStage();
  const ask = async (path: string) => {
    const response = await fetch(`${gateway.statusUrl}${path}`, { headers: { connection: 'close' } });
    return { status: response.status, text: await response.text() };
  };
  await connectStation(gateway, 'CP1');
  await connectStation(gateway, 'CP2');
  expect((await ask('/health/live')).status).toBe(200);
  expect((await ask('/health/ready')).status).toBe(200);
  expect((await ask('/metrics')).text).toContain('\nevander_gateway_connections 2\n');
  expect((await ask('/other')).status).toBe(404);
  await broker.close();
  await manager.away.count(1);
  // The gateway may notice it a little later than the manager.
  let ready = await ask('/health/ready');
  while (ready.status === 200) ready = await ask('/health/ready');
  expect(ready.status).toBe(503);
  expect((await ask('/health/live')).status).toBe(200);
});
