import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts, isServing, run } from '../packages/evander/test/system/processes.ts';
import type { Process } from '../packages/evander/test/system/processes.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = fileURLToPath(new URL('../docs/api-tour.md', import.meta.url));
/** A block of commands and its expected output, if any. */
const STEP = /^```sh\n([^]*?)^```\n(?:\n```text\n([^]*?)^```$)?/gm;
/** The block that the test skips: it has already started Evander. */
const STARTED = /<!-- test: started already -->\n\n```sh\n[^]*?^```$/m;
const END = '--- end of step ---';

let directory: string;
let evander: Process | undefined;
let api = 0;
let ws = 0;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'evander-tour-'));
  const [first = 0, second = 0, status = 0] = await freePorts(3);
  api = first;
  ws = second;
  evander = run(['start'], {
    EVANDER_DATA_DIR: join(directory, '.evander'),
    EVANDER_WS_PORT: ws,
    EVANDER_WSS_PORT: '0',
    EVANDER_GATEWAY_STATUS_PORT: status,
    EVANDER_API_PORT: api,
  });
  for (const port of [api, status]) await isServing(`http://127.0.0.1:${port}/health/ready`, evander);
});
afterAll(async () => {
  await evander?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** The shell's output for each block of commands. It runs them in order and stops at the first failure. */
async function outputsOf(blocks: string[]): Promise<string[]> {
  // Run the packages' sources instead of what pnpm would build.
  const station = `"${process.execPath}" --import "${ROOT}node_modules/tsx/dist/esm/index.mjs" --conditions=@evander/source "${ROOT}packages/station/src/main.ts"`;
  const prelude = `set -euo pipefail
npx() { [ "$1 $2 $3" = '--yes pnpm@10 station' ] && shift 3 && NODE_OPTIONS= ${station} --url ws://127.0.0.1:${ws}/ws "$@"; }`;
  const steps = blocks.map((block) => block.replaceAll(':9410', `:${api}`) + `echo '${END}'`);
  const shell = spawn('bash', ['-c', [prelude, ...steps].join('\n')], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [shell.stdout, shell.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(shell, 'close');
  const outputs = output.split(`${END}\n`);
  expect({ code: shell.exitCode, last: outputs.pop() }).toEqual({ code: 0, last: '' });
  return outputs;
}

/** Normalises numbers and times, and removes the CR at the end of CSV lines. */
function withoutNumbers(text: string): string {
  return text.replaceAll('\r', '').replace(/\d+/g, '0').trim();
}

test('the API tour works as the page shows it', async () => {
  const steps = [...(await readFile(PAGE, 'utf8')).replace(STARTED, '').matchAll(STEP)].map(
    ([, commands = '', shown = '']) => ({ commands, shown }),
  );
  expect(steps.length).toBeGreaterThan(8);
  const outputs = await outputsOf(steps.map(({ commands }) => commands));
  for (const [index, { commands, shown }] of steps.entries()) {
    let rest = withoutNumbers(outputs[index] ?? '');
    for (const part of withoutNumbers(shown).split('…')) {
      const fragment = part.trim();
      expect({ commands, fragment, rest }).toEqual({
        commands,
        fragment,
        rest: expect.stringContaining(fragment),
      });
      rest = rest.slice(rest.indexOf(fragment) + fragment.length);
    }
  }
}, 60_000);
