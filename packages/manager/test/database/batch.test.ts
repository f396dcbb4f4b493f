import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { createTestDatabase } from '../../../../test/database.ts';
import { Batch } from '../../src/database/batch.ts';
import { openDatabase } from '../../src/database/database.ts';
import { createWriter } from '../../src/station-writer.ts';
import type { Sample } from '../../src/transactions/meter-values.store.ts';

interface Write {
  rows: number[];
  done(): void;
  fail(error: Error): void;
}

function batchOf(maxRows = 100): { batch: Batch<number>; nextWrite(): Promise<Write>; count(): number } {
  const writes: Write[] = [];
  const takers: ((write: Write) => void)[] = [];
  let count = 0;
  const batch = new Batch<number>({
    name: 'numbers',
    maxRows,
    write: (rows) =>
      new Promise((done, fail) => {
        count++;
        const write = { rows, done, fail };
        const taker = takers.shift();
        if (taker) taker(write);
        else writes.push(write);
      }),
  });
  const nextWrite = (): Promise<Write> => {
    const write = writes.shift();
    return write ? Promise.resolve(write) : new Promise((resolve) => takers.push(resolve));
  };
  return { batch, nextWrite, count: () => count };
}

function shutdown(): Error {
  const error = new pg.DatabaseError('terminating connection', 1, 'error');
  error.code = '57P01';
  return error;
}

test('callers that arrive during a write share the next one', async () => {
  const { batch, nextWrite } = batchOf();
  const first = batch.add([1]);
  const write = await nextWrite();
  const later = [batch.add([2]), batch.add([3, 4]), batch.add([])];
  write.done();
  await first;
  const second = await nextWrite();
  expect([write.rows, second.rows]).toEqual([[1], [2, 3, 4]]);
  second.done();
  await Promise.all(later);
  await batch.idle();
});

test('callers resolve only after the commit', async () => {
  const { batch, nextWrite } = batchOf();
  let isCommitted = false;
  const added = batch.add([1]).then(() => (isCommitted = true));
  const write = await nextWrite();
  await new Promise((resolve) => setImmediate(resolve));
  expect(isCommitted).toBe(false);
  write.done();
  await added;
});

test('writes at most maxRows at once, but never splits rows that were added together', async () => {
  const { batch, nextWrite } = batchOf(3);
  const all = [batch.add([1, 2]), batch.add([3, 4]), batch.add([5, 6, 7, 8, 9])];
  for (const rows of [
    [1, 2],
    [3, 4],
    [5, 6, 7, 8, 9],
  ]) {
    const write = await nextWrite();
    expect(write.rows).toEqual(rows);
    write.done();
  }
  await Promise.all(all);
});

test('only bad rows fail, and finding each costs log₂(n) statements', async () => {
  const cases = fc.integer({ min: 1, max: 300 }).chain((count) =>
    fc.record({
      count: fc.constant(count),
      bad: fc.uniqueArray(fc.nat({ max: count - 1 }), { maxLength: 5 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ({ count, bad }) => {
      const written: number[] = [];
      let statements = 0;
      const batch = new Batch<number>({
        name: 'numbers',
        maxRows: 1000,
        write: (rows) => {
          statements++;
          if (rows.some((row) => bad.includes(row))) return Promise.reject(new Error('bad row'));
          written.push(...rows);
          return Promise.resolve();
        },
      });
      const all = Array.from({ length: count }, (_, row) => row);
      const results = await Promise.allSettled(all.map((row) => batch.add([row])));
      const refused = all.filter((row) => results[row]?.status === 'rejected');
      expect(refused).toEqual([...bad].sort((a, b) => a - b));
      expect(written.sort((a, b) => a - b)).toEqual(all.filter((row) => !bad.includes(row)));
      expect(statements).toBeLessThanOrEqual(1 + 2 * bad.length * Math.ceil(Math.log2(count)));
    }),
    { examples: [[{ count: 55, bad: [0, 11, 22, 33, 54] }], [{ count: 256, bad: [255] }]] },
  );
});

test('a row that the table cannot store does not lose the samples of others', async () => {
  const created = await createTestDatabase();
  const database = openDatabase({ url: created.url, poolSize: 2, onError: () => {} });
  const { meterValues } = createWriter(database);
  const sample = (stationId: string, connectorId: number): Sample => ({
    stationId,
    connectorId,
    transactionId: null,
    transactionInferred: false,
    measuredAt: new Date(0),
    context: 'Sample.Periodic',
    measurand: 'Energy.Active.Import.Register',
    phase: null,
    location: 'Outlet',
    format: 'Raw',
    unit: 'Wh',
    value: '1',
    receivedAt: new Date(),
  });
  const results = await Promise.allSettled(
    Array.from({ length: 55 }, (_, i) =>
      meterValues.add([sample(`CP${i}`, i % 11 === 0 ? 3_000_000_000 : 1)]),
    ),
  );
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(5);
  const { rows } = await database.query({ text: 'SELECT FROM meter_values' });
  expect(rows).toHaveLength(50);
  await database.close();
  await created.drop();
});

test('if the database goes away during the search for a bad row, the other parts are not tried', async () => {
  const { batch, nextWrite, count } = batchOf();
  const results = Promise.allSettled(Array.from({ length: 8 }, (_, row) => batch.add([row])));
  (await nextWrite()).fail(new Error('bad row'));
  (await nextWrite()).done();
  (await nextWrite()).fail(shutdown());
  expect((await results).map(({ status }) => status === 'fulfilled')).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  expect(count()).toBe(3);
});

test('if the database is unavailable, all rows fail without being tried one by one', async () => {
  const { batch, nextWrite, count } = batchOf();
  const results = Promise.allSettled([batch.add([1]), batch.add([2])]);
  (await nextWrite()).fail(shutdown());
  expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(count()).toBe(1);
});

test('rows with the same key are written one at a time, in order, and rows with other keys do not wait', async () => {
  const writes: string[][] = [];
  const batch = new Batch<string, string>({
    name: 'words',
    maxRows: 3,
    keyOf: (word) => word.charAt(0),
    write: async (words) => {
      writes.push(words);
      await new Promise((resolve) => setImmediate(resolve));
      return words.map((word) => word.toUpperCase());
    },
  });
  const words = ['a1', 'a2', 'b1', 'a3', 'c1', 'd1', 'b2'];
  const results = await Promise.all(words.map((word) => batch.add([word])));
  expect(results).toEqual(words.map((word) => [word.toUpperCase()]));
  expect(writes).toEqual([['a1', 'b1', 'c1'], ['a2', 'd1', 'b2'], ['a3']]);
});
