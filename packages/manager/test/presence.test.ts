import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Connection, Presence } from '@evander/broker';
import { recordPresence } from '../src/presence.ts';
import { IS_CONNECTED } from '../src/store/connections.ts';
import { createWriter } from '../src/store/writer.ts';
import { openDesk } from './desk.ts';
import type { Desk } from './desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

function connection(stationId: string, connectionId: string): Connection {
  return { stationId, connectionId, remoteAddress: '127.0.0.1', connectedAt: '2026-11-20T10:00:00.000Z' };
}

async function tell(gatewayId: string, presence: Presence): Promise<void> {
  const { database } = desk;
  await recordPresence(gatewayId, presence, {
    database,
    writer: createWriter(database),
    now: () => new Date(),
  });
}

async function isConnected(stationId: string): Promise<unknown> {
  const rows = await desk.rows(
    `SELECT ${IS_CONNECTED} AS yes FROM connections c JOIN gateways g USING (gateway_id) WHERE station_id = $1`,
    [stationId],
  );
  return rows[0]?.yes;
}

test('follows a station as it comes and goes', async () => {
  await tell('gw-a', { kind: 'connected', connections: [connection('S1', '1')] });
  expect(await isConnected('S1')).toBe(true);
  await tell('gw-a', { kind: 'disconnected', connections: [connection('S1', '1')] });
  expect(await isConnected('S1')).toBe(false);
});

test('the late close of an older connection changes nothing', async () => {
  await tell('gw-a', { kind: 'connected', connections: [connection('S2', '1')] });
  await tell('gw-b', { kind: 'connected', connections: [connection('S2', '2')] });
  await tell('gw-a', { kind: 'disconnected', connections: [connection('S2', '1')] });
  expect(await isConnected('S2')).toBe(true);
  await tell('gw-a', { kind: 'connected', connections: [connection('S2', '1')] });
  expect(await desk.rows("SELECT gateway_id FROM connections WHERE station_id = 'S2'")).toEqual([
    { gateway_id: 'gw-b' },
  ]);
});

test('what ended stays ended, also when the events come the wrong way round', async () => {
  await tell('gw-a', { kind: 'disconnected', connections: [connection('S3', '1')] });
  await tell('gw-a', { kind: 'connected', connections: [connection('S3', '1')] });
  expect(await isConnected('S3')).toBe(false);
});

test("a gateway's death takes its stations away, its next sign of life brings them back", async () => {
  await tell('gw-c', { kind: 'connected', connections: [connection('S4', '1')] });
  await tell('gw-c', { kind: 'gone' });
  expect(await isConnected('S4')).toBe(false);
  await tell('gw-c', { kind: 'alive' });
  expect(await isConnected('S4')).toBe(true);
  await desk.rows("UPDATE gateways SET alive_at = now() - interval '1 minute' WHERE gateway_id = 'gw-c'");
  expect(await isConnected('S4')).toBe(false);
});

test('a list of all connections heals what was missed, and spares what is younger than it', async () => {
  const kept = connection('S5', '1');
  await tell('gw-d', {
    kind: 'connected',
    connections: [kept, connection('S6', '2'), connection('S7', '9')],
  });
  await tell('gw-d', { kind: 'all', asOf: '5', connections: [kept, connection('S8', '3')] });
  expect(await Promise.all(['S5', 'S6', 'S7', 'S8'].map(isConnected))).toEqual([true, false, true, true]);
});

test('counts refused handshakes by station and reason', async () => {
  const handshake = {
    stationId: 'X1',
    status: 401,
    reason: 'wrong password',
    remoteAddress: '::1',
    at: '2026-11-20T10:00:00.000Z',
  };
  await tell('gw-a', {
    kind: 'turnedAway',
    handshakes: [handshake, { ...handshake, at: '2026-11-20T11:00:00.000Z' }],
  });
  expect(await desk.rows("SELECT status, count, last_at FROM turned_away WHERE station_id = 'X1'")).toEqual([
    { status: 401, count: 2, last_at: new Date('2026-11-20T11:00:00Z') },
  ]);
});

test('records what was no frame, and what it was answered', async () => {
  const frame = {
    stationId: 'S1',
    connectionId: '1',
    receivedAt: '2026-11-20T10:00:00.000Z',
    text: '[2\0',
    reason: 'not JSON',
    answer: '[4]',
  };
  await tell('gw-a', { kind: 'unreadable', frames: [frame] });
  const rows = await desk.rows(
    "SELECT direction, raw, error_description FROM frames WHERE station_id = 'S1' AND type = 0 ORDER BY direction",
  );
  expect(rows).toEqual([
    { direction: 'in', raw: '[2\ufffd', error_description: 'not JSON' },
    { direction: 'out', raw: '[4]', error_description: null },
  ]);
});
