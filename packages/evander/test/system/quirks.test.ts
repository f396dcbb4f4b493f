import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Requests } from '@evander/ocpp';
import { Station } from '@evander/station';
import type { StationOptions } from '@evander/station';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { apiOf, eventually, startServices } from './fixture.ts';
import type { Services } from './fixture.ts';

// Behaviour of real stations, numbered as in the list of field quirks, and Evander's response.
const ROOT = readFileSync(new URL('root.pem', import.meta.url), 'utf8');
const OLD_KEY = '000102030405060708090a0b0c0d0e0f10111213';
const NEW_KEY = 'ff01020304050607fff90a0b0c0d0e0f10111213';

type Body = Record<string, unknown>;
let services: Services;
let url: string;
let api: ReturnType<typeof apiOf>;
const open: { close(): Promise<void>; violations?: unknown[] }[] = [];
beforeAll(async () => {
  services = await startServices();
  const manager = await services.startManager();
  url = (await services.startGateway([manager])).url;
  api = apiOf(manager.apiUrl);
  await api('PUT', '/tags/TAG1', {});
});
afterEach(async () => {
  const violations = open.flatMap((one) => one.violations ?? []);
  for (const one of open.splice(0)) await one.close();
  expect(violations).toEqual([]);
});
afterAll(() => services.close());

async function station(
  stationId: string,
  quirks: StationOptions['quirks'],
  options: Partial<StationOptions> = {},
): Promise<Station> {
  const one = new Station({
    stationId,
    url,
    seed: 1,
    speed: Infinity,
    reconnect: { minMs: 5, maxMs: 50 },
    retryIntervalMs: 50,
    ...(quirks && { quirks }),
    ...options,
  });
  open.push(one);
  await one.connect();
  await one.boot();
  await eventually(async () => expect(await shown(stationId)).toMatchObject({ connected: true }));
  return one;
}

async function shown(path: string): Promise<Body> {
  return (await api('GET', `/stations/${path}`)).body ?? {};
}

async function items(path: string): Promise<Body[]> {
  return (await shown(path)).items as Body[];
}

async function send(stationId: string, action: string, request: object, query = ''): Promise<Body> {
  return (await api('POST', `/stations/${stationId}/commands/${action}${query}`, request)).body ?? {};
}

async function transactions(stationId: string): Promise<Body[]> {
  return (await api('GET', `/transactions?stationId=${stationId}`)).body?.items as Body[];
}

test.each<[string, NonNullable<StationOptions['quirks']>]>([
  ['bytes', {}],
  ['hex text', { hexTextAsPassword: true }],
  ['bytes, after the reset', { passwordAfterReset: true }],
])('1. a new AuthorizationKey, sent as %s, lets the station in', async (name, quirks) => {
  const stationId = `Q1-${name.replace(/\W/g, '')}`;
  await api('PUT', `/stations/${stationId}`, { securityProfile: 1, password: OLD_KEY });
  const one = await station(stationId, quirks, { password: Buffer.from(OLD_KEY, 'hex') });
  let connections = 0;
  one.on('connected', () => connections++);
  await send(stationId, 'ChangeConfiguration', { key: 'AuthorizationKey', value: NEW_KEY });
  if (quirks.passwordAfterReset) await send(stationId, 'Reset', { type: 'Soft' });
  await eventually(() => expect(connections).toBeGreaterThan(0));
  await eventually(() => one.call('Heartbeat', {}));
});

test('2. two StopTransactions within a millisecond have one effect and two answers', async () => {
  const one = await station('Q2', { doubleStop: true });
  await one.chargeSession({ idTag: 'TAG1', meterValues: 1, intervalMs: 60_000 });
  expect(await transactions('Q2')).toHaveLength(1);
  await eventually(async () => {
    const answers = (await items('Q2/messages?action=StopTransaction')).filter(
      ({ type }) => type === 'result',
    );
    expect(answers).toHaveLength(2);
  });
  expect((await api('GET', '/unmatched-stops?stationId=Q2')).body?.items).toEqual([]);
});

test('3. a value of the wrong type is not sent; a burst of heartbeats does not starve other stations', async () => {
  const one = await station('Q3', { heartbeatStorm: true });
  const change = { key: 'HeartbeatInterval', value: 'abc' };
  expect(await send('Q3', 'ChangeConfiguration', change)).toMatchObject({ status: 422 });
  const heartbeats = one.ledger.counters.callsAnswered;
  await send('Q3', 'ChangeConfiguration', change, '?skipRules=true');
  await eventually(() => expect(one.ledger.counters.callsAnswered).toBeGreaterThan(heartbeats + 100));
  const other = await station('Q3-other', {});
  const startedMs = performance.now();
  for (let i = 0; i < 20; i++) await other.call('Heartbeat', {});
  expect(performance.now() - startedMs).toBeLessThan(2000);
});

test('4. meter values from 1970, sent before the first boot, are stored unchanged', async () => {
  await station('Q4', { clockOf1970: true });
  await eventually(async () => {
    const [first] = await items('Q4/meter-values');
    expect(String(first?.measuredAt)).toMatch(/^1970-01-01T/);
  });
});

test.each([
  ['bootBeforeAnswer', 'answered', null],
  ['close1005', 'answered', null],
  ['neverReboots', 'answered', expect.any(String)],
] as const)('5. Reset, and the station %s', async (reset, status, pending) => {
  const stationId = `Q5-${reset}`;
  const one = await station(stationId, { reset });
  expect(await send(stationId, 'Reset', { type: 'Hard' })).toMatchObject({ status });
  await eventually(async () => expect(await shown(stationId)).toMatchObject({ resetPendingSince: pending }));
  await eventually(() => one.call('Heartbeat', {}));
});

test('5. Reset, and the station disconnects without an answer: the command is lost, the station is served', async () => {
  const one = await station('Q5', { reset: 'closeWithoutAnswer' });
  expect(await send('Q5', 'Reset', { type: 'Hard' })).toMatchObject({ status: 'connectionLost' });
  await eventually(() => one.call('Heartbeat', {}));
});

test.each([
  ['NotImplemented', 'failed'],
  ['NotSupported', 'failed'],
  ['FormationViolation', 'failed'],
  ['TypeConstraintViolation', 'failed'],
  ['OccurenceConstraintViolation', 'failed'],
] as const)('6. an action unknown to the station, answered %s, ends as %s', async (error, status) => {
  const stationId = `Q6-${error}`;
  await station(stationId, { unknownTo: ['GetLocalListVersion'], unknownActions: { error } });
  expect(await send(stationId, 'GetLocalListVersion', {})).toMatchObject({ status, error: { code: error } });
});

test('6. an unknown action that is rejected or not answered does not delay the next command', async () => {
  const response = { status: 'Rejected' };
  const unknownTo = ['ClearChargingProfile'] as const;
  await station('Q6-rejected', { unknownTo, unknownActions: { response } });
  expect(await send('Q6-rejected', 'ClearChargingProfile', {})).toMatchObject({ response });
  await station('Q6-silent', { unknownTo, unknownActions: 'silence' });
  const silent = send('Q6-silent', 'ClearChargingProfile', {});
  expect(await send('Q6-silent', 'ClearCache', {})).toMatchObject({ status: 'answered' });
  expect(await silent).toMatchObject({ status: 'timedOut' });
});

test('7. an invented action is answered with NotImplemented, and the socket stays open', async () => {
  const one = await station('Q7', { inventedAction: 'CustomOperation' });
  await send('Q7', 'TriggerMessage', { requestedMessage: 'Heartbeat' });
  await eventually(async () => {
    expect(await items('Q7/messages?action=CustomOperation&type=error')).toMatchObject([
      { errorCode: 'NotImplemented' },
    ]);
  });
  expect(one.isConnected).toBe(true);
});

test('8. a profile in amperes for a station that supports only watts is rejected before it is sent', async () => {
  await station('Q8', { wattsOnly: true });
  const chargingProfile = {
    stackLevel: 0,
    chargingProfilePurpose: 'TxProfile',
    chargingProfileKind: 'Relative',
    chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 8 }] },
  };
  const remoteStart = { idTag: 'TAG1', connectorId: 1, chargingProfile };
  expect(await send('Q8', 'RemoteStartTransaction', remoteStart)).toMatchObject({
    response: { status: 'Rejected' },
  });
  await send('Q8', 'GetConfiguration', {});
  expect(await send('Q8', 'RemoteStartTransaction', remoteStart)).toMatchObject({
    status: 422,
    rule: 'SetProfile.4',
  });
});

test('9. a certificate that the station rejects is reported by its request and by a security event', async () => {
  await station('Q9', { chainMustHoldCa: true });
  await send('Q9', 'ExtendedTriggerMessage', { requestedMessage: 'SignChargePointCertificate' });
  await eventually(async () => expect(await items('Q9/certificate-requests')).toHaveLength(1));
  expect(await send('Q9', 'CertificateSigned', { certificateChain: ROOT })).toMatchObject({
    response: { status: 'Rejected' },
  });
  expect(await items('Q9/certificate-requests')).toMatchObject([{ state: 'refused' }]);
  await eventually(async () => {
    const { body } = await api('GET', '/security-events?stationId=Q9');
    expect(body?.items).toMatchObject([{ type: 'InvalidChargePointCertificate' }]);
  });
});

test('9. the connection drops after an answer: the next command is sent again on the new one', async () => {
  const one = await station('Q9-drop', { dropAfterCertificateSigned: true });
  one.answers.next('CertificateSigned', { response: { status: 'Accepted' } });
  one.answers.next('ClearCache', 'dropSocket');
  expect(
    await send('Q9-drop', 'CertificateSigned', { certificateChain: ROOT }, '?skipRules=true'),
  ).toMatchObject({
    status: 'answered',
  });
  expect(await send('Q9-drop', 'ClearCache', {})).toMatchObject({ status: 'answered' });
});

test('9. a root is installed under two types and listed once', async () => {
  await station('Q9-once', { listCertificatesOnce: true });
  for (const certificateType of ['CentralSystemRootCertificate', 'ManufacturerRootCertificate']) {
    await send('Q9-once', 'InstallCertificate', { certificateType, certificate: ROOT });
    await send('Q9-once', 'GetInstalledCertificateIds', { certificateType });
  }
  expect(await items('Q9-once/certificates')).toMatchObject([
    { certificateType: 'CentralSystemRootCertificate' },
  ]);
});

test('10. an upload goes to the name that the station chooses; an unsupported protocol is rejected before it is sent', async () => {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? '');
    request.resume().on('end', () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({ close: async () => void server.close() });
  const location = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dir`;
  await station('Q10', { glueFileName: true, fileTransfer: 'HTTP' }, { transfers: 'real' });
  const { response } = await send('Q10', 'GetDiagnostics', { location });
  const { fileName = '' } = response as { fileName?: string };
  await eventually(async () => {
    expect(await items('Q10/jobs')).toMatchObject([{ outcome: 'succeeded', fileName }]);
  });
  expect(paths).toEqual([`/dir${fileName}`]);
  await send('Q10', 'GetConfiguration', {});
  expect(await send('Q10', 'GetDiagnostics', { location: 'ftp://files.example/' })).toMatchObject({
    status: 422,
  });
});

test.each(['Accepted', 'Rejected', 'Unavailable'] as const)(
  '11. ReserveNow on connector 0 is answered %s',
  async (reserveZero) => {
    const stationId = `Q11-${reserveZero}`;
    await station(stationId, { reserveZero });
    const request = { connectorId: 0, idTag: 'TAG1', expiryDate: '2099-01-01T00:00:00Z' };
    expect(await send(stationId, 'ReserveNow', request)).toMatchObject({ response: { status: reserveZero } });
    const state = reserveZero === 'Accepted' ? 'active' : 'refused';
    expect(await items(`${stationId}/reservations`)).toMatchObject([{ state }]);
  },
);

test.each(['Accepted', 'UnavailableAtOnce'] as const)(
  '11. ChangeAvailability during a transaction: %s; the transaction continues',
  async (availabilityInTransaction) => {
    const stationId = `Q11-${availabilityInTransaction}`;
    const one = await station(stationId, { availabilityInTransaction });
    await one.connector(1).start('TAG1').answered;
    await send(stationId, 'ChangeAvailability', { connectorId: 1, type: 'Inoperative' });
    expect(await transactions(stationId)).toMatchObject([{ stoppedAt: null }]);
    one.connector(1).stop('Local');
    await one.queue.drained();
    expect(await transactions(stationId)).toMatchObject([{ stopReason: 'Local' }]);
  },
);

test('12. statuses in odd order or missing, empty texts, meter values without their transaction', async () => {
  const missingStatuses = ['Preparing', 'Finishing'] as const;
  const one = await station('Q12', {
    startBeforePreparing: true,
    missingStatuses,
    noConnectorZero: true,
    emptyStrings: true,
    metersWithoutTransaction: true,
  });
  const { energyWh } = await one.chargeSession({ idTag: 'TAG1', meterValues: 2, intervalMs: 60_000 });
  expect(await transactions('Q12')).toMatchObject([{ energyWh, flags: [] }]);
  expect(await items('Q12/meter-values')).not.toEqual([]);
  const { connectors, iccid } = (await shown('Q12')) as { connectors: Body[]; iccid: unknown };
  expect(connectors).toMatchObject([{ connectorId: 1 }]);
  expect(iccid === '' || iccid === null).toBe(true);
});

test('12. a CSR in bare base64, without PEM, is signed and installed', async () => {
  const one = await station('Q12-csr', { csrWithoutPem: true });
  await send('Q12-csr', 'ExtendedTriggerMessage', { requestedMessage: 'SignChargePointCertificate' });
  await eventually(async () => {
    expect(await items('Q12-csr/certificate-requests')).toMatchObject([{ state: 'installed' }]);
  });
  await one.call('Heartbeat', {});
});

test("13. compression, a list of subprotocols, the station's own pings, another user name", async () => {
  await api('PUT', '/stations/Q13', { securityProfile: 1, password: OLD_KEY, userName: 'somebody' });
  const quirks = {
    compression: true,
    subprotocols: ['ocpp2.0.1', 'ocpp1.6', 'ocpp1.5'],
    pingEverySeconds: 1,
    userName: 'somebody',
  };
  const one = await station('Q13', quirks, { password: Buffer.from(OLD_KEY, 'hex') });
  await one.call('Heartbeat', {});
});

test('14. keys in alphabetical order are equivalent', async () => {
  const one = await station('Q14', { sortKeys: true });
  const { energyWh } = await one.chargeSession({ idTag: 'TAG1', meterValues: 2, intervalMs: 60_000 });
  expect(await transactions('Q14')).toMatchObject([{ energyWh }]);
  const request: Requests['ChangeConfiguration'] = { key: 'HeartbeatInterval', value: '77' };
  expect(await send('Q14', 'ChangeConfiguration', request)).toMatchObject({
    response: { status: 'Accepted' },
  });
});
