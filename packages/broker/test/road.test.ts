import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { BrokerClient, startEmbeddedBroker } from '../src/index.ts';
import type { BrokerOptions, EmbeddedBroker } from '../src/index.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function broker(port?: number): Promise<EmbeddedBroker> {
  const started = await startEmbeddedBroker(port === undefined ? {} : { port });
  opened.push(started);
  return started;
}

interface Peer {
  client: BrokerClient;
  received: string[];
  /** Resolves when the message "end" arrives; `received` does not include it. */
  ended: Promise<void>;
  /** Resolves when this many messages have arrived. */
  has(count: number): Promise<void>;
}

async function connect(url: string, filters: string[], options: Partial<BrokerOptions> = {}): Promise<Peer> {
  const received: string[] = [];
  const isReady = signal();
  const hasEnded = signal();
  let onMore: () => void = () => {};
  const client = new BrokerClient({
    url,
    clientId: `test-${Math.random().toString(36).slice(2)}`,
    filters,
    ...options,
    onMessage: (_topic, payload) => {
      if (payload.toString() === 'end') hasEnded.give();
      else received.push(payload.toString());
      onMore();
    },
    onConnect: () => {
      isReady.give();
      options.onConnect?.();
    },
  });
  opened.push(client);
  await isReady.given;
  const has = (count: number): Promise<void> =>
    new Promise((done) => {
      onMore = () => {
        if (received.length >= count) done();
      };
      onMore();
    });
  return { client, received, has, ended: hasEnded.given };
}

function signal(): { given: Promise<void>; give(): void } {
  let give: () => void = () => {};
  const given = new Promise<void>((resolve) => (give = resolve));
  return { given, give: () => give() };
}

test('delivers each message of a shared subscription to one member, and continues when one leaves', async () => {
  const { url } = await broker();
  const filter = '$share/manager/cs/in/#';
  const [one, two] = [await connect(url, [filter, 'one']), await connect(url, [filter, 'two'])];
  const all = await connect(url, ['cs/in/#']);
  const sender = await connect(url, []);
  for (let i = 0; i < 200; i++) sender.client.publish('cs/in/CP1', `${i}`);
  await all.has(200);
  // A member that has the sender's last message has all earlier ones.
  sender.client.publish('one', 'end');
  sender.client.publish('two', 'end');
  await Promise.all([one.ended, two.ended]);
  expect(one.received.length + two.received.length).toBe(200);
  expect(new Set([...one.received, ...two.received]).size).toBe(200);
  expect(Math.min(one.received.length, two.received.length)).toBeGreaterThan(50);

  await two.client.close();
  const before = one.received.length;
  for (let i = 0; i < 20; i++) sender.client.publish('cs/in/CP1', `later ${i}`);
  await one.has(before + 20);
});

test('distributes evenly when calls and answers alternate', async () => {
  const { url } = await broker();
  const members = [await connect(url, ['$share/manager/in']), await connect(url, ['$share/manager/in'])];
  const sender = await connect(url, ['out']);
  for (let i = 0; i < 100; i++) {
    sender.client.publish('in', `${i}`);
    sender.client.publish('out', `${i}`);
  }
  await sender.has(100);
  expect(members.map(({ received }) => received.length).sort((a, b) => a - b)[0]).toBeGreaterThan(20);
});

test('reconnects automatically with the same subscriptions', async () => {
  const first = await broker();
  const port = Number(new URL(first.url).port);
  const isBack = signal();
  const isAway = signal();
  let connects = 0;
  const peer = await connect(first.url, ['a'], {
    onDisconnect: isAway.give,
    onConnect: () => {
      if (++connects === 2) isBack.give();
    },
  });
  await peer.client.subscribe(['b']);
  await first.close();
  await isAway.given;
  expect(peer.client.publish('a', 'lost')).toBe(false);
  await broker(port);
  await isBack.given;
  const sender = await connect(first.url, []);
  sender.client.publish('a', '1');
  sender.client.publish('b', '2');
  await peer.has(2);
  expect(peer.received.sort()).toEqual(['1', '2']);
});

test('publishes the last will of a client that is cut off, but not after a clean disconnect', async () => {
  const { url } = await broker();
  const watcher = await connect(url, ['will/+']);
  const polite = await connect(url, [], { will: { topic: 'will/polite', payload: 'polite' } });
  await polite.client.close();
  const socket = createConnection(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  // CONNECT, MQTT 3.1.1, clean session with a will: topic will/x, payload "cut off".
  const text = (s: string): Buffer => Buffer.concat([Buffer.from([0, s.length]), Buffer.from(s)]);
  const body = Buffer.concat([
    text('MQTT'),
    Buffer.from([4, 0x06, 0, 10]),
    text('cut'),
    text('will/x'),
    text('cut off'),
  ]);
  socket.write(Buffer.concat([Buffer.from([0x10, body.length]), body]));
  await once(socket, 'data');
  socket.destroy();
  await watcher.has(1);
  expect(watcher.received).toEqual(['cut off']);
});

test('an embedded broker with a password accepts only clients that know it', async () => {
  const guarded = await startEmbeddedBroker({ password: 'a b:c@d' });
  opened.push(guarded);
  const { received, has, client } = await connect(guarded.url, ['cs/#']);
  client.publish('cs/x', 'received');
  await has(1);
  expect(received).toEqual(['received']);
  for (const url of [guarded.url.replace(/\/\/[^/]*@/, '//'), guarded.url.replace('a%20b', 'wrong')]) {
    const error = await new Promise<Error>((resolve) => {
      const options = { url, clientId: 'stranger', filters: ['cs/#'], onMessage: () => {}, onError: resolve };
      opened.push(new BrokerClient({ ...options, onConnect: () => resolve(new Error('accepted')) }));
    });
    expect(error.message).toMatch(/Not authorized/);
  }
});
