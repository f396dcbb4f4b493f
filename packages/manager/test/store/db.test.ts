import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Readable } from 'node:stream';
import { createTestDatabase } from '../../../../test/database.ts';
import type { TestDatabase } from '../../../../test/database.ts';
import { openDatabase } from '../../src/store/db.ts';
import type { Database, Db } from '../../src/store/db.ts';

let created: TestDatabase;
let database: Database;

beforeEach(async () => {
  created = await createTestDatabase();
  database = openDatabase({ url: created.url, poolSize: 2, onError: () => {} });
});
afterEach(async () => {
  await database.close();
  await created.drop();
});

const pidOf = async (db: Db): Promise<number> =>
  (await db.query<{ pid: number }>({ text: 'SELECT pg_backend_pid() AS pid' })).rows[0]?.pid ?? 0;

/** Ends a connection as a database that is restarted does; resolves when it is gone there. */
async function terminate(pid: number): Promise<void> {
  const { rows } = await database.query<{ ended: boolean }>({
    text: 'SELECT pg_terminate_backend($1, 5000) AS ended',
    values: [pid],
  });
  expect(rows).toEqual([{ ended: true }]);
}

test('a transaction whose connection breaks between two queries fails, and nothing else does', async () => {
  const work = database.transaction(async (db) => {
    await terminate(await pidOf(db));
    await db.query({ text: 'SELECT 1' });
  });
  await expect(work).rejects.toThrow(/terminat|not queryable/);
  expect(await pidOf(database)).toBeGreaterThan(0);
});

test('a transaction whose connection breaks in a query fails, and nothing else does', async () => {
  const work = database.transaction(async (db) => {
    const pid = await pidOf(db);
    await Promise.all([db.query({ text: 'SELECT pg_sleep(60)' }), terminate(pid)]);
  });
  await expect(work).rejects.toThrow('terminating connection');
  expect(await pidOf(database)).toBeGreaterThan(0);
});

test('a stream whose connection breaks fails, and nothing else does', async () => {
  const rows = (await database.stream({
    text: 'SELECT pg_backend_pid() AS pid FROM generate_series(1, 100000)',
  })) as Readable;
  const reading = (async () => {
    let seen = 0;
    for await (const { pid } of rows as AsyncIterable<{ pid: number }>)
      if (seen++ === 0) await terminate(pid);
  })();
  await expect(reading).rejects.toThrow(/terminat|ECONNRESET/);
  // Its place is free for the next.
  for (let i = 0; i < 10; i++)
    expect(await (await database.stream({ text: 'SELECT 1' }))?.toArray()).toHaveLength(1);
  expect(await pidOf(database)).toBeGreaterThan(0);
});
