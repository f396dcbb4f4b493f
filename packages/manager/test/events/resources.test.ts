import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as certificateRequests from '../../src/certificates/certificate-requests.store.ts';
import * as events from '../../src/events/events.store.ts';
import type { Event } from '../../src/events/events.store.ts';
import { EVENT_DATA } from '../../src/openapi/event-data.ts';
import * as pncCertificateRequests from '../../src/plug-and-charge/certificate-requests.store.ts';
import { recordPresence } from '../../src/presence/presence.ts';
import { createWriter } from '../../src/station-writer.ts';
import { CSR } from '../certificates/certificates.ts';
import { openApi } from '../http/harness.ts';
import type { TestApi } from '../http/harness.ts';
import { readDescription } from '../openapi/schema-check.ts';
import type { SchemaCheck } from '../openapi/schema-check.ts';

let api: TestApi;
let check: SchemaCheck;
beforeAll(async () => {
  api = await openApi();
  ({ check } = await readDescription(api));
  await api.manager.ask('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Available' });
  await api.manager.rows(`INSERT INTO availabilities VALUES ('CP1', 1, 'Operative', 'Accepted', now())`);
});
afterAll(() => api.close());

const seen = new Set<string>();
const T = (minute: number): string => `2026-11-20T10:${String(minute).padStart(2, '0')}:00.000Z`;

async function lastEvent(): Promise<Event> {
  const { database } = api.manager;
  while ((await api.manager.rows('SELECT FROM event_intake')).length > 0)
    await events.sequence(database, 1000);
  const all = { kinds: null, stationIds: null };
  const [event] = await events.listBefore(database, all, { before: null, from: null, to: null, rows: 1 });
  return event as Event;
}

/** Expects the newest event to be of this kind, and its data to equal what the API shows: the response of a path, or the newest item of a list. */
async function expectResource(kind: events.EventKind, path: string): Promise<Event['data']> {
  const { body } = await api.send('GET', `/api/v1${path}`);
  const event = await lastEvent();
  const resource = body.items === undefined ? body : body.items[0];
  expect({ kind: event.kind, data: event.data }).toEqual({ kind, data: resource });
  await expectNamed(event);
  return event.data;
}

async function expectNamed({ kind, data }: Event): Promise<void> {
  seen.add(kind);
  const names = EVENT_DATA[kind as events.EventKind].map(
    (schema) => (schema as { title?: string }).title ?? '',
  );
  const faults = await Promise.all(names.map((name) => check(name, data)));
  expect({ kind, faults: faults.includes(null) ? [] : faults }).toEqual({ kind, faults: [] });
}

test('stations that connect, boot and disconnect', async () => {
  const { database } = api.manager;
  await api.send('PUT', '/api/v1/stations/S1', { serialNumbers: ['N1'] });
  const context = { database, writer: createWriter(database), now: () => new Date() };
  const connections = [
    { stationId: 'S1', connectionId: '1', connectedAt: T(0), remoteAddress: '192.0.2.1', securityProfile: 0 },
  ];
  await recordPresence('gw-r', { kind: 'connected', connections }, context);
  expect(await expectResource('station.connected', '/stations/S1')).toMatchObject({
    connected: true,
    connectionId: '1',
    disconnectedAt: null,
    vendor: null,
  });
  const boot = { chargePointVendor: 'V', chargePointModel: 'M', iccid: '8949', meterType: 'T' };
  await api.manager.ask('BootNotification', boot, { stationId: 'S1' });
  await api.manager.ask('BootNotification', boot);
  expect(await expectResource('station.booted', '/stations/CP1')).toMatchObject({
    connectors: [{ connectorId: 1, availability: { requested: 'Operative' } }],
  });
  await recordPresence('gw-r', { kind: 'gone' }, context);
  expect(await expectResource('station.disconnected', '/stations/S1')).toMatchObject({ connected: false });
  await recordPresence('gw-r', { kind: 'alive' }, context);
  await expectResource('station.connected', '/stations/S1');
  await recordPresence('gw-r', { kind: 'disconnected', connections }, context);
  const gone = await expectResource('station.disconnected', '/stations/S1');
  expect(gone).toMatchObject({ connected: false, disconnectedAt: expect.any(String) });
});

test('statuses of connectors', async () => {
  await api.manager.rows('TRUNCATE connector_statuses');
  for (const more of [{}, { info: 'i', vendorId: 'v', vendorErrorCode: 'e' }]) {
    const status = { connectorId: 1, errorCode: 'NoError', status: 'Charging', timestamp: T(1), ...more };
    await api.manager.ask('StatusNotification', status, { receivedAt: T(2) });
    const data = await expectResource('connector.status', '/stations/CP1/connectors/1/statuses');
    expect(data).toMatchObject({ connectorId: 1, info: null, ...more });
    await api.manager.rows('TRUNCATE connector_statuses');
  }
});

async function start(connectorId: number, minute: number): Promise<number> {
  const request = { connectorId, idTag: 'TAG', meterStart: 100, timestamp: T(minute) };
  const { response } = await api.manager.ask('StartTransaction', request, { receivedAt: T(minute) });
  return (response as { transactionId: number }).transactionId;
}

test('transactions from start to end, for each way to end', async () => {
  const { commandId } = await api.manager.command(
    'RemoteStartTransaction',
    { connectorId: 1, idTag: 'TAG' },
    { status: 'Accepted' },
  );
  const now = new Date();
  const request = { connectorId: 1, idTag: 'TAG', meterStart: 100, timestamp: now.toISOString() };
  const { response } = await api.manager.ask('StartTransaction', request);
  const { transactionId: remote } = response as { transactionId: number };
  expect(await expectResource('transaction.started', `/transactions/${remote}`)).toMatchObject({
    remoteStartCommandId: commandId,
    state: 'open',
    energySource: null,
    endedAt: null,
    parentIdTag: null,
  });
  const found = await api.send('GET', `/api/v1/transactions?remoteStartCommandId=${commandId}`);
  expect(found.body.items.map(({ transactionId }) => transactionId)).toEqual([remote]);
  const none = '00000000-0000-0000-0000-000000000000';
  const other = await api.send('GET', `/api/v1/transactions?remoteStartCommandId=${none}`);
  expect(other.body.items).toEqual([]);
  const csv = await fetch(`${api.url}/api/v1/transactions.csv?remoteStartCommandId=${commandId}`, {
    headers: { authorization: 'Bearer evk_admin' },
  });
  expect((await csv.text()).trim().split('\r\n')).toHaveLength(2);

  const lost = await start(2, 11);
  await start(2, 12);
  expect(await expectResource('transaction.superseded', `/transactions/${lost}`)).toMatchObject({
    state: 'lost',
    flags: ['supersededByStart'],
    endedAt: T(12),
  });
  const closed = await start(3, 13);
  await api.send('POST', `/api/v1/transactions/${closed}/close`, { reason: 'gone', meterStopWh: 900 });
  expect(await expectResource('transaction.closed', `/transactions/${closed}`)).toMatchObject({
    state: 'closed',
    closure: { closedBy: 'admin', reason: 'gone', meterStopWh: 900 },
    energySource: 'closure',
  });
  await api.manager.ask('StopTransaction', {
    transactionId: remote,
    meterStop: 400,
    timestamp: now.toISOString(),
  });
  expect(await expectResource('transaction.stopped', `/transactions/${remote}`)).toMatchObject({
    energyWh: 300,
    stopReason: 'Local',
  });
});

test('unmatched stops', async () => {
  const transactionId = await start(4, 20);
  await api.manager.ask('StopTransaction', { transactionId: 888_888, meterStop: 900, timestamp: T(21) });
  const { body } = await api.send('GET', '/api/v1/unmatched-stops');
  const path = `/unmatched-stops/${String(body.items[0]?.['unmatchedStopId'])}`;
  expect(await expectResource('transaction.unmatchedStop', path)).toMatchObject({ state: 'open' });
  await api.send('POST', `/api/v1${path}/dismiss`, { reason: 'seen' });
  await expectResource('transaction.stopDismissed', path);
  await api.send('POST', `/api/v1${path}/assign`, { transactionId, reason: 'found' });
  expect(await expectResource('transaction.stopAssigned', path)).toMatchObject({
    assignedTransactionId: transactionId,
    resolvedBy: 'admin',
  });
});

test('completed commands', async () => {
  const reset = await api.manager.command('Reset', { type: 'Soft' }, { status: 'Accepted' });
  const data = await expectResource('command.completed', `/commands/${reset.commandId}`);
  expect(data).toMatchObject({ request: { type: 'Soft' }, response: { status: 'Accepted' }, error: null });
  const failed = await api.manager.command('ClearCache', {}, { error: 'NotSupported' });
  const fault = await expectResource('command.completed', `/commands/${failed.commandId}`);
  expect(fault).toMatchObject({ error: { code: 'NotSupported' }, response: null });
});

test('a secret of a command is not in its event', async () => {
  const request = { key: 'AuthorizationKey', value: '0123456789abcdef0123456789abcdef' };
  const { commandId } = await api.manager.command('ChangeConfiguration', request, { status: 'Accepted' });
  const data = await expectResource('command.completed', `/commands/${commandId}`);
  expect(JSON.stringify(data)).not.toContain(request.value);
});

test('reports of stations about security and jobs', async () => {
  await api.manager.ask('SecurityEventNotification', { type: 'MemoryExhaustion', timestamp: T(30) });
  expect(await expectResource('security.event', '/security-events')).toMatchObject({ techInfo: null });
  await api.manager.command('GetDiagnostics', { location: 'https://u:p@h/x' }, { fileName: 'd.zip' });
  const jobs = (await api.send('GET', '/api/v1/stations/CP1/jobs')).body.items;
  const path = `/api/v1/jobs/${String(jobs[0]?.['jobId'])}`;
  for (const status of ['Uploading', 'Uploaded']) {
    await api.manager.ask('DiagnosticsStatusNotification', { status });
    const { history, ...job } = (await api.send('GET', path)).body;
    const event = await lastEvent();
    expect(event).toMatchObject({ kind: 'diagnostics.status', data: { status, requestId: null } });
    expect({ ...(event.data['job'] as object), hint: job['hint'] }).toEqual(job);
    expect(event.data['receivedAt']).toEqual((history as { receivedAt: string }[])[0]?.receivedAt);
    await expectNamed(event);
  }
  for (const [action, kind, jobKind] of [
    ['FirmwareStatusNotification', 'firmware.status', 'firmware'],
    ['SignedFirmwareStatusNotification', 'firmware.status', 'signedFirmware'],
    ['LogStatusNotification', 'log.status', 'log'],
  ]) {
    await api.manager.ask(action as string, { status: 'Idle' });
    const event = await lastEvent();
    expect(event).toMatchObject({
      kind,
      data: { stationId: 'CP1', kind: jobKind, status: 'Idle', job: null },
    });
    await expectNamed(event);
  }
});

test('certificate requests of stations, for themselves and for Plug & Charge', async () => {
  const { database } = api.manager;
  const at = (second: number): Date => new Date(Date.UTC(2026, 10, 20, 11, 0, second));
  const sent = { stationId: 'CP1', certificateChain: 'PEM', at: at(5) };
  const stores = [
    { store: certificateRequests, list: '/stations/CP1/certificate-requests', more: {} },
    {
      store: pncCertificateRequests,
      list: '/stations/CP1/pnc-certificate-requests',
      more: { dialect: 'oca' },
    },
  ] as const;
  for (const { store, list, more } of stores) {
    const add = async (messageId: string, state: 'requested' | 'rejected', second: number) => {
      const request = { stationId: 'CP1', messageId, csr: CSR, state, requestedAt: at(second), ...more };
      await store.add(database, { ...request, dialect: 'oca', reason: state === 'rejected' ? 'no' : null });
    };
    await add('a', 'rejected', 1);
    await expectResource('certificate.rejected', list);
    await add('b', 'requested', 2);
    await expectResource('certificate.requested', list);
    for (const state of ['refused', 'installed'] as const) {
      const commandId = `00000000-0000-4000-8000-00000000000${state === 'refused' ? 1 : 2}`;
      await store.sign(database, { ...sent, commandId });
      expect(await expectResource('certificate.signed', list)).toMatchObject({ commandId });
      await store.complete(database, {
        commandId,
        state,
        reason: state === 'refused' ? 'no' : null,
        at: at(6),
      });
      await expectResource(`certificate.${state}`, list);
    }
    await add('c', 'requested', 7);
    await add('d', 'requested', 8);
    const superseded = (await api.send('GET', `/api/v1${list}?state=superseded`)).body.items[0];
    await lastEvent();
    const filter = { kinds: ['certificate.superseded'], stationIds: null };
    const place = { before: null, from: null, to: null, rows: 1 };
    const [event] = await events.listBefore(database, filter, place);
    expect(event?.data).toEqual(superseded);
    await expectNamed(event as Event);
  }
});

test('all kinds of events were tested', () => {
  expect([...seen].sort()).toEqual([...events.EVENT_KINDS].sort());
});
