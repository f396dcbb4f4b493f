import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Fleet } from '@evander/station';
import { apiOf, ADMIN_KEY, SECRET, startServices } from './fixture.ts';
import type { Services } from './fixture.ts';
import { differences } from './ledgers.ts';
import { freePorts, isServing, run } from './processes.ts';
import type { Process } from './processes.ts';

let services: Services;
const managers: Process[] = [];
beforeAll(async () => {
  services = await startServices();
});
afterAll(async () => {
  for (const manager of managers) if (manager.child.exitCode === null) await manager.kill();
  await services.close();
});

async function startManagerProcess(): Promise<{ process: Process; apiUrl: string }> {
  const [port = 0] = await freePorts(1);
  const process = run(['manager'], {
    EVANDER_API_PORT: port,
    EVANDER_DATABASE_URL: services.databaseUrl,
    EVANDER_MQTT_URL: services.mqttUrl,
    EVANDER_MQTT_PREFIX: services.mqttPrefix,
    EVANDER_SECRET: SECRET,
    EVANDER_ADMIN_KEY: ADMIN_KEY,
    EVANDER_UNKNOWN_STATIONS: 'accept',
    EVANDER_DATABASE_POOL_SIZE: 5,
  });
  managers.push(process);
  const apiUrl = `http://127.0.0.1:${port}`;
  await isServing(`${apiUrl}/health/ready`, process);
  return { process, apiUrl };
}

test('a manager killed while 50 stations charge loses nothing and doubles nothing', async () => {
  const [doomed, other] = await Promise.all([startManagerProcess(), startManagerProcess()]);
  await apiOf(other.apiUrl)('PUT', '/tags/TAG1', { status: 'Accepted' });
  const gateway = await services.startGateway(
    [other, doomed].map(({ apiUrl }) => ({ apiUrl, close: async () => {} })),
  );
  const fleet = new Fleet({
    stations: 50,
    url: gateway.url,
    prefix: 'KILL',
    idTags: ['TAG1'],
    sessions: 3,
    rampPerSecond: 500,
    speed: 2000,
    session: { meterValues: 20, intervalMs: 60_000, withTransactionData: true },
    faults: { dropSocketBeforeAnswer: 0.01, repeatWithNewId: 0.05 },
    retryIntervalMs: 50,
    reconnect: { minMs: 20, maxMs: 200 },
    seed: 4711,
  });
  await fleet.start();
  await answered(fleet, 600);
  await doomed.process.kill();
  await fleet.finished;
  await fleet.stop();
  const statistics = fleet.statistics();
  expect(statistics).toMatchObject({ violations: 0, callErrors: 0, queued: 0, sessionsCompleted: 150 });
  expect(fleet.stations.flatMap(({ ledger }) => ledger.sessions)).toHaveLength(150);
  expect(await differences(fleet.stations, services)).toEqual([]);
}, 120_000);

async function answered(fleet: Fleet, answers: number): Promise<void> {
  while (fleet.statistics().answers < answers) await new Promise((resolve) => setTimeout(resolve, 10));
}
