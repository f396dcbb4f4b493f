import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CI = fileURLToPath(new URL('../.ci', import.meta.url));
/** Programs on a machine without the tools of the sections. */
const BARE = ['bash', 'dirname', 'id', 'mkdir', 'node', 'rm', 'sed', 'mktemp', 'env'];

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'evander-ci-'));
  mkdirSync(join(root, '.ci'));
  for (const name of ['run', 'common.sh']) cpSync(join(CI, name), join(root, '.ci', name));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Adds a section with these shell lines. */
function addSection(name: string, lines: string): void {
  mkdirSync(join(root, '.ci/sections'), { recursive: true });
  const path = join(root, '.ci/sections', name);
  writeFileSync(path, `#!/usr/bin/env bash\n# of the test\n. "$(dirname "$0")/../common.sh"\n${lines}\n`);
  chmodSync(path, 0o755);
}

function run(args: string[] = [], env: NodeJS.ProcessEnv = {}): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('bash', [join(root, '.ci/run'), ...args], {
    env: { ...process.env, EVANDER_CI_MAY_SKIP: '', ...env },
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

const REPORT = '{"numPassedTests":7,"numFailedTests":0,"numPendingTests":1}';

test('a successful run is green and reports the number of tests', () => {
  addSection('10-one', `echo '${REPORT}' >"$out/one.json"`);
  addSection('20-two', `echo '${REPORT}' >"$out/two.json"`);
  const { status, output } = run();
  expect(output).toContain('tests: 14 passed, 0 failed, 2 skipped');
  expect(status).toBe(0);
});

test('a skipped section makes the run red at its end, unless it is listed', () => {
  addSection('10-one', 'skip "no tool here"');
  addSection('20-two', 'echo two ran');
  const red = run();
  expect(red.output).toMatch(/SKIPPED: no tool here[^]*two ran[^]*one +\d+ s {2}SKIPPED/);
  expect(red.status).toBe(1);
  expect(run([], { EVANDER_CI_MAY_SKIP: 'two' }).status).toBe(1);
  const allowed = run([], { EVANDER_CI_MAY_SKIP: 'two one' });
  expect(allowed.output).toContain('skipped, as EVANDER_CI_MAY_SKIP allows');
  expect(allowed.status).toBe(0);
});

test('a failing section ends the run, even if it may be skipped', () => {
  addSection('10-one', 'false; echo went on');
  addSection('20-two', 'echo two ran');
  const { status, output } = run([], { EVANDER_CI_MAY_SKIP: 'one' });
  expect(output).not.toMatch(/went on|two ran/);
  expect(status).toBe(1);
});

test('a report with failed tests, or with no tests, is red', () => {
  addSection(
    '10-one',
    `echo '${REPORT.replace('"numFailedTests":0', '"numFailedTests":1')}' >"$out/one.json"`,
  );
  expect(run().status).toBe(1);
  addSection('10-one', `echo '${REPORT.replace('7', '0')}' >"$out/one.json"`);
  expect(run().status).toBe(1);
});

test('single sections can be run; an unknown name is rejected', () => {
  addSection('10-one', 'echo one ran');
  addSection('20-two', 'echo two ran');
  const two = run(['two']);
  expect(two.output).not.toContain('one ran');
  expect(two.status).toBe(0);
  const slip = run(['tow']);
  expect(slip.output).toContain('no section "tow", only one two');
  expect(slip.status).toBe(2);
  expect(run([], { EVANDER_CI_MAY_SKIP: 'dokcer' }).status).toBe(2);
});

test.each(['30-mosquitto', '40-helm', '50-alerts', '90-containers'])(
  '%s says so if its tool is missing',
  (name) => {
    const bin = join(root, 'bin');
    mkdirSync(bin);
    for (const tool of BARE) {
      const path = execFileSync('bash', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
      symlinkSync(path, join(bin, tool));
    }
    mkdirSync(join(root, '.ci/sections'));
    cpSync(join(CI, 'sections', name), join(root, '.ci/sections', name));
    // common.sh adds /usr/sbin, where this machine may have the tool: hide it.
    const common = join(root, '.ci/common.sh');
    execFileSync('sed', ['-i', '/^PATH=/d', common]);
    const { status, stdout } = spawnSync('bash', [join(root, '.ci/sections', name)], {
      env: { PATH: bin, HOME: root },
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^SKIPPED: no \w/m);
    expect(status).toBe(77);
  },
);
