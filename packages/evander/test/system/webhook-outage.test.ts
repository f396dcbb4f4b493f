// Long: a receiver is away for seconds.
// Slow: a receiver is away for seconds.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Station } from '@evander/station';
import { Receiver } from '../../../manager/test/webhooks/receiver.ts';
import { apiOf, startServices } from './fixture.ts';
import type { Services } from './fixture.ts';

/** Total time for which the receiver refuses, fails or is silent; a minute with EVANDER_TEST_OUTAGE_SECONDS=60. */
const OUTAGE_MS = Number(process.env.EVANDER_TEST_OUTAGE_SECONDS ?? 3) * 1000;
const STATIONS = 6;

let services: Services;
let api: ReturnType<typeof apiOf>;
let gatewayUrl: string;
const receiver = new Receiver();
const fleet: Station[] = [];
beforeAll(async () => {
  services = await startServices();
  const managers = [await services.startManager(), await services.startManager()];
  gatewayUrl = (await services.startGateway(managers)).url;
  api = apiOf(managers[0]?.apiUrl ?? '');
  await receiver.open();
}, 60_000);
afterAll(async () => {
  await Promise.all(fleet.map((station) => station.close()));
  await receiver.close();
  await services.close();
}, 60_000);

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Stations charge until stopped; resolves with the slowest answer in ms. */
function charging(): () => Promise<number> {
  let isOver = false;
  const work = fleet.map(async (station) => {
    let slowestMs = 0;
    while (!isOver) {
      const connector = station.connector(1);
      await connector.plugIn();
      const session = connector.start('TAG1');
      await session.answered;
      await connector.unplug();
      await session.delivered;
      const startedAt = performance.now();
      await station.call('Heartbeat', {});
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      await pause(1000);
    }
    return slowestMs;
  });
  return async () => {
    isOver = true;
    return Math.max(...(await Promise.all(work)));
  };
}

test('a receiver that was down gets every event when it is back, in order per station', async () => {
  await api('PUT', '/tags/TAG1', { status: 'Accepted' });
  const made = await api('POST', '/webhooks', { url: receiver.url });
  receiver.secret = String(made.body?.secret);
  const hook = `/webhooks/${String(made.body?.webhookId)}`;
  for (let i = 1; i <= STATIONS; i++) {
    const station = new Station({ stationId: `HOOK${i}`, url: gatewayUrl, speed: Infinity });
    fleet.push(station);
    await station.connect();
    await station.boot();
  }
  const stop = charging();
  while (receiver.taken.length < STATIONS * 5) await pause(20);

  await receiver.close();
  await pause(OUTAGE_MS / 3);
  expect((await api('GET', hook)).body).toMatchObject({ active: true, lastError: expect.any(String) });
  receiver.answer = () => 500;
  await receiver.open();
  await pause(OUTAGE_MS / 3);
  receiver.answer = () => 'never';
  await pause(OUTAGE_MS / 3);
  const taken = receiver.taken.length;
  receiver.answer = () => 204;
  const backAt = performance.now();
  const slowestMs = await stop();
  expect(slowestMs).toBeLessThan(1000);

  const known = await services.rows('SELECT id::int AS id, station_id FROM events ORDER BY id');
  const arrived = () => new Set(receiver.taken.map(({ id }) => id));
  while (known.some(({ id }) => !arrived().has(Number(id)))) {
    if (performance.now() - backAt > 150_000) break;
    await pause(50);
  }
  const seconds = ((performance.now() - backAt) / 1000).toFixed(1);
  expect(known.filter(({ id }) => !arrived().has(Number(id)))).toEqual([]);
  expect(receiver.bad).toEqual([]);
  for (const { stationId } of fleet) {
    const first = [
      ...new Set(receiver.taken.filter((one) => one.stationId === stationId).map(({ id }) => id)),
    ];
    expect(first).toEqual([...first].sort((a, b) => a - b));
  }
  while ((await api('GET', hook)).body?.waiting !== 0) await pause(50);
  expect((await api('GET', hook)).body).toMatchObject({ dead: 0, waiting: 0 });
  console.log(
    `away for ${OUTAGE_MS / 1000} s; ${known.length} events, ${known.length - taken} of them held back, all there ${seconds} s after its return; ` +
      `stations waited ${slowestMs.toFixed(0)} ms at most`,
  );
}, 300_000);
