import type { Connection, Presence } from '@evander/broker';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDatabase } from '../../src/database/database.ts';
import { recordPresence } from '../../src/presence/presence.ts';
import { createWriter } from '../../src/station-writer.ts';
import { IS_CONNECTED } from '../../src/stations/connections.store.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());

function connection(stationId: string, connectionId: string): Connection {
  return { stationId, connectionId, remoteAddress: '127.0.0.1', connectedAt: '2026-11-20T10:00:00.000Z' };
}

async function report(gatewayId: string, presence: Presence): Promise<void> {
  const { database } = manager;
  await recordPresence(gatewayId, presence, {
    database,
    writer: createWriter(database),
    now: () => new Date(),
  });
}

async function isConnected(stationId: string): Promise<unknown> {
  const rows = await manager.rows(
    `SELECT ${IS_CONNECTED} AS yes FROM connections c JOIN gateways g USING (gateway_id) WHERE station_id = $1`,
    [stationId],
  );
  return rows[0]?.yes;
}

test('follows a station as it connects and disconnects', async () => {
  await report('gw-a', { kind: 'connected', connections: [connection('S1', '1')] });
  expect(await isConnected('S1')).toBe(true);
  await report('gw-a', { kind: 'disconnected', connections: [connection('S1', '1')] });
  expect(await isConnected('S1')).toBe(false);
});

test('the late close of an older connection changes nothing', async () => {
  await report('gw-a', { kind: 'connected', connections: [connection('S2', '1')] });
  await report('gw-b', { kind: 'connected', connections: [connection('S2', '2')] });
  await report('gw-a', { kind: 'disconnected', connections: [connection('S2', '1')] });
  expect(await isConnected('S2')).toBe(true);
  await report('gw-a', { kind: 'connected', connections: [connection('S2', '1')] });
  expect(await manager.rows("SELECT gateway_id FROM connections WHERE station_id = 'S2'")).toEqual([
    { gateway_id: 'gw-b' },
  ]);
});

test('an ended connection stays ended, even if the events arrive in reverse order', async () => {
  await report('gw-a', { kind: 'disconnected', connections: [connection('S3', '1')] });
  await report('gw-a', { kind: 'connected', connections: [connection('S3', '1')] });
  expect(await isConnected('S3')).toBe(false);
});

test("when a gateway is gone its stations count as disconnected, until the gateway's next sign of life", async () => {
  await report('gw-c', { kind: 'connected', connections: [connection('S4', '1')] });
  await report('gw-c', { kind: 'gone' });
  expect(await isConnected('S4')).toBe(false);
  await report('gw-c', { kind: 'alive' });
  expect(await isConnected('S4')).toBe(true);
  await manager.rows("UPDATE gateways SET alive_at = now() - interval '1 minute' WHERE gateway_id = 'gw-c'");
  expect(await isConnected('S4')).toBe(false);
});

test('a listing corrects missed events, and does not change connections newer than itself', async () => {
  const listed = connection('S5', '1');
  await report('gw-d', {
    kind: 'connected',
    connections: [listed, connection('S6', '2'), connection('S7', '9')],
  });
  await report('gw-d', {
    kind: 'listing',
    after: '',
    upTo: '5',
    connections: [listed, connection('S8', '3')],
  });
  expect(await Promise.all(['S5', 'S6', 'S7', 'S8'].map(isConnected))).toEqual([true, false, true, true]);
});

test('counts rejected handshakes by station and reason', async () => {
  const handshake = {
    stationId: 'X1',
    status: 401,
    reason: 'wrong password',
    remoteAddress: '::1',
    at: '2026-11-20T10:00:00.000Z',
  };
  await report('gw-a', {
    kind: 'rejected',
    handshakes: [handshake, { ...handshake, at: '2026-11-20T11:00:00.000Z' }],
  });
  await report('gw-b', { kind: 'rejected', handshakes: [{ ...handshake, at: '2026-11-20T10:30:00.000Z' }] });
  expect(
    await manager.rows("SELECT status, count, last_at FROM rejected_handshakes WHERE station_id = 'X1'"),
  ).toEqual([{ status: 401, count: 3, last_at: new Date('2026-11-20T11:00:00Z') }]);
});

test('records unreadable frames and their answers', async () => {
  const frame = {
    stationId: 'S1',
    connectionId: '1',
    receivedAt: '2026-11-20T10:00:00.000Z',
    text: '[2\0',
    reason: 'not JSON',
    answer: '[4]',
  };
  await report('gw-a', { kind: 'unreadable', frames: [frame] });
  const rows = await manager.rows(
    "SELECT direction, raw, error_description FROM frames WHERE station_id = 'S1' AND type = 0 ORDER BY direction",
  );
  expect(rows).toEqual([
    { direction: 'in', raw: '[2\ufffd', error_description: 'not JSON' },
    { direction: 'out', raw: '[4]', error_description: null },
  ]);
});

/** The events of stations whose ids start with `prefix`, in order. */
async function eventsOf(prefix: string): Promise<unknown[]> {
  const rows = await manager.rows(
    `SELECT station_id, kind, data ->> 'connectionId' AS id FROM event_intake WHERE station_id LIKE $1 ORDER BY intake_id`,
    [`${prefix}%`],
  );
  return rows.map(({ station_id, kind, id }) => [station_id, kind, id]);
}

test('parts of a listing are independent of each other, whichever managers receive them and in whatever order', async () => {
  const held = Array.from({ length: 9 }, (_, i) => connection(`P${i}`, String(i + 1)));
  await report('gw-p', { kind: 'connected', connections: held });
  const left = held.filter((_, i) => i % 3 !== 0);
  const part = (after: string, upTo: string): Presence => ({
    kind: 'listing',
    after,
    upTo,
    connections: left.filter(({ connectionId }) => connectionId > after && connectionId <= upTo),
  });
  const shown = (): Promise<unknown[]> => Promise.all(held.map(({ stationId }) => isConnected(stationId)));
  await report('gw-p', part('6', '9'));
  expect(await shown()).toEqual([true, true, true, true, true, true, false, true, true]);
  await Promise.all([
    report('gw-p', part('3', '6')),
    report('gw-p', part('', '3')),
    report('gw-p', part('3', '6')),
  ]);
  expect(await shown()).toEqual([false, true, true, false, true, true, false, true, true]);
  expect((await eventsOf('P')).slice(9).map((event) => (event as string[])[1])).toEqual(
    Array.from({ length: 3 }, () => 'station.disconnected'),
  );
});

test('a thousand stations that reconnect and boot together cost few statements, with events in order for each', async () => {
  const stationIds = Array.from({ length: 1000 }, (_, i) => `B${i}`);
  await manager.rows('INSERT INTO stations (station_id) SELECT unnest($1::text[])', [stationIds]);
  const before = await statements();
  const writer = createWriter(manager.database);
  const at = new Date();
  const context = { database: manager.database, writer, now: () => at };
  const request = { chargePointVendor: 'V', chargePointModel: 'M' };
  await Promise.all(
    stationIds.map(async (stationId) => {
      const connections = [connection(stationId, '1')];
      await recordPresence('gw-b', { kind: 'connected', connections }, context);
      await writer.boots.add([{ stationId, at, request }]);
    }),
  );
  expect((await statements()) - before).toBeLessThan(100);
  const events = await eventsOf('B');
  expect(events).toHaveLength(2000);
  const order = new Map<unknown, unknown[]>();
  for (const [stationId, kind] of events as string[][])
    order.set(stationId, [...(order.get(stationId) ?? []), kind]);
  for (const kinds of order.values()) expect(kinds).toEqual(['station.connected', 'station.booted']);
});

/** Number of committed database transactions so far; a statement outside a transaction counts as one. */
async function statements(): Promise<number> {
  await manager.rows('SELECT pg_stat_force_next_flush()');
  const rows = await manager.rows(
    'SELECT xact_commit::int AS count FROM pg_stat_database WHERE datname = current_database()',
  );
  return Number(rows[0]?.count);
}

test('connects and disconnects of one station that arrive together are recorded in order', async () => {
  const { database } = manager;
  const context = { database, writer: createWriter(database), now: () => new Date() };
  const [one, two] = [connection('F1', '1'), connection('F1', '2')];
  const others = Array.from({ length: 5 }, (_, i) => connection(`F${i + 2}`, '1'));
  await Promise.all([
    recordPresence('gw-f', { kind: 'connected', connections: [one, ...others] }, context),
    recordPresence('gw-f', { kind: 'disconnected', connections: [one] }, context),
    recordPresence('gw-f', { kind: 'connected', connections: [two, two] }, context),
    recordPresence('gw-f', { kind: 'disconnected', connections: [two] }, context),
  ]);
  expect(await eventsOf('F1')).toEqual([
    ['F1', 'station.connected', '1'],
    ['F1', 'station.disconnected', '1'],
    ['F1', 'station.connected', '2'],
    ['F1', 'station.disconnected', '2'],
  ]);
});

test('two managers that receive the same messages have the effect of one', async () => {
  const { database } = manager;
  const managers = [createWriter(database), createWriter(database)];
  const connections = Array.from({ length: 200 }, (_, i) => connection(`T${i}`, '1'));
  for (const kind of ['connected', 'disconnected'] as const)
    await Promise.all(
      managers.map((writer) =>
        recordPresence('gw-t', { kind, connections }, { database, writer, now: () => new Date() }),
      ),
    );
  expect(await eventsOf('T')).toHaveLength(400);
});

test('a manager that fails during a batch leaves all or nothing of it, and a redelivery completes it', async () => {
  const other = openDatabase({ url: manager.databaseUrl, poolSize: 2, onError: () => {} });
  try {
    const connections = Array.from({ length: 50 }, (_, i) => connection(`K${i}`, '1'));
    const presence: Presence = { kind: 'connected', connections };
    const context = { database: other, writer: createWriter(other), now: () => new Date() };
    let recorded: Promise<unknown> | undefined;
    const rolledBack = manager.database.transaction(async (db) => {
      // The batch waits for the lock of this row after it has written others.
      await db.query({
        text: "INSERT INTO connections (station_id, connection_id, gateway_id, connected_at) VALUES ('K25', '0', 'gw-k', now())",
      });
      recorded = recordPresence('gw-k', presence, context).catch((error: unknown) => error);
      for (let ended = 0; ended === 0;) {
        const rows = await manager.rows(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        ended = rows.length;
      }
      throw new Error('on purpose');
    });
    await expect(rolledBack).rejects.toThrow('on purpose');
    expect(await recorded).toBeInstanceOf(Error);
    expect(await eventsOf('K')).toEqual([]);
    await report('gw-k', presence);
    await report('gw-k', presence);
    expect(await eventsOf('K')).toHaveLength(50);
  } finally {
    await other.close();
  }
});
