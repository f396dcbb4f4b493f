import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type pg from 'pg';
import { createTestDatabase } from '../../../../test/database.ts';
import type { TestDatabase } from '../../../../test/database.ts';
import { openDatabase } from '../../src/database/database.ts';
import type { Database, Db } from '../../src/database/database.ts';

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

/** Ends a connection as a database restart does; resolves when the server has closed it. */
async function terminate(pid: number): Promise<void> {
  const { rows } = await database.query<{ ended: boolean }>({
    text: 'SELECT pg_terminate_backend($1, 5000) AS ended',
    values: [pid],
  });
  expect(rows).toEqual([{ ended: true }]);
}

test('a transaction whose connection breaks between two queries fails, but nothing else does', async () => {
  const work = database.transaction(async (db) => {
    await terminate(await pidOf(db));
    await db.query({ text: 'SELECT 1' });
  });
  await expect(work).rejects.toThrow(/terminat|not queryable/);
  expect(await pidOf(database)).toBeGreaterThan(0);
});

test('a transaction whose connection breaks in a query fails, but nothing else does', async () => {
  const work = database.transaction(async (db) => {
    const pid = await pidOf(db);
    await Promise.all([db.query({ text: 'SELECT pg_sleep(60)' }), terminate(pid)]);
  });
  await expect(work).rejects.toThrow('terminating connection');
  expect(await pidOf(database)).toBeGreaterThan(0);
});

test('an export whose connection breaks fails, but nothing else does', async () => {
  const table = (await database.exportCsv({
    text: 'SELECT pg_backend_pid() AS pid FROM generate_series(1, 1000000)',
  })) as Readable;
  const reading = (async () => {
    let seen = 0;
    for await (const page of table as AsyncIterable<Buffer>)
      if (seen++ === 0) await terminate(Number(/\d+/.exec(page.toString())?.[0]));
  })();
  await expect(reading).rejects.toThrow(/terminat|ECONNRESET/);
  // Its slot is free for the next export.
  for (let i = 0; i < 10; i++) expect(await textOf({ text: 'SELECT 1 AS a' })).toBe('a\r\n1\r\n');
  expect(await pidOf(database)).toBeGreaterThan(0);
});

async function textOf(query: pg.QueryConfig): Promise<string> {
  const table = (await database.exportCsv(query)) as Readable;
  return Buffer.concat((await table.toArray()) as Buffer[]).toString();
}

test('values of an export are escaped, whatever they contain', async () => {
  const values = ["'; DROP TABLE stations; --", "a\\'b", 'a,"b"\r\nc', '$1', null, 7, true, new Date(0)];
  const text = `SELECT ${values.map((_, i) => `$${i + 1}::text AS "${i}"`).join(', ')}`;
  expect(await textOf({ text, values })).toBe(
    `0,1,2,3,4,5,6,7\r\n'; DROP TABLE stations; --,a\\'b,"a,""b""\r\nc",$1,,7,true,1970-01-01T00:00:00.000Z\r\n`,
  );
  await expect(database.exportCsv({ text: 'SELECT $1', values: ['\0'] })).rejects.toMatchObject({
    code: '22021',
  });
  await expect(textOf({ text: 'SELECT 1/(n-5) FROM generate_series(1, 10) n' })).rejects.toThrow('zero');
});

test('lines of any length are exported to readers of any speed', async () => {
  const text = `SELECT repeat('x', n * 997 % 100000) AS x FROM generate_series(1, 300) n`;
  const table = (await database.exportCsv({ text })) as Readable;
  const lines: string[] = [];
  let rest = '';
  for await (const page of table as AsyncIterable<Buffer>) {
    const parts = (rest + page.toString()).split('\r\n');
    rest = parts.pop() as string;
    lines.push(...parts);
    await nextTurn();
  }
  expect(rest).toBe('');
  expect(lines.slice(1).map((line) => line.length)).toEqual(
    Array.from({ length: 300 }, (_, i) => ((i + 1) * 997) % 100_000),
  );
});

test('an export that takes too long is aborted, whether the reader or the database is slow, and frees its slot', async () => {
  const short = openDatabase({ url: created.url, poolSize: 2, exportMs: 300, onError: () => {} });
  try {
    const slow = (await short.exportCsv({ text: 'SELECT pg_sleep(60)' })) as Readable;
    await expect(slow.toArray()).rejects.toThrow(/longer than 0.3 s|statement timeout/);
    const unread = (await short.exportCsv({
      text: `SELECT repeat('x', 1000) FROM generate_series(1, 1000000)`,
    })) as Readable;
    await expect(once(unread, 'end')).rejects.toThrow('longer than 0.3 s');
    const busy = `SELECT FROM pg_stat_activity WHERE application_name = 'evander export' AND state = 'active' AND datname = current_database()`;
    while ((await database.query({ text: busy })).rowCount !== 0);
    expect(await short.exportCsv({ text: 'SELECT 1' })).toBeDefined();
  } finally {
    await short.close();
  }
});

test('the server ends statements that take too long, long lock waits and idle transactions', async () => {
  const shown = async (db: Db): Promise<unknown> =>
    (
      await db.query({
        text: `SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
           current_setting('idle_in_transaction_session_timeout') AS idle`,
      })
    ).rows[0];
  expect(await shown(database)).toEqual({ statement: '25s', lock: '10s', idle: '1min' });
  const limits = { lockMs: 50, statementMs: 600_000 };
  expect(await database.transaction(shown, limits)).toEqual({
    statement: '10min',
    lock: '50ms',
    idle: '1min',
  });
  expect(await shown(database)).toEqual({ statement: '25s', lock: '10s', idle: '1min' });
  await database.transaction(async (db) => {
    await db.query({ text: 'LOCK TABLE tags' });
    await expect(
      database.transaction((other) => other.query({ text: 'LOCK TABLE tags' }), { lockMs: 50 }),
    ).rejects.toMatchObject({ code: '55P03' });
  });
});
