import { expect, test } from '@jest/globals';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { timeLimit } from '../src/index.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function aborted(signal: AbortSignal): Promise<unknown> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  return signal.reason;
}

test('a limit aborts work that takes too long, even after garbage collection', async () => {
  const outer = new AbortController();
  const ends = Array.from({ length: 20 }, () => aborted(timeLimit(50, outer.signal).signal));
  collectGarbage();
  for (const reason of await Promise.all(ends)) expect(reason).toMatchObject({ name: 'TimeoutError' });
});

test.each([false, true])(
  'the outer signal ends it with its own reason; aborted before: %s',
  async (before) => {
    const outer = new AbortController();
    if (before) outer.abort('closed');
    const limit = timeLimit(60_000, outer.signal);
    if (!before) outer.abort('closed');
    expect(await aborted(limit.signal)).toBe('closed');
    limit.end();
  },
);

test('work that finishes in time is not aborted', async () => {
  const outer = new AbortController();
  const limit = timeLimit(1, outer.signal);
  limit.end();
  outer.abort();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(limit.signal.aborted).toBe(false);
});
