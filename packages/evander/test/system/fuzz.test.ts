// Long: thousands of random handshakes and frames.
// Slow: thousands of random handshakes and frames.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { gatewaySecretOf } from '@evander/process';
import fc from 'fast-check';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RPCClient } from 'ocpp-rpc';
import { apiOf, eventually, SECRET, startServices } from './fixture.ts';
import type { Services } from './fixture.ts';
import { foreignStation } from './foreign-station.ts';
import { OpenSsl } from '../../../../test/openssl.ts';
import { startManagerProcess } from './manager-process.ts';
import type { ManagerProcess } from './manager-process.ts';
import { burst, handshakeBytes } from './odd-bytes.ts';
import { freePorts, isServing, run } from './processes.ts';
import type { Process } from './processes.ts';
import { exchange, openSocket } from './raw-socket.ts';

const SEED = Number(process.env.EVANDER_TEST_SEED ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env.EVANDER_TEST_FUZZ_RUNS ?? 2000);
const CONCURRENCY = 20;
const GROWTH_LIMIT = 200 * 2 ** 20;

let services: Services;
let openssl: OpenSsl;
let manager: ManagerProcess;
let gateway: Process;
let ports: number[];
let good: RPCClient;

beforeAll(async () => {
  services = await startServices();
  openssl = await OpenSsl.open();
  const { certificate, key } = await openssl.certificate({ subject: '/CN=localhost' });
  const files = {
    certificate: join(openssl.directory, 'server.pem'),
    key: join(openssl.directory, 'server.key'),
  };
  await writeFile(files.certificate, certificate);
  await writeFile(files.key, key);
  manager = await startManagerProcess(services);
  ports = await freePorts(3);
  const [ws = 0, wss = 0, status = 0] = ports;
  gateway = run(['gateway'], {
    EVANDER_WS_PORT: ws,
    EVANDER_WSS_PORT: wss,
    EVANDER_GATEWAY_STATUS_PORT: status,
    EVANDER_MANAGER_URL: manager.apiUrl,
    EVANDER_MQTT_URL: services.mqttUrlOf('gateway'),
    EVANDER_MQTT_PREFIX: services.mqttPrefix,
    EVANDER_GATEWAY_SECRET: gatewaySecretOf(SECRET),
    EVANDER_TLS_CERTIFICATE_FILES: files.certificate,
    EVANDER_TLS_KEY_FILES: files.key,
    // Each handshake comes from a different address, so that none is throttled for another's failures.
    EVANDER_TRUSTED_PROXIES: '127.0.0.1',
  });
  await isServing(`http://127.0.0.1:${status}/health/ready`, gateway);
  await apiOf(manager.apiUrl)('PUT', '/tags/TAG1', { status: 'Accepted' });
  good = foreignStation({ url: `ws://127.0.0.1:${ws}/ws` }, 'GOOD');
  await good.connect();
  await good.call('BootNotification', { chargePointVendor: 'Good', chargePointModel: 'M' });
}, 60_000);
afterAll(async () => {
  await good?.close();
  await gateway?.kill();
  await manager?.process.kill();
  await openssl?.close();
  await services?.close();
});

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${ports[2]}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1]);
}

function gatewayMemory(): Promise<number> {
  return metric('process_resident_memory_bytes');
}

/** Processes each sample, several concurrently, while the good station continues; returns its slowest answer in ms. */
async function duringService<T>(
  samples: T[],
  work: (sample: T) => Promise<void>,
): Promise<{ heartbeats: number; slowestMs: number }> {
  const result = { heartbeats: 0, slowestMs: 0 };
  let isOver = false;
  const service = (async () => {
    while (!isOver) {
      const begin = performance.now();
      await good.call('Heartbeat', {});
      result.heartbeats += 1;
      result.slowestMs = Math.max(result.slowestMs, Math.round(performance.now() - begin));
    }
  })();
  const rest = [...samples];
  const workers = Array.from({ length: CONCURRENCY }, async () => {
    for (let sample = rest.shift(); sample !== undefined; sample = rest.shift()) await work(sample);
  });
  await Promise.all(workers);
  isOver = true;
  await service;
  return result;
}

/** Error lines logged by the processes. */
function errorLines(): string[] {
  return [gateway, manager.process]
    .flatMap((process) => process.output().split('\n'))
    .filter((line) => /"level":(50|60)/.test(line) || (line !== '' && !line.startsWith('{')));
}

async function expectHealthy(): Promise<void> {
  // No connection of an accepted and closed sample remains.
  await eventually(async () => expect(await metric('evander_gateway_connections')).toBe(1));
  expect([gateway.child.exitCode, manager.process.child.exitCode]).toEqual([null, null]);
  for (const url of [`http://127.0.0.1:${ports[2]}`, manager.apiUrl])
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  expect(errorLines().map((line) => line.slice(0, 1500))).toEqual([]);
  const start = { connectorId: 1, idTag: 'TAG1', meterStart: 1, timestamp: new Date().toISOString() };
  const { transactionId } = (await good.call('StartTransaction', start)) as { transactionId: number };
  const stop = { transactionId, meterStop: 11, timestamp: new Date().toISOString() };
  expect(await good.call('StopTransaction', stop)).toEqual({});
  expect((await apiOf(manager.apiUrl)('GET', `/transactions/${transactionId}`)).body).toMatchObject({
    energyWh: 10,
  });
}

test('thousands of broken handshakes are all rejected while a good station is served', async () => {
  const [ws = 0] = ports;
  const before = await gatewayMemory();
  const counts: Record<string, number> = {};
  const faults: string[] = [];
  const samples = fc.sample(handshakeBytes, { seed: SEED, numRuns: RUNS });
  const service = await duringService(samples, async (bytes) => {
    const answer = await exchange(ws, bytes, 300);
    const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 'none';
    counts[status] = (counts[status] ?? 0) + 1;
    if (Number(status) >= 500)
      faults.push(`${status} for ${JSON.stringify(bytes.toString('latin1').slice(0, 500))}`);
  });
  const growth = (await gatewayMemory()) - before;
  console.log(
    `seed ${SEED}: ${samples.length} handshakes: ${JSON.stringify({ ...counts, ...service, growthMiB: growth >> 20 })}`,
  );
  expect({ seed: SEED, faults }).toEqual({ seed: SEED, faults: [] });
  expect(service.heartbeats).toBeGreaterThan(10);
  expect(growth).toBeLessThan(GROWTH_LIMIT);
  await expectHealthy();
}, 120_000);

test('thousands of broken frames cause no crash and no internal error while a good station is served', async () => {
  const [ws = 0] = ports;
  const before = await gatewayMemory();
  let frames = 0;
  let refused = 0;
  const samples = fc.sample(burst, { seed: SEED, numRuns: Math.ceil(RUNS / 4) });
  const service = await duringService(
    samples.map((sample, i) => ({ sample, i })),
    async ({ sample, i }) => {
      const socket = await openSocket(ws, `/ws/FUZZ-${i % 100}`, `10.${(i >> 8) & 255}.${i & 255}.1`);
      if (!socket) {
        refused += 1;
        return;
      }
      const closed = once(socket, 'close');
      for (const bytes of sample) {
        if (socket.destroyed) break;
        frames += 1;
        if (!socket.write(bytes)) await Promise.race([once(socket, 'drain'), closed]);
      }
      // Some close cleanly, others vanish.
      if (i % 2 === 0) socket.end();
      else setTimeout(() => socket.destroy(), 50);
      setTimeout(() => socket.destroy(), 2000).unref();
      await closed;
    },
  );
  const growth = (await gatewayMemory()) - before;
  console.log(
    `seed ${SEED}: ${frames} frames on ${samples.length} connections, ${refused} refused: ${JSON.stringify({ ...service, growthMiB: growth >> 20 })}`,
  );
  expect(frames).toBeGreaterThan(samples.length);
  expect(service.heartbeats).toBeGreaterThan(10);
  expect(growth).toBeLessThan(GROWTH_LIMIT);
  await expectHealthy();
}, 120_000);
