import { describe, expect, test } from '@jest/globals';
import { OcppError, readPayload } from '../src/index.ts';
import type { Action, ErrorCode } from '../src/index.ts';

const TIME = '2024-05-01T12:00:00Z';
const start = { connectorId: 1, idTag: 'A', meterStart: 0, timestamp: TIME };
const stop = { transactionId: 1, meterStop: 10, timestamp: TIME };
const status = { connectorId: 1, errorCode: 'NoError', status: 'Available' };
const sample = { value: '1' };
const meter = (...sampledValue: unknown[]): object => ({
  connectorId: 1,
  meterValue: [{ timestamp: TIME, sampledValue }],
});
const proto: unknown = JSON.parse('{"__proto__":{"polluted":true}}');

// The received payload, the result, and the only defect.
const REPAIRED: [Action, object, object, string][] = [
  [
    'BootNotification',
    { chargePointVendor: 'V', chargePointModel: 'M', x: 1 },
    { chargePointVendor: 'V', chargePointModel: 'M' },
    'x is not a property of this message: left out',
  ],
  ['StatusNotification', { ...status, info: null }, status, 'info must be a string, not null: left out'],
  [
    'StatusNotification',
    { ...status, info: 'x'.repeat(51) },
    { ...status, info: 'x'.repeat(51) },
    'info is longer than 50 characters: kept',
  ],
  [
    'StatusNotification',
    { ...status, vendorErrorCode: 17 },
    { ...status, vendorErrorCode: '17' },
    'vendorErrorCode must be a string: converted',
  ],
  [
    'StatusNotification',
    { ...status, timestamp: 'now' },
    status,
    'timestamp "now" is not a valid date-time: left out',
  ],
  [
    'StatusNotification',
    { ...status, timestamp: '2013-01-01T00:00Z' },
    { ...status, timestamp: '2013-01-01T00:00Z' },
    'timestamp "2013-01-01T00:00Z" is not a valid date-time: kept',
  ],
  [
    'DataTransfer',
    { vendorId: 'V', data: { a: [1] } },
    { vendorId: 'V', data: '{"a":[1]}' },
    'data must be a string: converted',
  ],
  [
    'DataTransfer',
    { vendorId: 'V', data: true },
    { vendorId: 'V', data: 'true' },
    'data must be a string: converted',
  ],
  ['StartTransaction', { ...start, connectorId: '1' }, start, 'connectorId must be an integer: converted'],
  [
    'StartTransaction',
    { ...start, meterStart: 12.6 },
    { ...start, meterStart: 13 },
    'meterStart must be an integer: converted',
  ],
  [
    'StartTransaction',
    { ...start, meterStart: '12.40' },
    { ...start, meterStart: 12 },
    'meterStart must be an integer: converted',
  ],
  [
    'StartTransaction',
    { ...start, idTag: 4711 },
    { ...start, idTag: '4711' },
    'idTag must be a string: converted',
  ],
  [
    'StartTransaction',
    { ...start, idTag: 'x'.repeat(40) },
    { ...start, idTag: 'x'.repeat(40) },
    'idTag is longer than 20 characters: kept',
  ],
  [
    'StartTransaction',
    { ...start, idTag: 'x'.repeat(6000) },
    { ...start, idTag: 'x'.repeat(300) },
    'idTag is longer than 20 characters: cut to 300 bytes',
  ],
  [
    'StartTransaction',
    { ...start, idTag: '\u{1f600}'.repeat(100) },
    { ...start, idTag: '\u{1f600}'.repeat(75) },
    'idTag is longer than 20 characters: cut to 300 bytes',
  ],
  [
    'StopTransaction',
    { ...stop, reason: `x${'\u4e00'.repeat(100)}` },
    { ...stop, reason: `x${'\u4e00'.repeat(99)}` },
    `reason "x${'\u4e00'.repeat(49)}…" is not one of EmergencyStop, EVDisconnected, HardReset, Local, Other, PowerLoss, Reboot, Remote, SoftReset, UnlockCommand, DeAuthorized: cut to 300 bytes`,
  ],
  [
    'StartTransaction',
    { ...start, timestamp: '2024-05-01 12:00:00' },
    { ...start, timestamp: '2024-05-01 12:00:00' },
    'timestamp "2024-05-01 12:00:00" is not a valid date-time: kept',
  ],
  [
    'StartTransaction',
    { ...start, reservationId: 'none' },
    start,
    'reservationId must be an integer: left out',
  ],
  [
    'StartTransaction',
    { ...start, reservationId: null },
    start,
    'reservationId must be an integer, not null: left out',
  ],
  [
    'StopTransaction',
    { ...stop, reason: 'Bored' },
    { ...stop, reason: 'Bored' },
    'reason "Bored" is not one of EmergencyStop, EVDisconnected, HardReset, Local, Other, PowerLoss, Reboot, Remote, SoftReset, UnlockCommand, DeAuthorized: kept',
  ],
  ['StopTransaction', { ...stop, transactionData: 'x' }, stop, 'transactionData must be an array: left out'],
  [
    'StopTransaction',
    { ...stop, transactionData: [{ timestamp: 'x', sampledValue: [sample] }] },
    { ...stop, transactionData: [{ timestamp: 'x', sampledValue: [sample] }] },
    'transactionData[0].timestamp "x" is not a valid date-time: kept',
  ],
  [
    'StartTransaction',
    { ...start, timestamp: '2022-02-29T07:02:33.000Z' },
    { ...start, timestamp: '2022-02-29T07:02:33.000Z' },
    'timestamp "2022-02-29T07:02:33.000Z" is not a valid date-time: kept',
  ],
  [
    'StartTransaction',
    { ...start, reservationId: 4_294_967_295 },
    start,
    'reservationId "4294967295" must not be above 2147483647: left out',
  ],
  [
    'StartTransaction',
    { ...start, connectorId: 3e9 },
    { ...start, connectorId: 2 ** 31 - 1 },
    'connectorId "3000000000" must not be above 2147483647: read as 2147483647',
  ],
  [
    'StartTransaction',
    { ...start, connectorId: '1.5' },
    { ...start, connectorId: 2 ** 31 - 1 },
    'connectorId must be an integer: read as 2147483647',
  ],
  [
    'StartTransaction',
    { ...start, meterStart: -9e18 },
    { ...start, meterStart: Number.MIN_SAFE_INTEGER },
    'meterStart "-9000000000000000000" must not be below -9007199254740991: read as -9007199254740991',
  ],
  [
    'StopTransaction',
    { ...stop, transactionId: 2 ** 63 },
    { ...stop, transactionId: Number.MAX_SAFE_INTEGER },
    'transactionId "9223372036854776000" must not be above 9007199254740991: read as 9007199254740991',
  ],
  [
    'MeterValues',
    { ...meter(sample), transactionId: 1.5 },
    meter(sample),
    'transactionId must be an integer: left out',
  ],
  [
    'MeterValues',
    { connectorId: 1, meterValue: { timestamp: TIME, sampledValue: [sample] } },
    meter(sample),
    'meterValue must be an array: converted',
  ],
  [
    'MeterValues',
    { connectorId: 1, meterValue: [{ timestamp: TIME, sampledValue: sample }] },
    meter(sample),
    'meterValue[0].sampledValue must be an array: converted',
  ],
  [
    'BootNotification',
    { chargePointVendor: 'V'.repeat(21), chargePointModel: 'M' },
    { chargePointVendor: 'V'.repeat(21), chargePointModel: 'M' },
    'chargePointVendor is longer than 20 characters: kept',
  ],
  [
    'StatusNotification',
    { ...status, connectorId: '1' },
    status,
    'connectorId must be an integer: converted',
  ],
  [
    'StatusNotification',
    { ...status, status: 'Occupied' },
    { ...status, status: 'Occupied' },
    'status "Occupied" is not one of Available, Preparing, Charging, SuspendedEVSE, SuspendedEV, Finishing, Reserved, Unavailable, Faulted: kept',
  ],
  [
    'StatusNotification',
    { connectorId: 1, status: 'Available' },
    status,
    'errorCode is missing: read as NoError',
  ],
  [
    'StatusNotification',
    { ...status, errorCode: '' },
    status,
    'errorCode "" is not one of ConnectorLockFailure, EVCommunicationError, GroundFailure, HighTemperature, InternalError, LocalListConflict, NoError, OtherError, OverCurrentFailure, PowerMeterFailure, PowerSwitchFailure, ReaderFailure, ResetFailure, UnderVoltage, OverVoltage, WeakSignal: read as NoError',
  ],
  [
    'MeterValues',
    meter(sample, { value: 2 }),
    meter(sample, { value: '2' }),
    'meterValue[0].sampledValue[1].value must be a string: converted',
  ],
  [
    'MeterValues',
    meter(sample, { unit: 'Wh' }, sample),
    meter(sample, sample),
    'meterValue[0].sampledValue[1].value is missing: meterValue[0].sampledValue[1] left out',
  ],
  [
    'MeterValues',
    meter(sample, 5),
    meter(sample),
    'meterValue[0].sampledValue[1] must be an object: left out',
  ],
  [
    'MeterValues',
    meter({ ...sample, unit: 'Hertz' }),
    meter({ ...sample, unit: 'Hertz' }),
    'meterValue[0].sampledValue[0].unit "Hertz" is not one of Wh, kWh, varh, kvarh, W, kW, VA, kVA, var, kvar, A, V, K, Celcius, Celsius, Fahrenheit, Percent: kept',
  ],
  ['MeterValues', meter(), meter(), 'meterValue[0].sampledValue must hold at least 1 item(s): kept'],
  [
    'MeterValues',
    { connectorId: 1, meterValue: [] },
    { connectorId: 1, meterValue: [] },
    'meterValue must hold at least 1 item(s): kept',
  ],
  [
    'MeterValues',
    { connectorId: 1 },
    { connectorId: 1, meterValue: [] },
    'meterValue is missing: read as an empty list',
  ],
  [
    'LogStatusNotification',
    { status: 'UploadFailed' },
    { status: 'UploadFailed' },
    'status "UploadFailed" is not one of BadMessage, Idle, NotSupportedOperation, PermissionDenied, Uploaded, UploadFailure, Uploading: kept',
  ],
  [
    'DataTransfer',
    { vendorId: 'V', ...(proto as object) },
    { vendorId: 'V' },
    '__proto__ is not a property of this message: left out',
  ],
];

const REJECTED: [Action, unknown, ErrorCode, string][] = [
  ['Authorize', {}, 'OccurenceConstraintViolation', 'idTag is missing'],
  ['Authorize', { idTag: null }, 'TypeConstraintViolation', 'idTag must be a string, not null'],
  ['Authorize', { idTag: 5 }, 'TypeConstraintViolation', 'idTag must be a string'],
  [
    'Authorize',
    { idTag: 'x'.repeat(21) },
    'PropertyConstraintViolation',
    'idTag is longer than 20 characters',
  ],
  [
    'StatusNotification',
    { ...status, connectorId: 1.5 },
    'TypeConstraintViolation',
    'connectorId must be an integer',
  ],
  [
    'StatusNotification',
    { ...status, connectorId: 3e9 },
    'PropertyConstraintViolation',
    'connectorId "3000000000" must not be above 2147483647',
  ],
  ['StatusNotification', { connectorId: 1 }, 'OccurenceConstraintViolation', 'status is missing'],
  ['BootNotification', {}, 'OccurenceConstraintViolation', 'chargePointVendor is missing'],
  [
    'StartTransaction',
    { ...start, connectorId: {} },
    'TypeConstraintViolation',
    'connectorId must be an integer',
  ],
  [
    'StartTransaction',
    { ...start, timestamp: null },
    'TypeConstraintViolation',
    'timestamp must be a string, not null',
  ],
  ['StartTransaction', {}, 'OccurenceConstraintViolation', 'connectorId is missing'],
  [
    'MeterValues',
    { connectorId: 1, meterValue: 'x' },
    'TypeConstraintViolation',
    'meterValue must be an array',
  ],
  ['SignCertificate', {}, 'OccurenceConstraintViolation', 'csr is missing'],
  ['Heartbeat', [], 'FormationViolation', 'the payload must be an object'],
  ['Heartbeat', null, 'FormationViolation', 'the payload must be an object'],
  ['MeterValues', 7, 'FormationViolation', 'the payload must be an object'],
];

describe('readPayload', () => {
  test('returns a valid payload unchanged', () => {
    const payload = meter(sample);
    const reading = readPayload('MeterValues', 'request', payload);
    expect(reading.payload).toBe(payload);
    expect(reading.defects).toEqual([]);
  });

  test.each(REPAIRED)('repairs %s %j', (action, received, read, defect) => {
    const before = JSON.stringify(received);
    expect(readPayload(action, 'request', received)).toEqual({ payload: read, defects: [defect] });
    expect(JSON.stringify(received)).toBe(before);
  });

  test.each(REJECTED)('rejects %s %j', (action, payload, code, description) => {
    const read = (): unknown => readPayload(action, 'request', payload);
    expect(read).toThrow(OcppError);
    expect(read).toThrow(description);
    expect(read).toThrow(expect.objectContaining({ code }));
  });

  test('treats undefined as absent', () => {
    expect(readPayload('StatusNotification', 'request', { ...status, info: undefined, x: 1 })).toEqual({
      payload: status,
      defects: ['x is not a property of this message: left out'],
    });
  });

  test('counts characters like JSON Schema', () => {
    const idTag = '😀'.repeat(20);
    expect(readPayload('Authorize', 'request', { idTag, x: 1 }).payload).toEqual({ idTag });
    expect(() => readPayload('Authorize', 'request', { idTag: `${idTag}!` })).toThrow(OcppError);
  });

  test('keeps the valid meter values next to invalid ones', () => {
    const good = { timestamp: TIME, sampledValue: [sample] };
    const payload = {
      connectorId: '2',
      meterValue: [good, null, { sampledValue: [sample] }, { timestamp: TIME }],
    };
    const reading = readPayload('MeterValues', 'request', payload);
    expect(reading.payload).toEqual({
      connectorId: 2,
      meterValue: [good, { timestamp: TIME, sampledValue: [] }],
    });
    expect(reading.defects).toHaveLength(4);
  });

  test('is as tolerant with answers as with calls', () => {
    expect(
      readPayload('GetInstalledCertificateIds', 'response', { status: 'NotFound', certificateHashData: [] }),
    ).toEqual({
      payload: { status: 'NotFound', certificateHashData: [] },
      defects: ['certificateHashData must hold at least 1 item(s): kept'],
    });
    const configuration = {
      configurationKey: [
        { key: 'A', readonly: 'TRUE', value: 5 },
        { key: 'B' },
        { key: 'C', readonly: false, value: null },
        { key: 'D', readonly: 0 },
        { key: 'E', readonly: '1' },
        { key: 'F', readonly: 2 },
      ],
      unknownKey: null,
    };
    expect(readPayload('GetConfiguration', 'response', configuration).payload).toEqual({
      configurationKey: [
        { key: 'A', readonly: true, value: '5' },
        { key: 'C', readonly: false },
        { key: 'D', readonly: false },
        { key: 'E', readonly: true },
      ],
    });
    const schedule = { status: 'Accepted', chargingSchedule: { chargingRateUnit: 'W' } };
    expect(readPayload('GetCompositeSchedule', 'response', schedule).payload).toEqual({
      status: 'Accepted',
      chargingSchedule: { chargingRateUnit: 'W', chargingSchedulePeriod: [] },
    });
    expect(() => readPayload('Reset', 'response', { status: 'Maybe' })).toThrow(OcppError);
  });

  test('is fast and brief for any number of faults', () => {
    const sampledValue = Array.from({ length: 200_000 }, () => 1);
    const payload = { connectorId: 1, meterValue: [{ timestamp: TIME, sampledValue }] };
    const started = performance.now();
    const reading = readPayload('MeterValues', 'request', payload);
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(reading.defects).toHaveLength(21);
    expect(reading.defects.at(-1)).toBe('and 199980 more');
    expect(reading.payload.meterValue[0]?.sampledValue).toEqual([]);
  });

  test('survives data that JSON cannot represent', () => {
    let data: unknown = 1;
    for (let level = 0; level < 100_000; level += 1) data = [data];
    expect(readPayload('DataTransfer', 'request', { vendorId: 'V', data }).payload).toEqual({
      vendorId: 'V',
    });
  });
});

test('a number whose tenfold overflows is read as ajv reads it', () => {
  const schedule = {
    chargingRateUnit: 'A',
    chargingSchedulePeriod: [{ startPeriod: 0, limit: 0 }],
    minChargingRate: 1.797693134862316e307,
  };
  const response = { status: 'Accepted', chargingSchedule: { ...schedule, duration: null } };
  expect(readPayload('GetCompositeSchedule', 'response', response).defects).toHaveLength(1);
});
