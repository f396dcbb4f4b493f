import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { recordBoots } from '../../src/presence/boot-batch.store.ts';
import * as connections from '../../src/stations/connections.store.ts';
import * as stations from '../../src/stations/stations.store.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

const STATIONS = Array.from({ length: 300 }, (_, i) => `S${i}`);
const at = new Date('2026-11-20T10:00:00.000Z');

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
  await stations.addUnknown(manager.database, STATIONS);
  await manager.rows('UPDATE stations SET security_profile = 2');
});
afterAll(() => manager.close());

const kinds = (): Promise<Record<string, unknown>[]> =>
  manager.rows(`SELECT kind, count(*)::int AS count, count(DISTINCT station_id)::int AS stations FROM (
    SELECT kind, station_id FROM event_intake UNION ALL SELECT kind, station_id FROM events) e
    WHERE station_id LIKE 'S%' GROUP BY kind ORDER BY kind`);

test('stations that connect and boot in one write have one event each, even if the write is repeated', async () => {
  const events = STATIONS.map((stationId) => ({
    gatewayId: 'gw',
    connection: { stationId, connectionId: '1', connectedAt: at.toISOString(), securityProfile: 1 },
    disconnectedAt: null,
  }));
  const boots = STATIONS.map((stationId) => ({
    stationId,
    at,
    request: { chargePointVendor: 'V', chargePointModel: stationId },
  }));
  for (let round = 0; round < 2; round++) {
    await connections.addGateways(manager.database, ['gw']);
    await connections.record(manager.database, events);
    await recordBoots(manager.database, boots);
  }
  await stations.markSeen(manager.database, new Map(STATIONS.map((id) => [id, new Date(at.getTime() + 1)])));
  expect(await kinds()).toEqual([
    { kind: 'station.booted', count: 300, stations: 300 },
    { kind: 'station.connected', count: 300, stations: 300 },
  ]);
  const wrong = await manager.rows(
    `SELECT FROM event_intake WHERE kind = 'station.booted' AND (data ->> 'model' <> station_id OR data ->> 'stationId' <> station_id)`,
  );
  expect(wrong).toEqual([]);
});

test('a boot updates lastSeenAt', async () => {
  await manager.rows('UPDATE stations SET last_seen_at = NULL, booted_at = NULL');
  const request = { chargePointVendor: 'V', chargePointModel: 'M' };
  await recordBoots(manager.database, [{ stationId: 'S1', at, request }]);
  await stations.markSeen(manager.database, new Map([['S1', new Date(at.getTime() + 5000)]]));
  // A late boot does not set it back.
  await recordBoots(manager.database, [{ stationId: 'S1', at, request }]);
  const rows = await manager.rows(`SELECT last_seen_at AS at FROM stations WHERE station_id = 'S1'`);
  expect(rows).toEqual([{ at: new Date(at.getTime() + 5000) }]);
});

test('finds open connections below the security profile of their station, among the given stations', async () => {
  await manager.rows(`UPDATE connections SET security_profile = 2 WHERE station_id = 'S2'`);
  await manager.rows(`UPDATE connections SET disconnected_at = now() WHERE station_id = 'S3'`);
  const weak = await connections.weakerThanTheirStation(manager.database, ['S1', 'S2', 'S3', 'stranger']);
  expect(weak).toEqual([{ stationId: 'S1', connectionId: '1', securityProfile: 2 }]);
});
