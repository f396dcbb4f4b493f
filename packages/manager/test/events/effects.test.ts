import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import * as events from '../../src/events/events.store.ts';
import type { Event } from '../../src/events/events.store.ts';
import { recordPresence } from '../../src/presence/presence.ts';
import { createWriter } from '../../src/station-writer.ts';
import * as connections from '../../src/stations/connections.store.ts';
import * as transactionEndings from '../../src/transactions/transaction-endings.store.ts';
import { assign, dismiss } from '../../src/transactions/unmatched-stop-resolution.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());

let before = 0;
beforeEach(async () => {
  await events.sequence(manager.database, 10_000);
  before = await events.newestId(manager.database);
});

const ALL = { kinds: null, stationIds: null };

async function since(): Promise<Event[]> {
  await events.sequence(manager.database, 10_000);
  return events.listAfter(manager.database, ALL, { after: before, rows: 1000 });
}

async function newEvents(): Promise<[string, Event['data']][]> {
  return (await since()).map(({ kind, data }) => [kind, data]);
}

const T = (minute: number): string => `2026-11-20T10:${String(minute).padStart(2, '0')}:00.000Z`;

test('a session has events from its first status to its stop; repeats add none', async () => {
  const start = { connectorId: 1, idTag: 'TAG', meterStart: 100, timestamp: T(1) };
  const status = { connectorId: 1, errorCode: 'NoError', status: 'Charging', timestamp: T(2) };
  const { response } = await manager.ask('StartTransaction', start);
  const { transactionId } = response as { transactionId: number };
  await manager.ask('StartTransaction', start);
  await manager.ask('StatusNotification', status, { receivedAt: T(2) });
  await manager.ask('StatusNotification', status, { receivedAt: T(3) });
  await manager.ask('MeterValues', {
    connectorId: 1,
    transactionId,
    meterValue: [{ timestamp: T(3), sampledValue: [{ value: '150' }] }],
  });
  await manager.ask('Heartbeat', {});
  const stop = { transactionId, meterStop: 400, timestamp: T(9), reason: 'Local' };
  await manager.ask('StopTransaction', stop);
  await manager.ask('StopTransaction', stop);
  const begun = { transactionId, connectorId: 1, idTag: 'TAG', meterStartWh: 100, startedAt: T(1) };
  expect(await newEvents()).toMatchObject([
    ['transaction.started', { ...begun, idTagStatus: expect.any(String) as unknown }],
    ['connector.status', { connectorId: 1, status: 'Charging', errorCode: 'NoError', statusAt: T(2) }],
    [
      'transaction.stopped',
      expect.objectContaining({ ...begun, stoppedAt: T(9), energyWh: 300, stopReason: 'Local' }),
    ],
  ]);
});

test('a start that supersedes an open transaction has an event for it; so has an unmatched stop', async () => {
  for (const minute of [11, 12])
    await manager.ask('StartTransaction', {
      connectorId: 2,
      idTag: 'T',
      meterStart: 0,
      timestamp: T(minute),
    });
  await manager.ask('StopTransaction', { transactionId: 999_999, meterStop: 1, timestamp: T(13) });
  expect((await newEvents()).map(([kind]) => kind)).toEqual([
    'transaction.started',
    'transaction.started',
    'transaction.superseded',
    'transaction.unmatchedStop',
  ]);
});

test('closing a transaction has an event; so has the stop that arrives afterwards', async () => {
  const request = { connectorId: 3, idTag: 'T', meterStart: 0, timestamp: T(14) };
  const { response } = await manager.ask('StartTransaction', request);
  const { transactionId } = response as { transactionId: number };
  const closure = {
    transactionId,
    by: 'somebody',
    reason: 'gone',
    meterStopWh: 7,
    stoppedAt: new Date(T(15)),
    at: new Date(),
  };
  await transactionEndings.close(manager.database, closure, () => {});
  await manager.ask('StopTransaction', { transactionId, meterStop: 8, timestamp: T(16) });
  expect(await newEvents()).toMatchObject([
    ['transaction.started', {}],
    [
      'transaction.closed',
      { transactionId, closure: { closedBy: 'somebody', meterStopWh: 7, stoppedAt: T(15) } },
    ],
    ['transaction.stopped', { transactionId, meterStopWh: 8, stoppedAt: T(16) }],
  ]);
});

test('an inferred stop and the one that replaces it have events; so has the resolution of unmatched stops', async () => {
  const request = { connectorId: 4, idTag: 'ONE', meterStart: 0, timestamp: T(17) };
  const { response } = await manager.ask('StartTransaction', request);
  const { transactionId } = response as { transactionId: number };
  await manager.ask('StopTransaction', { transactionId: -1, idTag: 'ONE', meterStop: 5, timestamp: T(18) });
  const first = { transactionId: 888_888, meterStop: 6, timestamp: T(18) };
  await manager.ask('StopTransaction', first);
  const [row] = await manager.rows(
    'SELECT unmatched_stop_id FROM unmatched_stops WHERE transaction_id = 888888',
  );
  const unmatchedStopId = row?.['unmatched_stop_id'] as number;
  const resolution = { unmatchedStopId, at: new Date(), by: 'somebody', reason: 'seen' };
  await dismiss(manager.database, resolution);
  await assign(manager.database, { ...resolution, transactionId });
  await manager.ask('StopTransaction', first);
  await manager.ask('StopTransaction', { transactionId, meterStop: 9, timestamp: T(19) });
  const decided = { unmatchedStopId, resolvedBy: 'somebody', resolutionReason: 'seen' };
  expect(await newEvents()).toMatchObject([
    ['transaction.started', {}],
    ['transaction.stopped', { transactionId, energyWh: 5, flags: ['stopInferred'] }],
    ['transaction.unmatchedStop', { unmatchedStopId, why: 'unknownTransaction' }],
    ['transaction.stopDismissed', decided],
    ['transaction.unmatchedStop', { transactionId: -1, meterStopWh: 5, why: 'alreadyStopped' }],
    ['transaction.stopped', { transactionId, energyWh: 6, flags: ['stopAssigned'] }],
    ['transaction.stopAssigned', { ...decided, assignedTransactionId: transactionId }],
    ['transaction.unmatchedStop', { unmatchedStopId, why: 'alreadyStopped' }],
    ['transaction.stopped', { transactionId, energyWh: 9 }],
  ]);
});

test('a boot, a security event, a firmware status and a certificate request have one event each', async () => {
  const calls: [string, object][] = [
    ['BootNotification', { chargePointVendor: 'V', chargePointModel: 'M', firmwareVersion: '2' }],
    ['SecurityEventNotification', { type: 'MemoryExhaustion', timestamp: T(20) }],
    ['FirmwareStatusNotification', { status: 'Downloading' }],
    ['SignedFirmwareStatusNotification', { status: 'Downloaded', requestId: 7 }],
    ['LogStatusNotification', { status: 'Uploading', requestId: 8 }],
    ['DiagnosticsStatusNotification', { status: 'Idle' }],
    ['SignCertificate', { csr: 'none' }],
  ];
  for (const [action, request] of calls) {
    const question = { id: `id-${action}`, receivedAt: T(20) };
    await manager.ask(action, request, question);
    await manager.ask(action, request, question);
  }
  expect(await newEvents()).toMatchObject([
    ['station.booted', expect.objectContaining({ registrationStatus: 'Accepted', firmwareVersion: '2' })],
    ['security.event', { type: 'MemoryExhaustion', isCritical: true, occurredAt: T(20) }],
    ['firmware.status', { status: 'Downloading', kind: 'firmware' }],
    ['firmware.status', { status: 'Downloaded', kind: 'signedFirmware', requestId: 7 }],
    ['log.status', { status: 'Uploading', requestId: 8 }],
    ['diagnostics.status', { status: 'Idle' }],
    ['certificate.rejected', expect.objectContaining({ certificateRequestId: expect.any(Number) })],
  ]);
});

test('a completed command has an event, without possible secrets', async () => {
  const { commandId } = await manager.command('Reset', { type: 'Soft' }, { status: 'Accepted' });
  await manager.command('ClearCache', {}, { error: 'NotSupported' });
  expect(await newEvents()).toMatchObject([
    [
      'command.completed',
      { commandId, action: 'Reset', status: 'answered', response: { status: 'Accepted' } },
    ],
    ['command.completed', { status: 'failed', error: { code: 'NotSupported' } }],
  ]);
});

test('stations connect and disconnect with their sockets and their gateways', async () => {
  const { database } = manager;
  const context = { database, writer: createWriter(database), now: () => new Date() };
  const one = (connectionId: string) => [{ stationId: 'S1', connectionId, connectedAt: T(0) }];
  await recordPresence('gw-e', { kind: 'connected', connections: one('1') }, context);
  await recordPresence('gw-e', { kind: 'connected', connections: one('1') }, context);
  await recordPresence('gw-e', { kind: 'connected', connections: one('2') }, context);
  await recordPresence('gw-e', { kind: 'disconnected', connections: one('1') }, context);
  await recordPresence('gw-e', { kind: 'gone' }, context);
  await recordPresence('gw-e', { kind: 'disconnected', connections: one('2') }, context);
  await recordPresence('gw-e', { kind: 'connected', connections: one('3') }, context);
  await manager.rows("UPDATE gateways SET alive_at = now() - interval '1 hour' WHERE gateway_id = 'gw-e'");
  expect(await connections.markDeadGateways(database)).toContain('gw-e');
  expect(await connections.markDeadGateways(database)).toEqual([]);
  const list = (await newEvents()).map(([kind, { connectionId, connected, disconnectedAt }]) => [
    kind,
    connectionId,
    connected ? 'connected' : disconnectedAt === null ? 'gatewayGone' : 'closed',
  ]);
  expect(list).toEqual([
    ['station.connected', '1', 'connected'],
    ['station.connected', '2', 'connected'],
    ['station.disconnected', '2', 'gatewayGone'],
    ['station.connected', '2', 'connected'],
    ['station.disconnected', '2', 'closed'],
    ['station.connected', '3', 'connected'],
    ['station.disconnected', '3', 'gatewayGone'],
  ]);
});

test('a rolled back transaction has no events', async () => {
  const { database } = manager;
  const failing = database.transaction(async (db) => {
    await db.query({ text: "INSERT INTO security_events VALUES ('CP1', 'X', now(), true, NULL, now())" });
    throw new Error('on purpose');
  });
  await expect(failing).rejects.toThrow('on purpose');
  expect(await since()).toEqual([]);
  expect(await manager.rows("SELECT FROM security_events WHERE type = 'X'")).toEqual([]);
});

test('every kind of the events is in the list of kinds', async () => {
  const rows = await manager.rows('SELECT DISTINCT kind FROM events');
  for (const { kind } of rows) expect(events.EVENT_KINDS).toContain(kind);
  expect(rows.length).toBeGreaterThan(9);
});
