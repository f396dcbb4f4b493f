import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import mqtt from 'mqtt';
import type { MqttClient } from 'mqtt';
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BrokerClient } from '../src/client.ts';
import { ConnectionClock, decodePresence, encodePresence, listingsOf } from '../src/presence.ts';
import type { Listing } from '../src/presence.ts';
import { topicsUnder } from '../src/topics.ts';

const PROGRAM = [...(process.env.PATH ?? '').split(':'), '/usr/sbin']
  .map((directory) => join(directory, 'mosquitto'))
  .find(existsSync);
// .ci/run installs it.
const onMosquitto = PROGRAM === undefined ? test.skip : test;
const DEPLOYED = new URL('../../../deploy/mosquitto/', import.meta.url);
const USERS = ['gateway', 'manager', 'health'] as const;
const topics = topicsUnder('cs');

let directory: string;
let port: number;
let broker: ChildProcess;
const clients: MqttClient[] = [];

/** A Mosquitto with the deployed configuration and permissions. */
beforeAll(async () => {
  if (PROGRAM === undefined) return;
  directory = await mkdtemp(join(tmpdir(), 'evander-mosquitto-'));
  port = await freePort();
  const passwords = join(directory, 'passwords');
  await writeFile(passwords, '');
  for (const user of USERS) execFileSync('mosquitto_passwd', ['-b', passwords, user, `${user}-password`]);
  const acl = join(directory, 'acl');
  await writeFile(acl, await readFile(new URL('acl', DEPLOYED)));
  const configuration = (await readFile(new URL('mosquitto.conf', DEPLOYED), 'utf8'))
    .replace('listener 1883', `listener ${port} 127.0.0.1`)
    .replace('/run/evander/passwords', passwords)
    .replace('/run/evander/acl', acl)
    .replaceAll(/^(persistence|autosave).*$/gm, '')
    // Otherwise it switches to its package's user, who may not read these files.
    .concat(`user ${execFileSync('id', ['-un'], { encoding: 'utf8' })}`);
  await writeFile(join(directory, 'mosquitto.conf'), configuration);
  await Promise.all([acl, passwords].map((file) => chmod(file, 0o600)));
  broker = spawn(PROGRAM, ['-c', join(directory, 'mosquitto.conf')], { stdio: 'ignore' });
  await eventually(async () => (await open('health', 'health-check')).end());
}, 60_000);
afterEach(() => {
  for (const client of clients.splice(0)) client.end(true);
});
afterAll(async () => {
  broker?.kill();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

async function open(
  user: string,
  clientId: string,
  { password = `${user}-password`, ...options }: mqtt.IClientOptions & { password?: string } = {},
): Promise<MqttClient> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
    clientId,
    username: user,
    password,
    protocolVersion: 5,
    reconnectPeriod: 0,
    ...options,
  });
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

type Received = [topic: string, payload: string];

/** Collects everything that a client of this user receives. */
async function listen(
  user: string,
  filters: string[],
): Promise<{ received: Received[]; client: MqttClient }> {
  const client = await open(user, `listener-${Math.random()}`);
  const received: Received[] = [];
  client.on('message', (topic, payload) => received.push([topic, payload.toString()]));
  await client.subscribeAsync(filters, { qos: 1 });
  return { received, client };
}

const presence = (gatewayId: string): string => topics.presence(gatewayId);

onMosquitto("clients without a user's password are rejected", async () => {
  for (const [user, password] of [
    ['gateway', 'manager-password'],
    ['nobody', ''],
  ] as const)
    await expect(open(user, 'stranger', { password })).rejects.toThrow(/[Nn]ot authorized|Bad/);
});

onMosquitto('gateways and managers may subscribe to their topics', async () => {
  const gateway = await open('gateway', 'gw-filters');
  const granted = await gateway.subscribeAsync([...topics.gatewayFilters, topics.out('ocpp1.6', 'CP1')]);
  expect(granted.map(({ qos }) => qos)).toEqual([0, 0, 0, 0]);
  const manager = await open('manager', 'manager-filters');
  expect((await manager.subscribeAsync(topics.managerFilters)).map(({ qos }) => qos)).toEqual([0, 0, 0]);
});

test.each([
  // user, client id, topic, and whether the message is forwarded
  ['gateway', 'gw-a', topics.in('ocpp1.6', 'CP1'), true],
  ['gateway', 'gw-a', presence('gw-a'), true],
  ['gateway', 'gw-a', topics.presenceRequest, true],
  ['gateway', 'gw-a', presence('gw-b'), false],
  ['gateway', 'gw-a', topics.out('ocpp1.6', 'CP1'), false],
  ['gateway', 'gw-a', topics.ack('ocpp1.6', 'CP1'), false],
  ['manager', 'manager-a', topics.out('ocpp1.6', 'CP1'), true],
  ['manager', 'manager-a', topics.ack('ocpp1.6', 'CP1'), true],
  ['manager', 'manager-a', topics.presenceRequest, true],
  ['manager', 'manager-a', topics.in('ocpp1.6', 'CP1'), false],
  ['manager', 'manager-a', presence('gw-b'), false],
  ['health', 'probe', topics.in('ocpp1.6', 'CP1'), false],
  ['health', 'probe', topics.out('ocpp1.6', 'CP1'), false],
  ['health', 'probe', presence('gw-b'), false],
])('%s as %s publishes to %s: forwarded %s', async (user, clientId, topic, isForwarded) => {
  if (PROGRAM === undefined) return;
  const atGateway = await listen('gateway', [...topics.gatewayFilters, topics.out('ocpp1.6', 'CP1')]);
  const atManager = await listen('manager', [topics.in('ocpp1.6', 'CP1')]);
  const client = await open(user, clientId);
  // The broker may reject the message silently (MQTT 5 reports it): a later message shows that this one was processed.
  await client.publishAsync(topic, 'claim', { qos: 1 }).catch(() => undefined);
  for (const [other, name, end] of [
    ['manager', 'manager-end', topics.ack('ocpp1.6', 'END')],
    ['gateway', 'gw-end', topics.in('ocpp1.6', 'CP1')],
  ] as const)
    await (await open(other, name)).publishAsync(end, 'end', { qos: 1 });
  await eventually(async () => {
    for (const { received } of [atGateway, atManager])
      expect(received.map(([, payload]) => payload)).toContain('end');
  });
  const claims = [...atGateway.received, ...atManager.received].filter(([, payload]) => payload === 'claim');
  expect(claims).toEqual(isForwarded ? [[topic, 'claim']] : []);
});

onMosquitto(
  "a client's last will is published under its own name, but not under another gateway's",
  async () => {
    const { received } = await listen('manager', [presence('+')]);
    for (const [clientId, about] of [
      ['gw-c', 'gw-b'],
      ['gw-d', 'gw-d'],
    ] as const) {
      const will = { topic: presence(about), payload: Buffer.from('gone'), qos: 1, retain: false } as const;
      const client = await open('gateway', clientId, { will }).catch(() => undefined);
      client?.stream.destroy();
    }
    await eventually(async () => expect(received).toContainEqual([presence('gw-d'), 'gone']));
    expect(received).not.toContainEqual([presence('gw-b'), 'gone']);
  },
);

onMosquitto.each([
  { bytes: 1024, qos: 0, count: 250_000, limitMb: 200 },
  { bytes: 1024, qos: 1, count: 150_000, limitMb: 200 },
  { bytes: 1_048_576, qos: 0, count: 700, limitMb: 440 },
] as const)(
  "a stalled reader cannot exhaust the broker's memory with $count messages of $bytes bytes and QoS $qos",
  async ({ bytes, qos, count, limitMb }) => {
    const topic = topics.out('ocpp1.6', 'CP1');
    const reader = await stuckReader('gw-stuck', topic);
    const payload = Buffer.alloc(bytes, 'x');
    const sender = await open('manager', 'manager-flood');
    // Messages in flight at that time are never confirmed.
    const isOver = new Promise<void>((resolve) => sender.once('close', () => resolve()));
    for (let i = 0; i < count && sender.connected; i++) {
      const sent = sender.publishAsync(topic, payload, { qos }).catch(() => undefined);
      if (i % 100 === 99 || bytes > 100_000) await Promise.race([sent, isOver]);
    }
    const memory = await memoryOf(broker);
    expect([broker.exitCode, broker.signalCode]).toEqual([null, null]);
    expect(memory).toBeLessThan(limitMb * 1_048_576);
    // Others are served, at the latest once the reader's keep-alive has expired.
    await eventually(async () => {
      const { received } = await listen('gateway', [topics.out('ocpp1.6', 'CP2')]);
      const manager = await open('manager', 'manager-after');
      await manager.publishAsync(topics.out('ocpp1.6', 'CP2'), 'call', { qos: 1 });
      await eventually(async () => expect(received).toEqual([[topics.out('ocpp1.6', 'CP2'), 'call']]), 2000);
    });
    reader.destroy();
  },
  120_000,
);

/** Subscribes on a raw socket and stops reading. */
async function stuckReader(clientId: string, topic: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  const connectPacket = packet(0x10, [
    text('MQTT'),
    Buffer.from([4, 0xc2, 0, 10]),
    ...['gateway', 'gateway-password'].reduce<Buffer[]>((all, one) => [...all, text(one)], [text(clientId)]),
  ]);
  socket.write(
    Buffer.concat([connectPacket, packet(0x82, [Buffer.from([0, 1]), text(topic), Buffer.from([1])])]),
  );
  let bytes = 0;
  // CONNACK has 4 bytes, SUBACK 5.
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      if (bytes >= 9) resolve();
    });
  });
  socket.removeAllListeners('data');
  socket.pause();
  return socket;
}

function text(value: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(value));
  return Buffer.concat([length, Buffer.from(value)]);
}

function packet(type: number, parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([type, body.length]), body]);
}

/** Memory of a process in bytes. */
async function memoryOf({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

async function eventually(attempt: () => Promise<unknown>, forMs = 30_000): Promise<void> {
  const untilMs = Date.now() + forMs;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (Date.now() > untilMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return address.port;
}

onMosquitto(
  'a gateway with 10,000 stations receives commands for each, and lists them within the packet limit',
  async () => {
    const listed: Listing[] = [];
    const manager = await open('manager', 'manager-listings', { properties: { maximumPacketSize: 262_144 } });
    await manager.subscribeAsync(topics.managerFilters, { qos: 1 });
    manager.on('message', (_topic, payload) => {
      const presence = decodePresence(payload);
      if (presence?.kind === 'listing') listed.push(presence);
    });
    const clock = new ConnectionClock('gw-many');
    const connections = Array.from({ length: 10_000 }, (_, i) => ({
      stationId: `STATION-${i}`,
      connectionId: clock.next(),
      remoteAddress: '192.0.2.1',
      connectedAt: new Date().toISOString(),
      securityProfile: 1,
    }));
    const received = new Set<string>();
    let onReady: () => void = () => {};
    const isReady = new Promise<void>((resolve) => (onReady = resolve));
    const gateway = new BrokerClient({
      url: `mqtt://gateway:gateway-password@127.0.0.1:${port}`,
      clientId: 'gw-many',
      filters: topics.gatewayFilters,
      onMessage: (topic) => received.add(topic),
      onConnect: () => onReady(),
    });
    try {
      await isReady;
      const out = connections.map(({ stationId }) => topics.out('ocpp1.6', stationId));
      await Promise.all(out.map((topic) => gateway.subscribe([topic])));
      for (const listing of listingsOf(connections, clock.next()))
        gateway.publish(topics.presence('gw-many'), encodePresence(listing), 1);
      for (const topic of out) manager.publish(topic, '{}');
      await eventually(async () => {
        expect(listed.flatMap((listing) => listing.connections)).toEqual(connections);
        expect(out.every((topic) => received.has(topic))).toBe(true);
      });
    } finally {
      await gateway.close();
    }
  },
  60_000,
);
