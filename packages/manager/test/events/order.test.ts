import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { openDatabase } from '../../src/database/database.ts';
import type { Database } from '../../src/database/database.ts';
import * as events from '../../src/events/events.store.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
let database: Database;
beforeAll(async () => {
  manager = await openTestManager();
  database = openDatabase({ url: manager.databaseUrl, poolSize: 30, onError: () => {} });
});
afterAll(async () => {
  await database.close();
  await manager.close();
});

const ALL = { kinds: null, stationIds: null };

async function write(stationId: string, holdMs: number, fails = false): Promise<void> {
  const work = database.transaction(async (db) => {
    await db.query({
      text: `INSERT INTO security_events VALUES ($1, $2, clock_timestamp(), false, NULL, now())`,
      values: [stationId, `after ${holdMs} ms`],
    });
    await delay(holdMs);
    if (fails) throw new Error('rolled back');
  });
  await (fails ? expect(work).rejects.toThrow('rolled back') : work);
}

test('a reader that follows the ids misses nothing, even if transactions commit in another order', async () => {
  await events.sequence(database, 100);
  let isDone = false;
  // More managers, and busier ones, than in production.
  const managers = Array.from({ length: 6 }, async () => {
    while (!isDone) await events.sequence(database, 3);
  });
  const seen: events.Event[] = [];
  let after = await events.newestId(database);
  const reader = (async () => {
    for (;;) {
      const wasDone = isDone;
      const found = await events.listAfter(database, ALL, { after, rows: 7 });
      seen.push(...found);
      after = found.at(-1)?.id ?? after;
      if (wasDone && found.length === 0) return;
    }
  })();
  const perStation = 15;
  await Promise.all(
    Array.from({ length: 20 }, async (_, station) => {
      for (let i = 0; i < perStation; i++)
        await write(`S${station}`, (station * 7 + i * 13) % 60, i % 5 === 4);
    }),
  );
  while ((await manager.rows('SELECT FROM event_intake')).length > 0) await delay(20);
  isDone = true;
  await reader;
  await Promise.all(managers);
  const committed = await manager.rows('SELECT station_id, type FROM security_events');
  expect(committed).toHaveLength(20 * 12);
  expect(seen).toHaveLength(committed.length);
  expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
  // The events of a station arrive in the order of their commits.
  for (let station = 0; station < 20; station++) {
    const own = seen.filter(({ stationId }) => stationId === `S${station}`);
    const times = own.map(({ data }) => String(data.occurredAt));
    expect(times).toEqual([...times].sort());
  }
}, 60_000);

test('a transaction that stays open for long delays no other events', async () => {
  await database.transaction(async (db) => {
    await db.query({ text: "INSERT INTO security_events VALUES ('LONG', 'X', now(), false, NULL, now())" });
    await write('SHORT', 0);
    const before = await events.newestId(database);
    expect(await events.sequence(database, 100)).toBe(1);
    const [event] = await events.listAfter(database, ALL, { after: before, rows: 10 });
    expect(event?.stationId).toBe('SHORT');
  });
  const before = await events.newestId(database);
  await events.sequence(database, 100);
  const [event] = await events.listAfter(database, ALL, { after: before, rows: 10 });
  expect(event?.stationId).toBe('LONG');
});

test('only one session at a time assigns ids, until its commit', async () => {
  await write('FIRST', 0);
  await database.transaction(async (db) => {
    expect(await events.sequence(db, 100)).toBe(1);
    await write('SECOND', 0);
    expect(await events.sequence(database, 100)).toBeNull();
  });
  expect(await events.sequence(database, 100)).toBe(1);
  const rows = await manager.rows(
    "SELECT station_id FROM events WHERE station_id IN ('FIRST', 'SECOND') ORDER BY id",
  );
  expect(rows.map(({ station_id }) => station_id)).toEqual(['FIRST', 'SECOND']);
});
