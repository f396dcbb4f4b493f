import { cpus, totalmem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { Caller, measure, measurePaced, meterValues, nextTime, openAll } from './load.ts';
import type { Rate } from './load.ts';
import { usageOf } from './processes.ts';
import type { Watched } from './processes.ts';
import { reconnect } from './storm.ts';
import { ADMIN_KEY, startBaseline, startBroker, startDatabase, startOurs, UNLIMITED } from './system.ts';
import type { Ours } from './system.ts';

/** Prints how fast Evander is beside two baselines, in one run on one machine. It measures and judges nothing. */
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
    // What is measured before the relay has nothing to be compared with.
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
  const status = (word: string): Promise<unknown> =>
    call('StatusNotification', { connectorId: 1, status: word, errorCode: 'NoError' });
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

async function workloads(ours: Ours, parts: Watched[]): Promise<void> {
  await fetch(`${ours.apiUrl}/tags/TAG1`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: '{}',
  });
  const callers = await openAll(ours.url, STATIONS, 'S');
  await boot(callers);
  await record('Heartbeat', parts, () => measure(callers, SECONDS, heartbeat));
  await record('MeterValues, 4 samples', parts, () => measure(callers, SECONDS, meterValues));
  await record('whole sessions, 10 calls', parts, () => measure(callers, SECONDS, session));
  await record('MeterValues, 1000 a second', parts, () =>
    measurePaced(callers, { perSecond: 1000, seconds: SECONDS }, meterValues),
  );
  for (const caller of callers) caller.close();
}

async function idle(ours: Ours): Promise<void> {
  await delay(2000);
  const before = usageOf(ours.gateway.pids()).memory;
  const callers = await openAll(ours.url, MANY, 'I');
  await delay(3000);
  const after = usageOf(ours.gateway.pids()).memory;
  console.log(
    `${MANY} idle stations: ${((after - before) / MANY / 1000).toFixed(1)} kB of gateway memory each`,
  );
  for (const caller of callers) caller.close();
  await delay(3000);
}

async function storm(ours: Ours): Promise<void> {
  const seconds = await reconnect(ours.url, MANY);
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
const ours = await startOurs(database.url, mqttUrl, {}, UNLIMITED);
const parts = [ours.gateway, ours.manager, database.watched, ...(broker ? [broker] : [])];
try {
  await workloads(ours, parts);
  await idle(ours);
  await storm(ours);
} finally {
  for (const part of [ours.gateway, ours.manager, database.watched]) await part.stop();
  await close();
}
console.log(
  `\n${rows.map((row, i) => `| ${row.join(' | ')} |${i === 0 ? `\n|${'---|'.repeat(row.length)}` : ''}`).join('\n')}`,
);
