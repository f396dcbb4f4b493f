import { expect, test } from '@jest/globals';
import { readCommandLine, UsageError } from '../src/command-line.ts';

test('reads what a fleet needs', () => {
  const args =
    '--stations 3 --id-tag A --id-tag B --fault goOffline=0.5 --speed 60 --duration-seconds 2'.split(' ');
  expect(readCommandLine(args)).toMatchObject({
    durationSeconds: 2,
    fleet: { stations: 3, idTags: ['A', 'B'], faults: { goOffline: 0.5 }, speed: 60, prefix: 'SIM' },
  });
  expect(readCommandLine(['--help'])).toBeUndefined();
});

for (const args of [
  ['--stations', '0'],
  ['--stations', '1.5'],
  ['--speed', 'fast'],
  ['--url', 'http://x'],
  ['--fault', 'nothing=1'],
  ['--fault', 'goOffline=2'],
  ['--fault', 'goOffline'],
  ['--unknown'],
]) {
  test(`refuses ${args.join(' ')}`, () => {
    expect(() => readCommandLine(args)).toThrow(UsageError);
  });
}
