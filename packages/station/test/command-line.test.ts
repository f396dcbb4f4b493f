import { expect, test } from '@jest/globals';
import { readCommandLine } from '../src/command-line.ts';
import { UsageError } from '../src/usage-error.ts';

test('reads what a fleet needs', () => {
  const args =
    '--stations 3 --id-tag A --id-tag B --fault goOffline=0.5 --speed 60 --duration-seconds 2'.split(' ');
  expect(readCommandLine(args)).toMatchObject({
    durationSeconds: 2,
    fleet: { stations: 3, idTags: ['A', 'B'], faults: { goOffline: 0.5 }, speed: 60, prefix: 'SIM' },
  });
  expect(readCommandLine(['--help'])).toBeUndefined();
});

test('reads how commands are answered', () => {
  const how = [
    'Reset=silence',
    'ClearCache=Rejected',
    'GetLog=error:InternalError',
    'UnlockConnector=after:50',
  ];
  const args = how.flatMap((one) => ['--answer', one]);
  expect(readCommandLine(args)?.fleet.answers).toEqual({
    Reset: 'silence',
    ClearCache: { response: { status: 'Rejected' } },
    GetLog: { error: 'InternalError' },
    UnlockConnector: { afterMs: 50 },
  });
});

for (const args of [
  ['--stations', '0'],
  ['--stations', '1.5'],
  ['--speed', 'fast'],
  ['--url', 'http://x'],
  ['--fault', 'nothing=1'],
  ['--fault', 'goOffline=2'],
  ['--fault', 'goOffline'],
  ['--answer', 'Heartbeat=silence'],
  ['--answer', 'Reset=error:Nothing'],
  ['--answer', 'Reset'],
  ['--unknown'],
]) {
  test(`refuses ${args.join(' ')}`, () => {
    expect(() => readCommandLine(args)).toThrow(UsageError);
  });
}
