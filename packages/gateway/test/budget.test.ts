import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { accept, connectDeafStation, connectStation, metric, openStage } from './harness.ts';
import type { StationSocket } from './harness.ts';

/** Milliseconds until a Heartbeat is answered. */
async function msOfHeartbeat(station: StationSocket): Promise<number> {
  const startedMs = performance.now();
  expect((await station.call('Heartbeat'))[0]).toBe(3);
  return performance.now() - startedMs;
}

// The budget allows a burst of ten seconds' worth; each row sends two seconds' worth more.
test.each<[string, (station: StationSocket) => void, number]>([
  [
    'frames',
    (station) => {
      for (let i = 0; i < 600; i++) station.send([2, `${i}`, 'Heartbeat', {}]);
    },
    600,
  ],
  [
    'bytes',
    (station) => station.send([2, 'long', 'DataTransfer', { vendorId: 'V', data: 'x'.repeat(600_000) }]),
    1,
  ],
  [
    'pongs',
    (station) => {
      for (let i = 0; i < 600; i++) station.socket.pong();
    },
    0,
  ],
  [
    'blank messages',
    (station) => {
      for (let i = 0; i < 600; i++) station.send(' ');
    },
    0,
  ],
])(
  "%s above a station's budget are read later, none is dropped, and other stations are not affected",
  async (_name, send, calls) => {
    const { gateway, manager } = await openStage({
      limits: { framesPerSecond: 50, bytesPerSecond: 50_000 },
      // No pong is missed while the socket is not read.
      pingMs: 1000,
    });
    const station = await connectStation(gateway, 'eager');
    const other = await connectStation(gateway, 'other');
    send(station);
    // Frames read together with the last one within the budget are served: the next one is late.
    const late = msOfHeartbeat(station).then(async (ms) => ms + (await msOfHeartbeat(station)));
    const [ms, ofOther] = await Promise.all([late, msOfHeartbeat(other)]);
    expect(ms).toBeGreaterThan(1000);
    expect(ofOther).toBeLessThan(ms);
    expect(station.frames.items.filter(([type]) => type === 3)).toHaveLength(calls + 2);
    // A call that was answered late has been published again.
    const ids = manager.calls.items.flatMap(({ stationId, envelope }) =>
      stationId === 'eager' ? [envelope.id] : [],
    );
    expect(new Set(ids).size).toBe(calls + 2);
    // Afterwards everything works as before.
    expect((await station.call('Heartbeat'))[0]).toBe(3);
    expect(station.socket.readyState).toBe(station.socket.OPEN);
  },
  20_000,
);

test('waiting calls are limited in bytes, per station and in total; all are answered in the end', async () => {
  const { gateway, manager } = await openStage({ limits: { queuedBytes: 300_000 } });
  manager.answerer = () => undefined;
  const stations = await Promise.all([1, 2, 3, 4, 5].map((i) => connectStation(gateway, `CP${i}`)));
  const data = 'x'.repeat(100_000);
  for (const station of stations)
    for (let i = 0; i < 10; i++) station.send([2, `${i}`, 'DataTransfer', { vendorId: 'V', data }]);
  await Promise.all(
    stations.map((_, i) => manager.calls.first(({ stationId }) => stationId === `CP${i + 1}`)),
  );
  // One of each station, and the calls read before the limit was reached.
  expect(await metric(gateway, 'evander_gateway_unanswered_calls')).toBeLessThanOrEqual(15);
  manager.answerer = accept;
  for (const station of stations) {
    const frames = await station.frames.count(10);
    expect(frames.map(([, id]) => id)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  }
});

test('a station that does not read its data is disconnected', async () => {
  const { gateway, manager } = await openStage({ answerTimeoutMs: 5 });
  (await connectDeafStation(gateway, 'deaf')).pause();
  const other = await connectStation(gateway, 'other');
  const data = 'x'.repeat(500_000);
  // Far more than the kernel buffers.
  for (let i = 0; i < 60; i++)
    manager.send('deaf', { type: 2, id: `c${i}`, action: 'DataTransfer', request: { vendorId: 'V', data } });
  await manager.reported('disconnected', ({ connections }) => connections[0]?.stationId === 'deaf');
  expect((await other.call('Heartbeat'))[0]).toBe(3);
});

test('a flood of malformed frames closes the connection, after a bounded number of answers and records', async () => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway, 'flood');
  const other = await connectStation(gateway, 'other');
  for (let i = 0; i < 20_000; i++) station.send(`[2,"${i}","Heartbeat",7]`);
  expect(await station.closed).toMatchObject({ code: 1008 });
  expect((await other.call('Heartbeat'))[0]).toBe(3);
  await manager.reported('disconnected', ({ connections }) => connections[0]?.stationId === 'flood');
  expect(station.frames.items.length).toBeLessThan(1000);
  const reported = manager.presence.items.filter(({ presence }) => presence.kind === 'unreadable');
  expect(reported.length).toBeLessThan(100);
  // It may reconnect, and valid frames are served.
  const again = await connectStation(gateway, 'flood');
  expect((await again.call('Heartbeat'))[0]).toBe(3);
});

test('malformed frames that are not recorded are counted in the next record', async () => {
  const { gateway, manager } = await openStage();
  const station = await connectStation(gateway);
  for (let i = 0; i < 50; i++) station.send(`[2,"${i}","Heartbeat",7]`);
  await station.frames.count(50);
  const isCounted = ({ frames }: { frames: { reason: string }[] }): boolean =>
    / \(\d+ unreadable frames before it were not recorded\)$/.test(frames[0]?.reason ?? '');
  const counted = manager.reported('unreadable', isCounted);
  const more = setInterval(() => station.send('[2,"more","Heartbeat",7]'), 200);
  await counted.finally(() => clearInterval(more));
  // All are answered, and the station stays connected.
  expect((await station.call('Heartbeat'))[0]).toBe(3);
});

test('a realistic offline queue of one day is accepted without a pause', async () => {
  const { gateway } = await openStage();
  const station = await connectStation(gateway);
  const sampledValue = Array.from({ length: 10 }, (_, i) => ({
    value: `${i}`,
    measurand: 'Voltage',
    phase: 'L1',
  }));
  // Two connectors, a sample each five minutes.
  for (let i = 0; i < 576; i++) {
    const payload = { connectorId: 1, meterValue: [{ timestamp: new Date().toISOString(), sampledValue }] };
    expect((await station.call('MeterValues', payload))[0]).toBe(3);
  }
  station.socket.ping();
  await once(station.socket, 'pong');
});
