import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ACTIONS } from '@evander/ocpp';
import type { CommandAction } from '@evander/ocpp';
import { readFileSync } from 'node:fs';
import type { RPCClient } from 'ocpp-rpc';
import { apiOf, eventually, startServices } from './fixture.ts';
import type { Services } from './fixture.ts';
import { foreignStation } from './foreign-station.ts';

const ROOT = readFileSync(new URL('root.pem', import.meta.url), 'utf8');
const HASH_DATA = {
  hashAlgorithm: 'SHA256',
  issuerNameHash: 'AB'.repeat(32),
  issuerKeyHash: 'CD'.repeat(32),
  serialNumber: '0A1B',
};
const SCHEDULE = {
  chargingRateUnit: 'A',
  startSchedule: '2026-11-20T00:00:00Z',
  chargingSchedulePeriod: [{ startPeriod: 0, limit: 8.1 }],
};
const PROFILE = {
  stackLevel: 2,
  chargingProfilePurpose: 'TxDefaultProfile',
  chargingProfileKind: 'Absolute',
  chargingSchedule: SCHEDULE,
};
const accepted = { status: 'Accepted' };

/** A command, the station's answer, and where the API shows its effect. */
interface Step {
  action: CommandAction;
  request: object;
  response: Record<string, unknown>;
  /** A path below the station's, or an absolute one. */
  shownAt?: string;
  shown?: object;
  /** Messages from the station in between. */
  before?(station: RPCClient): Promise<unknown>;
}

const list = (...items: object[]): object => ({ items });

// In an order in which each step finds its prerequisites.
const STEPS: Step[] = [
  {
    action: 'GetConfiguration',
    request: {},
    response: { configurationKey: [{ key: 'HeartbeatInterval', readonly: false, value: '300' }] },
    shownAt: './configuration',
    shown: list({ key: 'HeartbeatInterval', value: '300', readonly: false }),
  },
  {
    action: 'ChangeConfiguration',
    request: { key: 'heartbeatinterval', value: '600' },
    response: { status: 'RebootRequired' },
    shownAt: './configuration',
    shown: list({ value: '600', rebootRequired: true }),
  },
  {
    action: 'ChangeAvailability',
    request: { connectorId: 1, type: 'Inoperative' },
    response: { status: 'Scheduled' },
    shownAt: '.',
    shown: { connectors: [{ availability: { requested: 'Inoperative', answer: 'Scheduled' } }] },
  },
  { action: 'ClearCache', request: {}, response: { status: 'Rejected' } },
  {
    action: 'DataTransfer',
    request: { vendorId: 'com.example', messageId: 'Ask', data: '{"a":1}' },
    response: { status: 'Accepted', data: 'yes' },
  },
  {
    action: 'RemoteStartTransaction',
    request: { idTag: 'TAG1', connectorId: 1 },
    response: accepted,
    shownAt: '/transactions?stationId=EVERY',
    shown: list({ remoteStartCommandId: expect.any(String) as unknown, stoppedAt: null }),
  },
  { action: 'RemoteStopTransaction', request: { transactionId: 4711 }, response: { status: 'Rejected' } },
  { action: 'UnlockConnector', request: { connectorId: 1 }, response: { status: 'UnlockFailed' } },
  {
    action: 'Reset',
    request: { type: 'Soft' },
    response: accepted,
    shownAt: '.',
    shown: { resetPendingSince: expect.any(String) as unknown },
  },
  {
    action: 'SetChargingProfile',
    request: { connectorId: 1, csChargingProfiles: PROFILE },
    response: accepted,
    shownAt: './charging-profiles',
    shown: list({ connectorId: 1, purpose: 'TxDefaultProfile', stackLevel: 2 }),
  },
  {
    action: 'GetCompositeSchedule',
    request: { connectorId: 1, duration: 600, chargingRateUnit: 'A' },
    response: {
      status: 'Accepted',
      connectorId: 1,
      scheduleStart: '2026-11-23T00:00:00Z',
      chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 8.1 }] },
    },
    shownAt: './connectors/1/composite-schedule',
    shown: { status: 'Accepted', chargingSchedule: { chargingSchedulePeriod: [{ limit: 8.1 }] } },
  },
  {
    action: 'ClearChargingProfile',
    request: { connectorId: 1, stackLevel: 2 },
    response: accepted,
    shownAt: './charging-profiles',
    shown: { items: [] },
  },
  { action: 'TriggerMessage', request: { requestedMessage: 'Heartbeat' }, response: accepted },
  {
    action: 'ExtendedTriggerMessage',
    request: { requestedMessage: 'LogStatusNotification' },
    response: { status: 'NotImplemented' },
  },
  {
    action: 'GetDiagnostics',
    request: { location: 'ftp://user:secret@files.example/in' },
    response: { fileName: 'diagnostics.zip' },
    shownAt: './jobs?kind=diagnostics',
    shown: list({ fileName: 'diagnostics.zip', location: 'ftp://user:***@files.example/in' }),
  },
  {
    action: 'UpdateFirmware',
    request: { location: 'https://files.example/fw.bin', retrieveDate: '2026-11-23T00:00:00Z' },
    response: {},
    shownAt: './jobs?kind=firmware',
    shown: list({ location: 'https://files.example/fw.bin', acceptedAt: expect.any(String) as unknown }),
  },
  {
    action: 'SignedUpdateFirmware',
    request: {
      firmware: {
        location: 'https://files.example/fw.bin',
        retrieveDateTime: '2026-11-23T00:00:00Z',
        signingCertificate: ROOT,
        signature: 'c2lnbmF0dXJl',
      },
    },
    response: { status: 'InvalidCertificate' },
    shownAt: './jobs?kind=signedFirmware',
    shown: list({ outcome: 'failed', reason: expect.stringContaining('InvalidCertificate') as unknown }),
  },
  {
    action: 'GetLog',
    request: { logType: 'SecurityLog', log: { remoteLocation: 'https://files.example/logs' } },
    response: { status: 'Accepted', filename: 'security.log' },
    shownAt: './jobs?kind=log',
    shown: list({ logType: 'SecurityLog', fileName: 'security.log' }),
  },
  {
    action: 'SendLocalList',
    request: {
      updateType: 'Full',
      localAuthorizationList: [{ idTag: 'TAG1', idTagInfo: { status: 'Accepted' } }],
    },
    response: accepted,
    shownAt: './local-list/entries',
    shown: list({ idTag: 'TAG1', status: 'Accepted' }),
  },
  {
    action: 'GetLocalListVersion',
    request: {},
    response: { listVersion: 12 },
    shownAt: './local-list',
    shown: { version: 12, supported: true },
  },
  {
    action: 'ReserveNow',
    request: { connectorId: 2, idTag: 'TAG1', expiryDate: '2099-01-01T00:00:00Z', reservationId: 99 },
    response: accepted,
    shownAt: './reservations',
    shown: list({ reservationId: 99, state: 'active' }),
  },
  {
    action: 'CancelReservation',
    request: { reservationId: 99 },
    response: accepted,
    shownAt: './reservations',
    shown: list({ reservationId: 99, state: 'cancelled' }),
  },
  {
    action: 'InstallCertificate',
    request: { certificateType: 'CentralSystemRootCertificate', certificate: ROOT },
    response: accepted,
    shownAt: './certificates',
    shown: list({ certificateType: 'CentralSystemRootCertificate', pem: expect.any(String) as unknown }),
  },
  {
    action: 'GetInstalledCertificateIds',
    request: { certificateType: 'ManufacturerRootCertificate' },
    response: { status: 'Accepted', certificateHashData: [HASH_DATA] },
    shownAt: './certificates?certificateType=ManufacturerRootCertificate',
    shown: list({ certificateHashData: HASH_DATA }),
  },
  {
    action: 'DeleteCertificate',
    request: { certificateHashData: HASH_DATA },
    response: accepted,
    shownAt: './certificates?certificateType=ManufacturerRootCertificate',
    shown: { items: [] },
  },
  {
    action: 'CertificateSigned',
    request: { certificateChain: ROOT },
    response: accepted,
    before: (station) =>
      station.call('SignCertificate', {
        csr: readFileSync(new URL('request.pem', import.meta.url), 'utf8'),
      }),
    shownAt: './certificate-requests',
    shown: list({ state: 'installed' }),
  },
];

let services: Services;
let station: RPCClient;
let api: ReturnType<typeof apiOf>;
const answers = new Map<string, Record<string, unknown>>();
beforeAll(async () => {
  services = await startServices();
  const manager = await services.startManager();
  const gateway = await services.startGateway([manager]);
  api = apiOf(manager.apiUrl);
  await api('PUT', '/tags/TAG1', {});
  station = foreignStation(gateway, 'EVERY');
  station.handle(async ({ method = '' }) => {
    // A station starts an accepted transaction on its own.
    if (method === 'RemoteStartTransaction') setImmediate(() => void start());
    return answers.get(method) ?? {};
  });
  await station.connect();
  await station.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
  await station.call('StatusNotification', { connectorId: 1, status: 'Available', errorCode: 'NoError' });
  await eventually(async () => {
    expect((await api('GET', '/stations/EVERY')).body).toMatchObject({ connected: true });
  });
});
afterAll(async () => {
  await station.close();
  await services.close();
});

function start(): Promise<unknown> {
  const timestamp = new Date().toISOString();
  return station.call('StartTransaction', { connectorId: 1, idTag: 'TAG1', meterStart: 0, timestamp });
}

test('every command has a step here', () => {
  const commands = Object.entries(ACTIONS).filter(([, { sender }]) => sender !== 'station');
  expect(STEPS.map(({ action }) => action).sort()).toEqual(commands.map(([action]) => action).sort());
});

test.each(STEPS.map((step) => [step.action, step] as const))(
  '%s is sent by the API, answered by a third-party station, and its effect is shown',
  async (action, { request, response, shownAt, shown, before }) => {
    await before?.(station);
    answers.set(action, response);
    const sent = await api('POST', `/stations/EVERY/commands/${action}`, request);
    expect(sent).toMatchObject({ status: 200, body: { action, status: 'answered', response } });
    const commandId = String(sent.body?.commandId);
    expect((await api('GET', `/commands/${commandId}`)).body).toEqual(sent.body);
    if (shownAt === undefined) return;
    const path = shownAt.startsWith('/') ? shownAt : `/stations/EVERY${shownAt.slice(1)}`;
    await eventually(async () => expect((await api('GET', path)).body).toMatchObject(shown ?? {}));
  },
);
