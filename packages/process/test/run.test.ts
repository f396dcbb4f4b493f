import { expect, test } from '@jest/globals';
import { runSource } from '../../../test/run-source.ts';

/** Runs a process with `body` as its start; returns its exit code and output. */
async function outcome(body: string): Promise<{ code: number | null; output: string }> {
  const index = new URL('../src/index.ts', import.meta.url).href;
  const source = `const { main, OperationalError, SHARED_SETTINGS } = await import(${JSON.stringify(index)});
    await main({ name: 'test', settings: SHARED_SETTINGS, start: async () => { ${body} } });
    setInterval(() => {}, 1000);`;
  return runSource(source);
}

const failed = (error: string) =>
  `return { close: async () => {}, failed: new Promise((_, reject) => setTimeout(reject, 10, ${error})) };`;

test.each([
  ["throw new OperationalError('set X');", 'could not start: set X', false],
  ["throw new TypeError('a bug');", 'could not start', true],
  [failed("new OperationalError('it is gone')"), 'cannot go on: it is gone', false],
  [failed("new TypeError('a bug')"), 'cannot go on', true],
])(
  '%# a process that cannot start or continue exits with 1; a stack is logged unless the environment is at fault',
  async (body, expected, hasStack) => {
    const { code, output } = await outcome(body);
    expect(code).toBe(1);
    const [line = '{}'] = output.trim().split('\n').slice(-1);
    const { level, msg, err } = JSON.parse(line) as { level: number; msg: string; err?: object };
    expect({ level, msg, hasStack: err !== undefined }).toEqual({ level: 60, msg: expected, hasStack });
  },
);
