// Long: looks for deadlocks by many races.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type pg from 'pg';
import * as authorizations from '../../src/authorization/authorizations.store.ts';
import { openDatabase } from '../../src/database/database.ts';
import type { Database } from '../../src/database/database.ts';
import * as reconciliations from '../../src/desired-state/reconciliations.store.ts';
import * as frames from '../../src/frames/frames.store.ts';
import { recordBoots } from '../../src/presence/boot-batch.store.ts';
import { recordConnections } from '../../src/presence/connection-batch.store.ts';
import * as rejected from '../../src/presence/rejected-handshakes.store.ts';
import * as reservationStatuses from '../../src/reservations/reservation-statuses.store.ts';
import * as connections from '../../src/stations/connections.store.ts';
import * as connectors from '../../src/stations/connectors.store.ts';
import * as stations from '../../src/stations/stations.store.ts';
import * as meterValues from '../../src/transactions/meter-values.store.ts';
import * as registerReadings from '../../src/transactions/register-readings.store.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

const STATIONS = Array.from({ length: 300 }, (_, i) => `S${i}`);
const ROUNDS = 25;
const MANAGERS = 4;

let manager: TestManager;
const managers: Database[] = [];
beforeAll(async () => {
  manager = await openTestManager();
  for (let i = 0; i < MANAGERS; i++)
    managers.push(openDatabase({ url: manager.databaseUrl, poolSize: 1, onError: () => {} }));
  await stations.addUnknown(manager.database, STATIONS);
});
afterAll(async () => {
  for (const database of managers) await database.close();
  await manager.close();
});

function shuffled<T>(rows: readonly T[]): T[] {
  return rows
    .map((row) => ({ row, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ row }) => row);
}

const at = (round: number): Date => new Date(Date.UTC(2026, 10, 20, 10, 0, round));
const sample = (stationId: string, round: number): meterValues.Sample => ({
  stationId,
  connectorId: 1,
  transactionId: null,
  transactionInferred: false,
  measuredAt: at(round),
  context: 'Sample.Periodic',
  measurand: 'Energy.Active.Import.Register',
  phase: null,
  location: 'Outlet',
  format: 'Raw',
  unit: 'Wh',
  value: '1',
  receivedAt: at(round),
});
const status = (stationId: string, round: number): connectors.ConnectorStatus => ({
  stationId,
  connectorId: 1,
  status: 'Reserved',
  errorCode: 'NoError',
  info: null,
  vendorId: null,
  vendorErrorCode: null,
  statusAt: at(round),
  stationTime: null,
  receivedAt: at(round),
});
const frame = (stationId: string, round: number): frames.FrameRecord => ({
  stationId,
  recordedAt: at(round),
  direction: 'in',
  type: 2,
  messageId: 'm',
  action: 'Heartbeat',
  payload: '{}',
  errorCode: null,
  errorDescription: null,
  raw: null,
  connectionId: 'c',
});
const connection = (stationId: string, round: number) => ({
  stationId,
  connectionId: String(round).padStart(9, '0'),
  connectedAt: at(round).toISOString(),
  securityProfile: 1,
});

const eventsOf = (stationIds: string[], round: number, disconnectedAt: Date | null) =>
  stationIds.map((id) => ({ gatewayId: 'gw-1', connection: connection(id, round), disconnectedAt }));

type Write = (database: Database, stationIds: string[], round: number) => Promise<void>;
const WRITES: Record<string, Write> = {
  'meter values': (database, ids, round) =>
    meterValues.record(
      database,
      ids.map((id) => sample(id, round)),
    ),
  frames: (database, ids, round) =>
    frames.record(
      database,
      ids.map((id) => frame(id, round)),
    ),
  authorizations: (database, ids, round) =>
    authorizations.record(
      database,
      ids.map((stationId) => ({ stationId, idTag: 'T', status: 'Invalid', receivedAt: at(round) })),
    ),
  'connector statuses': (database, ids, round) =>
    connectors.record(
      database,
      ids.map((id) => status(id, round)),
    ),
  'what statuses say of reservations': (database, ids, round) =>
    reservationStatuses.apply(
      database,
      ids.map((id) => status(id, round)),
    ),
  'register readings': (database, ids, round) =>
    registerReadings.record(
      database,
      ids.map((id) => ({ ...sample(id, round), transactionId: transactions.get(id) ?? null })),
    ),
  'last-seen times': (database, ids, round) =>
    stations.markSeen(database, new Map(ids.map((id) => [id, at(round)]))),
  'security profiles': (database, ids) =>
    stations.takeProfiles(
      database,
      ids.map((stationId) => ({ stationId, securityProfile: 1 })),
    ),
  connections: (database, ids, round) =>
    connections.record(database, eventsOf(ids, round, round % 3 === 2 ? at(round) : null)),
  'connections that are listed no more': async (database, ids, round) => {
    const upTo = String(round + 1).padStart(9, '0');
    const listed = ids.slice(0, 5).map((id) => connection(id, round));
    if (round % 2) await connections.record(database, eventsOf(ids, round, null));
    else
      await connections.closeUnlisted(
        database,
        'gw-1',
        { kind: 'listing', after: '', upTo, connections: listed },
        at(round),
      );
  },
  'connections with all that they bring about': (database, ids, round) =>
    recordConnections(
      database,
      eventsOf(ids, round, null).map((event, i) => ({
        ...event,
        gatewayId: `gw-${round}-${i % 5}`,
        isAnnounced: i % 2 === 0,
        at: at(round),
      })),
    ),
  boots: async (database, ids, round) => {
    const request = { chargePointVendor: 'V', chargePointModel: 'M', firmwareVersion: '1' };
    await recordBoots(
      database,
      ids.map((stationId) => ({ stationId, at: at(round), request })),
    );
  },
  'refused handshakes': (database, ids, round) =>
    rejected.record(
      database,
      ids.map((stationId) => ({ stationId, status: 401, reason: 'why', at: at(round).toISOString() })),
    ),
  reconciliations: (database, ids, round) => reconciliations.onConnect(database, ids, at(round)),
};

const transactions = new Map<string, number>();
beforeAll(async () => {
  for (const stationId of shuffled(STATIONS)) {
    const rows = await manager.rows(
      `INSERT INTO transactions (station_id, connector_id, id_tag, id_tag_key, id_tag_status, meter_start_wh, started_at,
         start_message_id, start_received_at, start_id_tag_info)
       VALUES ($1, 1, 'T', 't', 'Accepted', 0, $2, 'm', $2, '{}') RETURNING transaction_id`,
      [stationId, at(0)],
    );
    transactions.set(stationId, Number(rows[0]?.transaction_id));
    await manager.rows(
      `INSERT INTO reservations (station_id, command_id, reservation_id, connector_id, id_tag, id_tag_key, expiry_date, requested_at, state)
       VALUES ($1, gen_random_uuid(), 1, 1, 'T', 't', '2100-01-01', $2, 'active')`,
      [stationId, at(0)],
    );
    await manager.rows(
      `INSERT INTO reconciliations (station_id, kind, desired, permanent, look_at, requested_at) VALUES ($1, 'configuration', '{}', true, '2100-01-01', $2)`,
      [stationId, at(0)],
    );
  }
});

test.each(Object.entries(WRITES))(
  'managers that write %s of the same stations never deadlock',
  async (_name, write) => {
    for (let round = 0; round < ROUNDS; round++) {
      await manager.rows('UPDATE stations SET pending_security_profile = 1');
      await manager.rows("UPDATE reconciliations SET look_at = '2100-01-01'");
      const outcomes = await Promise.allSettled(
        managers.map((database) => write(database, shuffled(STATIONS).slice(0, 250), round)),
      );
      const failures = outcomes.flatMap((outcome) =>
        outcome.status === 'rejected'
          ? [(outcome.reason as pg.DatabaseError).code ?? String(outcome.reason)]
          : [],
      );
      expect(failures).toEqual([]);
    }
  },
  120_000,
);
