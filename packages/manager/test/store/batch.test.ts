import { expect, test } from '@jest/globals';
import pg from 'pg';
import { Batch } from '../../src/store/batch.ts';

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

test('who comes while a write is under way shares the next', async () => {
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

test('nobody hears of a commit before it is one', async () => {
  const { batch, nextWrite } = batchOf();
  let isCommitted = false;
  const added = batch.add([1]).then(() => (isCommitted = true));
  const write = await nextWrite();
  await new Promise((resolve) => setImmediate(resolve));
  expect(isCommitted).toBe(false);
  write.done();
  await added;
});

test('writes no more rows at once than it may, but never splits what was added together', async () => {
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

test('one bad row fails alone', async () => {
  const { batch, nextWrite } = batchOf();
  const results = Promise.allSettled([batch.add([1]), batch.add([2]), batch.add([3])]);
  (await nextWrite()).fail(new Error('bad row'));
  for (const row of [1, 2, 3]) {
    const write = await nextWrite();
    expect(write.rows).toEqual([row]);
    if (row === 2) write.fail(new Error('bad row'));
    else write.done();
  }
  expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('a database that is away fails all at once: trying each would only take longer', async () => {
  const { batch, nextWrite, count } = batchOf();
  const results = Promise.allSettled([batch.add([1]), batch.add([2])]);
  const shutdown = new pg.DatabaseError('terminating connection', 1, 'error');
  shutdown.code = '57P01';
  (await nextWrite()).fail(shutdown);
  expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(count()).toBe(1);
});
