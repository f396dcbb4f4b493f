import { describe, expect, test } from '@jest/globals';
import { checkPayload, OcppError } from '../src/index.ts';
import type { Action, ErrorCode } from '../src/index.ts';

const TIME = '2024-05-01T12:00:00Z';
const boot = { chargePointVendor: 'V', chargePointModel: 'M' };
const status = { connectorId: 1, errorCode: 'NoError', status: 'Available' };
const profile = (limit: unknown, more: object = {}): object => ({
  connectorId: 1,
  csChargingProfiles: {
    chargingProfileId: 1,
    stackLevel: 0,
    chargingProfilePurpose: 'TxProfile',
    chargingProfileKind: 'Absolute',
    chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit }], ...more },
  },
});
const meter = (sampledValue: unknown, timestamp = TIME): object => ({
  connectorId: 1,
  meterValue: [{ timestamp, sampledValue }],
});

function errorOf(action: Action, kind: 'request' | 'response', payload: unknown): OcppError {
  try {
    checkPayload(action, kind, payload);
  } catch (error) {
    if (error instanceof OcppError) return error;
    throw error;
  }
  throw new Error('no error');
}

const GOOD: [Action, 'request' | 'response', object][] = [
  ['BootNotification', 'request', boot],
  ['BootNotification', 'response', { status: 'Accepted', currentTime: TIME, interval: 300 }],
  ['Heartbeat', 'request', {}],
  ['ChangeConfiguration', 'request', { key: 'AuthorizationKey', value: '' }],
  [
    'MeterValues',
    'request',
    meter([
      { value: '1', unit: 'Celcius' },
      { value: '2', unit: 'Celsius' },
    ]),
  ],
  ['SetChargingProfile', 'request', profile(8.1, { minChargingRate: 0.3 })],
  ['GetDiagnostics', 'request', { location: 'ftp://user:p%40ss@[::1]:21/logs?x=1#y' }],
  ['TriggerMessage', 'request', { requestedMessage: 'Heartbeat', connectorId: 0 }],
  ['DataTransfer', 'request', { vendorId: 'V', data: 'x'.repeat(100_000) }],
  ['Authorize', 'request', { idTag: '😀'.repeat(20) }],
];

// Action, kind, payload, code, description.
const BAD: [Action, 'request' | 'response', unknown, ErrorCode, string][] = [
  ['Authorize', 'request', {}, 'OccurenceConstraintViolation', 'idTag is missing'],
  [
    'StatusNotification',
    'request',
    { ...status, connectorId: '1' },
    'TypeConstraintViolation',
    'connectorId must be an integer',
  ],
  [
    'StatusNotification',
    'request',
    { ...status, connectorId: 1.5 },
    'TypeConstraintViolation',
    'connectorId must be an integer',
  ],
  [
    'StatusNotification',
    'request',
    { ...status, info: null },
    'TypeConstraintViolation',
    'info must be a string, not null',
  ],
  [
    'ChangeAvailability',
    'response',
    { status: 'Foo' },
    'PropertyConstraintViolation',
    'status "Foo" is not one of Accepted, Rejected, Scheduled',
  ],
  [
    'Authorize',
    'request',
    { idTag: 'x'.repeat(21) },
    'PropertyConstraintViolation',
    'idTag is longer than 20 characters',
  ],
  [
    'Heartbeat',
    'response',
    { currentTime: '2024-05-01T12:00Z' },
    'PropertyConstraintViolation',
    'currentTime "2024-05-01T12:00Z" is not a valid date-time',
  ],
  [
    'UpdateFirmware',
    'request',
    { location: 'not a uri', retrieveDate: TIME },
    'PropertyConstraintViolation',
    'location is not a valid uri',
  ],
  [
    'SetChargingProfile',
    'request',
    profile(8.15),
    'PropertyConstraintViolation',
    'csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit "8.15" must be a multiple of 0.1',
  ],
  [
    'MeterValues',
    'request',
    meter([]),
    'OccurenceConstraintViolation',
    'meterValue[0].sampledValue must hold at least 1 item(s)',
  ],
  [
    'MeterValues',
    'request',
    meter([{ value: '1' }, {}]),
    'OccurenceConstraintViolation',
    'meterValue[0].sampledValue[1].value is missing',
  ],
  [
    'MeterValues',
    'request',
    meter([{ value: '1', x: 1 }]),
    'FormationViolation',
    'meterValue[0].sampledValue[0].x is not a property of this message',
  ],
  ['Heartbeat', 'request', { a: 1 }, 'FormationViolation', 'a is not a property of this message'],
  ['Heartbeat', 'request', [], 'FormationViolation', 'the payload must be an object'],
  ['Heartbeat', 'request', null, 'FormationViolation', 'the payload must be an object, not null'],
  ['Heartbeat', 'request', 'x', 'FormationViolation', 'the payload must be an object'],
  ['GetConfiguration', 'request', { key: [1] }, 'TypeConstraintViolation', 'key[0] must be a string'],
];

describe('checkPayload', () => {
  test.each(GOOD)('accepts %s %s: %j', (action, kind, payload) => {
    expect(() => checkPayload(action, kind, payload)).not.toThrow();
  });

  test.each(BAD)('rejects %s %s %j with %s', (...[action, kind, payload, code, description]) => {
    expect(errorOf(action, kind, payload)).toMatchObject({ code, message: description });
  });

  test('accepts every limit with one decimal (G.6)', () => {
    for (let tenths = 0; tenths <= 40_000; tenths += 1)
      checkPayload('SetChargingProfile', 'request', profile(tenths / 10));
  });

  test('shortens long values and names', () => {
    const long = 'x'.repeat(10_000);
    expect(errorOf('Heartbeat', 'request', { [long]: 1 }).message.length).toBeLessThan(120);
    expect(errorOf('ClearCache', 'response', { status: long }).message.length).toBeLessThan(120);
    expect(errorOf('GetDiagnostics', 'request', { location: `${long} ` }).message.length).toBeLessThan(120);
  });

  test('treats a prototype key as an additional property', () => {
    const payload: unknown = JSON.parse('{"__proto__":{"idTag":"A"}}');
    expect(() => checkPayload('Authorize', 'request', payload)).toThrow(OcppError);
    expect(errorOf('Heartbeat', 'request', payload).code).toBe('FormationViolation');
  });
});
