import { cpus, totalmem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { Caller, measure, measurePaced, meterValues, nextTime, openAll } from './load.ts';
import type { Rate } from './load.ts';
import { usageOf } from './processes.ts';
import type { Watched } from './processes.ts';
import { reconnect } from './storm.ts';
import { ADMIN_KEY, startBaseline, startBroker, startDatabase, startSystem, UNLIMITED } from './system.ts';
import type { MeasuredSystem } from './system.ts';

/** Prints Evander's speed next to two baselines, in one run on one machine. It only measures. */
const SECONDS = Number(process.env.EVANDER_BENCH_SECONDS ?? 8);
const STATIONS = Number(process.env.EVANDER_BENCH_STATIONS ?? 200);
const MANY = Number(process.env.EVANDER_BENCH_MANY ?? 10_000);

const rows: string[][] = [
  ['workload', 'calls/s', 'of relay', 'p50 ms', 'p99 ms', 'CPU of each second, memory'],
];
let relayPerSecond = NaN;

async function record(name: string, parts: Watched[], work: () => Promise<Rate>): Promise<Rate> {
  const before = parts.map((part) => usageOf(part.pids()).cpu);
  const startedMs = performance.now();
  const rate = await work();
  const seconds = (performance.now() - startedMs) / 1000;
  const usage = parts.map((part, i) => {
    const { cpu, memory } = usageOf(part.pids());
    return `${part.name} ${((cpu - (before[i] ?? 0)) / seconds).toFixed(2)} s, ${Math.round(memory / 1e6)} MB`;
  });
  rows.push([
    name,
    rate.perSecond.toFixed(0),
    // Measurements before the relay have nothing to compare with.
    Number.isNaN(relayPerSecond) ? '' : (rate.perSecond / relayPerSecond).toFixed(2),
    rate.p50Ms.toFixed(1),
    rate.p99Ms.toFixed(1),
    usage.join('; '),
  ]);
  console.log(rows.at(-1)?.join(' | '));
  return rate;
}

type Call = Caller['call'];
const heartbeat = (call: Call): Promise<unknown> => call('Heartbeat', {});
async function session(call: Call): Promise<void> {
  const status = (value: string): Promise<unknown> =>
    call('StatusNotification', { connectorId: 1, status: value, errorCode: 'NoError' });
  await status('Preparing');
  await call('Authorize', { idTag: 'TAG1' });
  const timestamp = nextTime();
  const start = { connectorId: 1, idTag: 'TAG1', meterStart: 0, timestamp };
  const { transactionId } = (await call('StartTransaction', start)) as { transactionId: number };
  for (let i = 0; i < 5; i++) await meterValues(call);
  await call('StopTransaction', {
    transactionId,
    meterStop: 1000,
    timestamp: nextTime(),
  });
  await status('Available');
}

async function baselines(mqttUrl: string, broker: Watched | undefined): Promise<void> {
  for (const url of [undefined, mqttUrl]) {
    const baseline = await startBaseline(url);
    const callers = await openAll(baseline.url, STATIONS, 'B');
    const parts = url !== undefined && broker ? [...baseline.parts, broker] : baseline.parts;
    const name = url === undefined ? 'bare ws echo' : 'bare relay over MQTT';
    const rate = await record(name, parts, () => measure(callers, SECONDS, heartbeat));
    if (url !== undefined) relayPerSecond = rate.perSecond;
    for (const caller of callers) caller.close();
    for (const part of baseline.parts) await part.stop();
  }
}

async function boot(callers: Caller[]): Promise<void> {
  const request = { chargePointVendor: 'Evander', chargePointModel: 'Bench' };
  await Promise.all(callers.map((caller) => caller.call('BootNotification', request)));
}

async function workloads(system: MeasuredSystem, parts: Watched[]): Promise<void> {
  await fetch(`${system.apiUrl}/tags/TAG1`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: '{}',
  });
  const callers = await openAll(system.url, STATIONS, 'S');
  await boot(callers);
  await record('Heartbeat', parts, () => measure(callers, SECONDS, heartbeat));
  await record('MeterValues, 4 samples', parts, () => measure(callers, SECONDS, meterValues));
  await record('whole sessions, 10 calls', parts, () => measure(callers, SECONDS, session));
  await record('MeterValues, 1000 a second', parts, () =>
    measurePaced(callers, { perSecond: 1000, seconds: SECONDS }, meterValues),
  );
  for (const caller of callers) caller.close();
}

async function idle(system: MeasuredSystem): Promise<void> {
  await delay(2000);
  const before = usageOf(system.gateway.pids()).memory;
  const callers = await openAll(system.url, MANY, 'I');
  await delay(3000);
  const after = usageOf(system.gateway.pids()).memory;
  console.log(
    `${MANY} idle stations: ${((after - before) / MANY / 1000).toFixed(1)} kB of gateway memory each`,
  );
  for (const caller of callers) caller.close();
  await delay(3000);
}

async function storm(system: MeasuredSystem): Promise<void> {
  const seconds = await reconnect(system.url, MANY);
  console.log(
    `${MANY} stations reconnect: the last BootNotification is answered after ${seconds.toFixed(1)} s`,
  );
}

const { mqttUrl, brokerName, broker, close } = await startBroker();
const database = await startDatabase();
const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? '?'}, ${Math.round(totalmem() / 1e9)} GB`;
console.log(
  `Node.js ${process.version}, ${brokerName}, ${machine}; ${STATIONS} stations, load on the same machine`,
);
await baselines(mqttUrl, broker);
const system = await startSystem(database.url, mqttUrl, {}, UNLIMITED);
const parts = [system.gateway, system.manager, database.watched, ...(broker ? [broker] : [])];
try {
  await workloads(system, parts);
  await idle(system);
  await storm(system);
} finally {
  for (const part of [system.gateway, system.manager, database.watched]) await part.stop();
  await close();
}
console.log(
  `\n${rows.map((row, i) => `| ${row.join(' | ')} |${i === 0 ? `\n|${'---|'.repeat(row.length)}` : ''}`).join('\n')}`,
);
