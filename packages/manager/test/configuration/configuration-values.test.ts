import { expect, test } from '@jest/globals';
import { isSameValue, readBoolean, readInteger } from '../../src/configuration/configuration-keys.ts';

const OFFLINE = 'LocalAuthorizeOffline';
const INTERVAL = 'HeartbeatInterval';
const DATA = 'MeterValuesSampledData';

test.each([
  // What real stations report for a boolean: false, False, 0.
  [OFFLINE, '0', 'false', true],
  [OFFLINE, '1', 'true', true],
  [OFFLINE, ' TRUE ', 'true', true],
  [OFFLINE, 'False', '0', true],
  [OFFLINE, '0', 'true', false],
  [OFFLINE, '', 'false', false],
  [OFFLINE, 'no', 'false', false],
  [OFFLINE.toUpperCase(), '1', 'true', true],
  [INTERVAL, '030', '30', true],
  [INTERVAL, ' 30', '30', true],
  [INTERVAL, '30.0', '30', true],
  [INTERVAL, '+30', '30', true],
  [INTERVAL, '30.5', '30', false],
  [INTERVAL, '3.0', '30', false],
  [INTERVAL, '1', 'true', false],
  [INTERVAL, '', '0', false],
  [DATA, 'Voltage, Temperature', 'Voltage,Temperature', true],
  [DATA, 'temperature,Voltage', 'Voltage,Temperature', true],
  [DATA, 'Voltage,Temperature,', 'Voltage,Temperature', true],
  [DATA, 'Voltage,Voltage', 'Voltage', true],
  [DATA, 'Voltage', 'Voltage,Temperature', false],
  [DATA, '', ',', true],
  ['ConnectorPhaseRotation', '1.RST,0.RTS', '0.RTS, 1.RST', true],
  ['CpoName', 'evander', 'Evander', false],
  ['VendorKey', '1', 'true', false],
  ['VendorKey', '30.0', '30', false],
  ['VendorKey', 'a,b', 'b,a', false],
  [INTERVAL, null, '', false],
])('%s: %j means %j: %p', (key, one, other, same) => {
  expect(isSameValue(key, one, other)).toBe(same);
  if (one !== null) expect(isSameValue(key, other, one)).toBe(same);
});

test.each([
  ['1', true],
  [' True', true],
  ['0', false],
  ['FALSE', false],
  ['', undefined],
  ['2', undefined],
])('%j is the boolean %p', (text, expected) => {
  expect(readBoolean(text)).toBe(expected);
});

test.each([
  ['-5', -5],
  ['20.', 20],
  ['1e3', undefined],
  ['0x10', undefined],
  ['', undefined],
  ['9'.repeat(16), undefined],
])('%j is the integer %p', (text, expected) => {
  expect(readInteger(text)).toBe(expected);
});
