import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { EXIT, HELP, OPTIONS, readCommandLine } from '../src/cli/command-line.ts';
import { UsageError } from '../src/options/usage-error.ts';
import { VENDORS } from '../src/cli/vendors.ts';

test('reads the options of a fleet', () => {
  const args =
    '--stations 3 --id-tag A --id-tag B --fault goOffline=0.5 --speed 60 --duration-seconds 2'.split(' ');
  expect(readCommandLine(args)).toMatchObject({
    durationSeconds: 2,
    fleet: { stations: 3, idTags: ['A', 'B'], faults: { goOffline: 0.5 }, speed: 60, prefix: 'SIM' },
  });
  expect(readCommandLine(['--help'])).toBeUndefined();
});

test('reads a vendor, its firmware, and the output options', () => {
  const read = readCommandLine(['--vendor', 'abb', '--firmware-version-after-update', '9.9', '--json']);
  expect(read).toMatchObject({
    fleet: { identity: { chargePointVendor: 'ABB' }, nextFirmwareVersion: '9.9' },
    show: { json: true, details: true },
  });
  expect(readCommandLine(['--stations', '6'])?.show).toEqual({ json: false, details: false });
  expect(readCommandLine(['--stations', '6', '--details'])?.show.details).toBe(true);
});

test('help lists every option, exit code and vendor', () => {
  const usage = readCommandLine(['--help']);
  expect(usage).toBeUndefined();
  for (const name of [...Object.keys(OPTIONS), ...Object.keys(VENDORS)]) expect(HELP).toContain(name);
  for (const code of Object.values(EXIT)) expect(HELP).toMatch(new RegExp(`[ ;\\n]${code} `));
});

test('reads scripted answers', () => {
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

test('reads certificates per station', () => {
  const directory = mkdtempSync(join(tmpdir(), 'station-'));
  const file = (name: string) => join(directory, name);
  for (const name of ['ca', 'SIM0001.pem', 'SIM0001.key']) writeFileSync(file(name), name);
  const urls = ['--url', 'ws://x', '--wss-url', 'wss://x', '--security-profile', '3', '--pnc', 'oca'];
  const files = ['--ca', file('ca'), '--cert', file('{id}.pem'), '--key', file('{id}.key')];
  const fleet = readCommandLine([...urls, ...files, '--serial-number', 'S-{id}'])?.fleet;
  expect(fleet).toMatchObject({
    endpoints: { wss: 'wss://x' },
    configuration: { SecurityProfile: '3' },
    pnc: 'oca',
  });
  expect(fleet?.own?.('SIM0001')).toEqual({
    tls: { ca: 'ca', cert: 'SIM0001.pem', key: 'SIM0001.key' },
    serialNumber: 'S-SIM0001',
  });
  expect(() => fleet?.own?.('SIM0002')).toThrow(UsageError);
  rmSync(directory, { recursive: true });
});

for (const args of [
  ['--security-profile', '4', '--password', 'p'],
  ['--security-profile', '1'],
  ['--security-profile', '2', '--password', 'p'],
  ['--security-profile', '3', '--url', 'wss://x'],
  ['--wss-url', 'ws://x'],
  ['--cert', 'file'],
  ['--pnc', 'iso'],
  ['--vendor', 'nobody'],
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
