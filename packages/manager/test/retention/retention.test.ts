import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createPartitions } from '../../src/database/partitions.ts';
import * as events from '../../src/events/events.store.ts';
import * as cleanups from '../../src/retention/cleanups.ts';
import type { RetainedData } from '../../src/retention/retention.store.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';
import { runRetention } from './retention-run.ts';

let manager: TestManager;
beforeEach(async () => {
  manager = await openTestManager();
  await createPartitions(manager.database, OLD);
});
afterEach(() => manager.close());

const DAY_MS = 86_400_000;
const OLD = new Date(Date.now() - 100 * DAY_MS);
const OLDEST = new Date(Date.now() - 150 * DAY_MS);

function run(days: Partial<Record<RetainedData, number>>): Promise<void> {
  return runRetention(manager, days);
}

async function count(table: string, where = 'true'): Promise<unknown> {
  const [row] = await manager.rows(`SELECT count(*)::int AS count FROM ${table} WHERE ${where}`);
  return row?.count;
}

async function partitionsOf(table: string): Promise<string[]> {
  const rows = await manager.rows(
    'SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1',
    [table],
  );
  return rows.map(({ name }) => String(name));
}

async function measure(transactionId: number | undefined, at: Date): Promise<void> {
  const meterValue = [{ timestamp: at.toISOString(), sampledValue: [{ value: '5' }] }];
  await manager.ask('MeterValues', { connectorId: 1, ...(transactionId && { transactionId }), meterValue });
}

async function start(at: Date): Promise<number> {
  const request = { connectorId: 1, idTag: 'T', meterStart: 0, timestamp: at.toISOString() };
  const { response } = await manager.ask('StartTransaction', request);
  return (response as { transactionId: number }).transactionId;
}

test('partitions are removed when all their rows are too old, and are counted', async () => {
  await manager.rows("INSERT INTO frames VALUES ('CP1', $1, 'in', 2, 'old')", [OLD]);
  const before = await partitionsOf('frames');
  await run({ frames: 30 });
  expect(await count('frames', "message_id = 'old'")).toBe(0);
  expect(await count('frames')).toBeGreaterThan(0);
  const after = await partitionsOf('frames');
  expect(before.length - after.length).toBe(8);
  expect(await manager.metrics.text()).toContain(
    'evander_retention_removed_total{table="frames",what="partitions"} 8',
  );
});

test('0 days keeps data forever', async () => {
  await manager.rows("INSERT INTO frames VALUES ('CP1', $1, 'in', 2, 'old')", [OLD]);
  await run({});
  expect(await count('frames', "message_id = 'old'")).toBe(1);
});

test('meter values of an open transaction stay until it ends, whatever their age', async () => {
  const transactionId = await start(OLD);
  await measure(transactionId, OLD);
  await run({ meterValues: 30 });
  expect(await count('meter_values')).toBe(1);
  const timestamp = new Date().toISOString();
  await manager.ask('StopTransaction', { transactionId, meterStop: 9, timestamp });
  await run({ meterValues: 30 });
  expect(await count('meter_values')).toBe(0);
});

test('the age of meter values with a wrong time is counted from their receipt', async () => {
  await measure(undefined, new Date(Date.UTC(1970, 0, 2)));
  await run({ meterValues: 30 });
  expect(await count('meter_values')).toBe(1);
  await manager.rows('UPDATE meter_values SET received_at = $1', [OLD]);
  await run({ meterValues: 30 });
  expect(await count('meter_values')).toBe(0);
});

test('events stay while an active webhook still has to receive them', async () => {
  const [hook] = await manager.rows(
    "INSERT INTO webhooks (url, sealed_secret, last_event_id) VALUES ('http://x', '', 0) RETURNING webhook_id",
  );
  await manager.rows(
    "INSERT INTO event_intake (at, kind, station_id, data) VALUES ($1, 'x.y', 'CP1', '{}')",
    [OLD],
  );
  await events.sequence(manager.database, 100);
  const [event] = await manager.rows("SELECT id, at FROM events WHERE kind = 'x.y'");
  await run({ events: 30 });
  expect(await count('events', "kind = 'x.y'")).toBe(1);
  await manager.rows('UPDATE webhooks SET last_event_id = 1000');
  await manager.rows(
    'INSERT INTO webhook_deliveries (webhook_id, event_id, event_at, station_id) VALUES ($1, $2, $3, $4)',
    [hook?.webhook_id, event?.id, event?.at, 'CP1'],
  );
  await run({ events: 30 });
  expect(await count('events', "kind = 'x.y'")).toBe(1);
  await manager.rows('UPDATE webhook_deliveries SET dead_at = now()');
  await run({ events: 30 });
  expect(await count('events', "kind = 'x.y'")).toBe(0);
  expect(await count('webhook_deliveries')).toBe(0);
});

test('a partition in use by an open database transaction is left for the next run, without a long wait', async () => {
  await manager.rows("INSERT INTO frames VALUES ('CP1', $1, 'in', 2, 'old')", [OLD]);
  await manager.database.transaction(async (db) => {
    await db.query({ text: 'SELECT FROM frames WHERE recorded_at = $1', values: [OLD] });
    const startedMs = performance.now();
    await run({ frames: 30 });
    expect(performance.now() - startedMs).toBeLessThan(8000);
    expect(await count('frames', "message_id = 'old'")).toBe(1);
  });
  await run({ frames: 30 });
  expect(await count('frames', "message_id = 'old'")).toBe(0);
});

test('rows of unpartitioned tables are removed by age, unless they are open', async () => {
  await manager.command('Reset', { type: 'Soft' }, { status: 'Accepted' });
  await manager.command('ClearCache', {}, { status: 'Accepted' });
  await manager.rows("UPDATE commands SET created_at = $1, completed_at = $1 WHERE action = 'Reset'", [OLD]);
  await manager.rows(
    `INSERT INTO commands (command_id, station_id, action, request, status, created_at, expires_at)
     VALUES (gen_random_uuid(), 'CP9', 'Reset', '{}', 'queued', $1, now())`,
    [OLD],
  );
  await manager.rows(
    `INSERT INTO security_events SELECT 'CP1', 'T' || i, $1, false, NULL, $1 FROM generate_series(1, 12000) i`,
    [OLDEST],
  );
  await manager.ask('SecurityEventNotification', { type: 'New', timestamp: OLDEST.toISOString() });
  await start(OLDEST);
  await run({
    commands: 30,
    securityEvents: 30,
    transactions: 30,
    jobs: 1,
    reservations: 1,
    certificateRequests: 1,
    unmatchedStops: 1,
  });
  expect(
    (await manager.rows('SELECT action, status FROM commands ORDER BY sequence')).map(({ status }) => status),
  ).toEqual(['answered', 'queued']);
  expect(await manager.rows('SELECT type FROM security_events')).toEqual([{ type: 'New' }]);
  expect(await count('transactions')).toBe(1);
});

test('one of all managers runs retention, once an hour', async () => {
  const { database } = manager;
  const claims = Array.from({ length: 8 }, () => cleanups.begin(database, 'retention', 3600));
  expect((await Promise.all(claims)).filter(Boolean)).toHaveLength(1);
  expect(await cleanups.begin(database, 'retention', 3600)).toBe(false);
  await manager.rows("UPDATE chores SET begun_at = now() - interval '1 hour'");
  expect(await cleanups.begin(database, 'retention', 3600)).toBe(true);
});

test('lost and closed transactions are removed like stopped ones; open ones stay and do not block the rest', async () => {
  // More rows than one statement scans.
  await manager.rows(
    `INSERT INTO transactions (station_id, connector_id, id_tag, id_tag_key, id_tag_status, meter_start_wh, started_at,
       start_message_id, start_received_at, start_id_tag_info)
     SELECT 'S' || n, 1, 't', 't', 'Accepted', 0, $1, 'm', $1, '{}' FROM generate_series(1, 50001) n`,
    [OLDEST],
  );
  const at = (hour: number): Date => new Date(OLD.getTime() + hour * 3_600_000);
  const stopped = await start(at(0));
  await manager.rows(
    'UPDATE transactions SET stopped_at = $1, stop_received_at = $1 WHERE transaction_id = $2',
    [OLD, stopped],
  );
  const lost = await start(at(1));
  await manager.rows(
    `UPDATE transactions SET flags = '{supersededByStart}', lost_at = $1 WHERE transaction_id = $2`,
    [OLD, lost],
  );
  const closed = await start(at(2));
  await manager.rows(
    `UPDATE transactions SET closed_at = $1, close_stopped_at = $1, close_reason = 'x' WHERE transaction_id = $2`,
    [OLD, closed],
  );
  await manager.rows('UPDATE transactions SET start_received_at = $1 WHERE station_id = $2', [OLD, 'CP1']);
  const justClosed = await start(at(3));
  await manager.rows(
    `UPDATE transactions SET closed_at = now(), close_stopped_at = $1, close_reason = 'x', start_received_at = $1 WHERE transaction_id = $2`,
    [OLD, justClosed],
  );
  await run({ transactions: 30 });
  expect(
    await manager.rows(`SELECT transaction_id AS id FROM transactions WHERE station_id = 'CP1'`),
  ).toEqual([{ id: justClosed }]);
  expect(await count('transactions', "state = 'open'")).toBe(50_001);
}, 60_000);

test('charging profile applications are removed with the commands, and also jobs that their station never ended', async () => {
  await manager.rows(`INSERT INTO charging_profile_templates (name, definition) VALUES ('t', '{}')`);
  await manager.rows(
    `INSERT INTO charging_profile_applications (template_id, station_id, connector_id, requested_at)
     SELECT template_id, 'CP1', 1, at FROM charging_profile_templates, unnest($1::timestamptz[]) AS at`,
    [[OLD, new Date()]],
  );
  await manager.rows(
    `INSERT INTO station_jobs (station_id, kind, command_id, location, outcome, requested_at, status_at)
     SELECT 'CP1', 'log', gen_random_uuid(), 'x', 'running', $1, at FROM unnest($2::timestamptz[]) AS at`,
    [OLDEST, [OLD, new Date()]],
  );
  await run({ commands: 30, jobs: 30 });
  expect(await count('charging_profile_applications')).toBe(1);
  expect(await count('station_jobs')).toBe(1);
});
