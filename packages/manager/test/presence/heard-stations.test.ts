import { ConnectionClock } from '@evander/broker';
import type { CallEnvelope, Connection } from '@evander/broker';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { recordPresence } from '../../src/presence/presence.ts';
import { createWriter } from '../../src/station-writer.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager({ unknownStations: 'reject' });
});
afterAll(() => manager.close());

const clock = new ConnectionClock('gw-heard');

function connectionOf(stationId: string): Connection {
  return {
    stationId,
    connectionId: clock.next(),
    remoteAddress: '127.0.0.9',
    connectedAt: new Date().toISOString(),
    securityProfile: 0,
  };
}

async function report(kind: 'connected' | 'disconnected', connection: Connection): Promise<void> {
  const { database } = manager;
  const context = { database, writer: createWriter(database), now: () => new Date() };
  await recordPresence('gw-heard', { kind, connections: [connection] }, context);
}

function boot(connection: Connection, more: Partial<CallEnvelope> = {}): Promise<void> {
  return manager.router.route(connection.stationId, {
    type: 2,
    id: `boot of ${connection.connectionId}`,
    action: 'BootNotification',
    request: { chargePointVendor: 'Vendor', chargePointModel: 'Model' },
    connection_id: connection.connectionId,
    received_at: new Date().toISOString(),
    connection,
    ...more,
  });
}

async function register(stationId: string): Promise<Connection> {
  await manager.rows('INSERT INTO stations (station_id) VALUES ($1)', [stationId]);
  return connectionOf(stationId);
}

async function events(stationId: string): Promise<unknown[]> {
  const rows = await manager.rows('SELECT kind FROM event_intake WHERE station_id = $1 ORDER BY intake_id', [
    stationId,
  ]);
  return rows.map(({ kind }) => kind);
}

test('a message that arrives before its presence message records the connection: commands are sent after the boot', async () => {
  const connection = await register('H1');
  await boot(connection);
  const commandId = await manager.callMaker.request({
    stationId: 'H1',
    action: 'Reset',
    request: { type: 'Soft' },
  });
  expect(manager.sent().at(-1)).toMatchObject({ id: commandId, connection_id: connection.connectionId });
  await report('connected', connection);
  expect(await events('H1')).toEqual(['station.connected', 'station.booted']);
  expect(
    await manager.rows("SELECT gateway_id, remote_address FROM connections WHERE station_id = 'H1'"),
  ).toEqual([{ gateway_id: 'gw-heard', remote_address: '127.0.0.9' }]);
});

test('a message handled after the end of its connection does not reopen it', async () => {
  const connection = await register('H2');
  await report('connected', connection);
  await report('disconnected', connection);
  await boot(connection);
  await expect(
    manager.callMaker.request({ stationId: 'H2', action: 'ClearCache', request: {} }),
  ).rejects.toMatchObject({ why: 'notConnected' });
});

test('an old message does not replace a newer connection', async () => {
  const old = await register('H3');
  const newer = connectionOf('H3');
  await report('connected', newer);
  await boot(old);
  expect(await manager.rows("SELECT connection_id FROM connections WHERE station_id = 'H3'")).toEqual([
    { connection_id: newer.connectionId },
  ]);
});

test('a heard station counts as connected for two of its desired heartbeat intervals', async () => {
  await register('H6');
  await manager.rows(
    `INSERT INTO desired_values (station_id, key_lower, key, value) VALUES ('H6', 'heartbeatinterval', 'HeartbeatInterval', '3600')`,
  );
  await manager.router.route('H6', { type: 2, id: '1', action: 'Heartbeat', request: {} });
  const [row] = await manager.rows(
    `SELECT heard_until > now() + interval '7200 seconds' AS long FROM connections WHERE station_id = 'H6'`,
  );
  expect(row).toEqual({ long: true });
});

test('a message without a connection does not change an announced one, and extends an unannounced one', async () => {
  const announced = await register('H4');
  await report('connected', announced);
  const unnamed: CallEnvelope = { type: 2, id: '1', action: 'Heartbeat', request: {} };
  await manager.router.route('H4', unnamed);
  const shown = () =>
    manager.rows(
      "SELECT connection_id, heard_until > now() AS heard, disconnected_at FROM connections WHERE station_id = 'H4'",
    );
  expect(await shown()).toMatchObject([{ connection_id: announced.connectionId, heard: null }]);
  await report('disconnected', announced);
  manager.setNow(new Date(Date.now() + 120_000));
  await manager.router.route('H4', unnamed);
  const [heard] = await shown();
  expect(heard).toMatchObject({ heard: true, disconnected_at: null });
  manager.setNow(new Date(Date.now() + 240_000));
  await manager.router.route('H4', unnamed);
  expect(await shown()).toMatchObject([{ connection_id: heard?.connection_id, heard: true }]);
  // The station moves to a gateway that announces connections.
  manager.setNow(undefined);
  const next = {
    ...connectionOf('H4'),
    connectionId: new ConnectionClock('gw-heard').next(Date.now() + 600_000),
  };
  await report('connected', next);
  expect(await shown()).toMatchObject([{ connection_id: next.connectionId, heard: null }]);
  expect(await events('H4')).toEqual([
    'station.connected',
    'station.disconnected',
    'station.connected',
    'station.connected',
  ]);
});

test('if unknown stations are rejected, a message does not register its station', async () => {
  await manager.router.route('H5', { type: 2, id: '1', action: 'Heartbeat', request: {} });
  expect(await manager.rows("SELECT FROM stations WHERE station_id = 'H5'")).toEqual([]);
});
