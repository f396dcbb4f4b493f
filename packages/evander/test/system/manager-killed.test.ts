// Long: starts and kills whole processes.
// Slow: starts and kills whole processes.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Fleet } from '@evander/station';
import { apiOf, startServices } from './fixture.ts';
import type { Services } from './fixture.ts';
import { differences } from '../../../../test/ledgers.ts';
import { startManagerProcess } from './manager-process.ts';
import type { ManagerProcess } from './manager-process.ts';

let services: Services;
let managers: ManagerProcess[] = [];
beforeAll(async () => {
  services = await startServices();
});
afterAll(async () => {
  for (const { process } of managers) if (process.child.exitCode === null) await process.kill();
  await services.close();
});

test('killing a manager while 50 stations charge loses and duplicates nothing', async () => {
  managers = await Promise.all([startManagerProcess(services), startManagerProcess(services)]);
  const [doomed, other] = managers as [ManagerProcess, ManagerProcess];
  await apiOf(other.apiUrl)('PUT', '/tags/TAG1', { status: 'Accepted' });
  const gateway = await services.startGateway([other, doomed]);
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
