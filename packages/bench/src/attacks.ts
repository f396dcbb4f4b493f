import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { openAll, rateOf } from './load.ts';
import type { Caller, Rate } from './load.ts';
import { usageOf } from './processes.ts';
import { startBroker, startDatabase, startSystem } from './system.ts';
import type { MeasuredSystem } from './system.ts';

/**
 * Prints how attacks affect good stations: their rate and latency, and the memory of gateway and manager, before and during each attack.
 * Everything runs on this machine and ends on its own.
 */
const SECONDS = Number(process.env.EVANDER_BENCH_SECONDS ?? 6);
const GOOD = 50;
const PER_SECOND = 200;
const ATTACKERS = Number(process.env.EVANDER_BENCH_ATTACKERS ?? 3);

interface Target {
  url: string;
  port: number;
}

/** Attacks until it is asked to stop; resolves once it has stopped. */
type Attack = (target: Target, index: number, isOver: () => boolean) => Promise<void>;

const BIG = 'x'.repeat(1_000_000);

const ATTACKS: Record<string, Attack> = {
  'malformed frames': flood(() => 'no frame'),
  'malformed frames that are answered': flood((i) => `[2,"${i}","Heartbeat",7]`),
  'valid calls, as fast as they go': flood((i) => JSON.stringify([2, `${i}`, 'Heartbeat', {}])),
  'frames of 1 MB': flood((i) => JSON.stringify([2, `${i}`, 'DataTransfer', { vendorId: 'V', data: BIG }])),
  'reads nothing of its answers': flood((i) => JSON.stringify([2, `${i}`, 'Heartbeat', {}]), {
    isDeaf: true,
  }),
  '5000 silent connections': sockets(5000, ''),
  '2000 connections with headers without end': sockets(
    2000,
    'GET /ws/SLOW HTTP/1.1\r\nHost: x\r\nX-Slow: ',
    'a',
  ),
  'connections, as fast as they go': connectionFlood,
  'redaction bait': flood((i) =>
    JSON.stringify([2, `${i}`, 'UpdateFirmware', { location: `a://${':'.repeat(60_000)}` }]),
  ),
  'bait in malformed frames': flood(() => `${'a'.repeat(1360)}://${':'.repeat(2700)}`),
  'connectorId 3000000000': flood((i) =>
    JSON.stringify([
      2,
      `${i}`,
      'StatusNotification',
      { connectorId: 3e9, errorCode: 'NoError', status: 'Available' },
    ]),
  ),
};

/** Sends frame after frame; reconnects when it is disconnected. */
function flood(frame: (i: number) => string, { isDeaf = false } = {}): Attack {
  return async ({ url }, index, isOver) => {
    let sent = 0;
    while (!isOver()) {
      const socket = new WebSocket(`${url}/ATTACK${index}`, ['ocpp1.6'], {
        perMessageDeflate: false,
        handshakeTimeout: 3000,
      });
      socket.on('error', () => {});
      await new Promise<void>((resolve) => socket.once('open', resolve).once('close', () => resolve()));
      if (isDeaf) socket.pause();
      while (!isOver() && socket.readyState === WebSocket.OPEN) {
        // As much as the network accepts.
        for (let i = 0; i < 500 && socket.bufferedAmount < 4_000_000; i++) socket.send(frame(sent++));
        await delay(5);
      }
      socket.terminate();
      await delay(50);
    }
  };
}

/** Opens `count` connections, shared among the attackers, and sends some bytes on each, then one byte now and then. */
function sockets(count: number, bytes: string, drip = ''): Attack {
  return async ({ port }, _index, isOver) => {
    const open = new Set<Socket>();
    const share = Math.ceil(count / ATTACKERS);
    while (!isOver()) {
      for (let i = 0; i < 100 && open.size < share; i++)
        open.add(dial(port, bytes, (socket) => open.delete(socket)));
      if (drip !== '') for (const socket of open) socket.write(drip);
      await delay(50);
    }
    for (const socket of open) socket.destroy();
  };
}

async function connectionFlood({ port }: Target, _index: number, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const opened = Array.from({ length: 20 }, () =>
      dial(port, 'GET /ws/ HTTP/1.1\r\nHost: x\r\n\r\n', () => {}),
    );
    await delay(20);
    for (const socket of opened) socket.destroy();
  }
}

function dial(port: number, bytes: string, onClose: (socket: Socket) => void): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.on('close', () => onClose(socket));
  socket.write(bytes);
  return socket.resume();
}

/**
 * Each good station sends a Heartbeat four times a second unless it waits for an answer. An unanswered call counts with the time waited so
 * far.
 */
async function measureGood(good: Caller[]): Promise<Rate> {
  const latencies: number[] = [];
  const startedMs = performance.now();
  const waiting = new Map<Caller, number>();
  while (performance.now() - startedMs < SECONDS * 1000) {
    for (const caller of good) {
      if (waiting.has(caller)) continue;
      waiting.set(caller, performance.now());
      void caller.call('Heartbeat', {}).then(() => {
        latencies.push(performance.now() - (waiting.get(caller) ?? 0));
        waiting.delete(caller);
      });
    }
    await delay((1000 * GOOD) / PER_SECOND);
  }
  const answered = latencies.length;
  for (const untilMs = performance.now() + 3000; waiting.size > 0 && performance.now() < untilMs;)
    await delay(10);
  for (const sinceMs of waiting.values()) latencies.push(performance.now() - sinceMs);
  return { ...rateOf(latencies, SECONDS), perSecond: answered / SECONDS };
}

/** Samples the peak memory of gateway and manager until called, in MB. */
function watchMemory({ gateway, manager }: MeasuredSystem): () => [gateway: number, manager: number] {
  const peak: [number, number] = [0, 0];
  const sample = (): void =>
    [gateway, manager].forEach((part, i) => {
      peak[i] = Math.max(peak[i] ?? 0, usageOf(part.pids()).memory / 1e6);
    });
  const timer = setInterval(sample, 100);
  return () => {
    clearInterval(timer);
    sample();
    return peak;
  };
}

function print(name: string, rate: Rate, memory: [number, number]): void {
  const cells = [
    name,
    rate.perSecond.toFixed(0),
    rate.p50Ms.toFixed(1),
    rate.p99Ms.toFixed(1),
    ...memory.map((mb) => mb.toFixed(0)),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}

async function attack(name: string, run: Attack, system: MeasuredSystem, good: Caller[]): Promise<void> {
  const target = { url: system.url, port: Number(new URL(system.url).port) };
  let isOver = false;
  const memory = watchMemory(system);
  const attackers = Array.from({ length: ATTACKERS }, (_, i) => run(target, i, () => isOver));
  const rate = await measureGood(good);
  print(name, rate, memory());
  isOver = true;
  await Promise.all(attackers);
  await delay(1000);
}

const { mqttUrl, close } = await startBroker();
const database = await startDatabase();
const system = await startSystem(database.url, mqttUrl);
try {
  const good = await openAll(system.url, GOOD, 'GOOD');
  const request = { chargePointVendor: 'Evander', chargePointModel: 'Bench' };
  await Promise.all(good.map((caller) => caller.call('BootNotification', request)));
  console.log(
    `${GOOD} good stations send ${PER_SECOND} Heartbeats a second, with ${ATTACKERS} attackers; Node.js ${process.version}\n`,
  );
  console.log('| attack | answers/s | p50 ms | p99 ms | gateway MB | manager MB |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const name of ['none', ...Object.keys(ATTACKS), 'none, afterwards']) {
    const run = ATTACKS[name];
    if (run) {
      await attack(name, run, system, good);
      continue;
    }
    const memory = watchMemory(system);
    print(name, await measureGood(good), memory());
  }
  for (const caller of good) caller.close();
} finally {
  for (const part of [system.gateway, system.manager, database.watched]) await part.stop();
  await close();
}
