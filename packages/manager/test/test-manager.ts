import { decodeEnvelope } from '@evander/broker';
import type { CallEnvelope, Envelope } from '@evander/broker';
import type { CommandAction } from '@evander/ocpp';
import { createLog, Sealer } from '@evander/process';
import type { Log } from '@evander/process';
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { createTestDatabase } from '../../../test/database.ts';
import { Responders } from '../src/certificates/responders.ts';
import { CallMaker } from '../src/commands/call-maker.ts';
import * as commandList from '../src/commands/command-list.store.ts';
import type { CommandRow } from '../src/commands/command-list.store.ts';
import { openDatabase } from '../src/database/database.ts';
import type { Database } from '../src/database/database.ts';
import { createPartitions } from '../src/database/partitions.ts';
import { COMMANDS, MESSAGES } from '../src/messages/v16/index.ts';
import type { Messages } from '../src/messages/v16/index.ts';
import { Router } from '../src/mqtt/router.ts';
import { ManagerMetrics } from '../src/observability/metrics.ts';
import { outbound } from '../src/outbound/outbound.ts';
import { LeafSigner } from '../src/plug-and-charge/leaf-signer.ts';
import { openPnc } from '../src/plug-and-charge/open.ts';
import type { PncOptions } from '../src/plug-and-charge/options.ts';
import { HeardStations } from '../src/presence/heard-stations.ts';
import { createWriter } from '../src/station-writer.ts';
import * as connections from '../src/stations/connections.store.ts';
import { StationRegister } from '../src/stations/station-register.ts';
import * as stations from '../src/stations/stations.store.ts';

export interface Question {
  id?: string;
  receivedAt?: string;
  stationId?: string;
}

/** A response or an error code. */
export type StationAnswer = object | { error: string };

/** The pepper for password hashes. */
export const PEPPER = 'pepper';

/** A manager's router on its own database; only envelopes go in and out. */
export interface TestManager {
  database: Database;
  databaseUrl: string;
  /** Sends a call; returns its response or error code. */
  ask(
    action: string,
    request: object,
    question?: Question,
  ): Promise<{ response?: unknown; code?: string; text?: string }>;
  /** All envelopes that answer a call: none if it could not be stored. */
  envelopes(action: string, request: object, question?: Question): Promise<Envelope[]>;
  completed: string[];
  router: Router;
  callMaker: CallMaker;
  leafSigner: LeafSigner;
  metrics: ManagerMetrics;
  /** All published envelopes, in order. */
  published(): Envelope[];
  /** All published commands, including redeliveries. */
  sent(): CallEnvelope[];
  /** Sends a command to CP1 and answers it as the station would; returns the command afterwards. */
  command(action: CommandAction, request: object, answer?: StationAnswer): Promise<CommandRow>;
  /** Answers a command as CP1. */
  answer(command: CallEnvelope, answer: StationAnswer): Promise<void>;
  rows(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** The manager's time; undefined for the system clock. */
  setNow(now: Date | undefined): void;
  now(): Date;
  /** Errors logged since the last call. */
  faults(): string[];
  idle(): Promise<void>;
  close(): Promise<void>;
}

export interface TestManagerOptions {
  messages?: Messages;
  /** Options of Plug & Charge. */
  pnc?: PncOptions;
  /** Allow responders at private addresses. */
  outboundPrivate?: boolean;
  unknownStations?: 'accept' | 'reject';
  /** The manager's log; by default errors go to `faults`. */
  log?: Log;
  /** Maps the database URL to the one that the manager uses. */
  databaseVia?(url: string): Promise<string> | string;
}

/** Starts a manager with one station, CP1, that is connected and accepted. */
export async function openTestManager({
  messages = MESSAGES,
  pnc = {},
  outboundPrivate = false,
  unknownStations = 'accept',
  log: ownLog,
  databaseVia = (url) => url,
}: TestManagerOptions = {}): Promise<TestManager> {
  const testDatabase = await createTestDatabase();
  const url = await databaseVia(testDatabase.url);
  const database = openDatabase({ url, poolSize: 10, onError: () => {} });
  await createPartitions(database, new Date());
  const writer = createWriter(database);
  let fixed: Date | undefined;
  const now = (): Date => fixed ?? new Date();
  const published: { stationId: string; envelope: Envelope }[] = [];
  const completed: string[] = [];
  const faults: string[] = [];
  const log = ownLog ?? createLog('manager', 'error', { write: (line) => void faults.push(line) });
  const register = new StationRegister(database, now);
  const publish = (stationId: string, payload: string): boolean => {
    const envelope = decodeEnvelope(payload);
    if (envelope) published.push({ stationId, envelope });
    return true;
  };
  const metrics = new ManagerMetrics();
  const callMaker = new CallMaker({
    commands: COMMANDS,
    database,
    frames: writer.frames,
    sealer: new Sealer('a secret'),
    passwordPepper: PEPPER,
    answerTimeoutMs: 30_000,
    publish,
    isBrokerConnected: () => true,
    complete: (stationId, id, gaveUp) => completed.push(`${stationId} ${id}${gaveUp ? ' gave up' : ''}`),
    metrics,
    now,
    log,
  });
  const request = outbound({ allowPrivate: outboundPrivate });
  const { issueV2g, ...services } = await openPnc(pnc, {
    database,
    responders: new Responders({ database, now, request }),
    organisation: 'Evander',
    now,
  });
  const leafSigner = new LeafSigner({ database, callMaker, issueV2g, now, log });
  const heard = new HeardStations({
    database,
    connections: writer.connections,
    heartbeatSeconds: 300,
    unknownStations,
    now,
  });
  const router = new Router({
    messages,
    pnc: { ...services, signWaiting: (stationId) => leafSigner.signWaiting(stationId) },
    isAccepted: (stationId) => register.isAccepted(stationId),
    database,
    writer,
    heartbeatSeconds: 300,
    publish,
    onAnswer: (stationId, answer, at) => callMaker.onAnswer(stationId, answer, at),
    onAnswerNotStored: () => callMaker.onAnswerNotStored(),
    hear: (stationId, envelope) => heard.hear(stationId, envelope),
    markSeen: () => {},
    metrics,
    now,
    log,
  });

  const envelopes: TestManager['envelopes'] = async (action, request, question = {}) => {
    const { id = randomUUID(), stationId = 'CP1', receivedAt = now().toISOString() } = question;
    await router.route(stationId, {
      type: 2,
      id,
      action,
      request: request as Record<string, unknown>,
      received_at: receivedAt,
      connection_id: 'c1',
    });
    return published
      .filter((one) => one.stationId === stationId && one.envelope.id === id)
      .map((one) => one.envelope);
  };
  const ask: TestManager['ask'] = async (action, request, question) => {
    const envelope = (await envelopes(action, request, question)).at(-1);
    if (envelope?.type === 3) return { response: envelope.response };
    if (envelope?.type === 4) return { code: envelope.error_code, text: envelope.error_description };
    return {};
  };
  const sent: TestManager['sent'] = () =>
    published.map(({ envelope }) => envelope).filter((envelope) => envelope.type === 2);
  const answer: TestManager['answer'] = async ({ id, action, request }, reply) => {
    const question = { id, action, request, received_at: now().toISOString() };
    await router.route(
      'CP1',
      'error' in reply
        ? { type: 4, ...question, error_code: String(reply.error), error_description: 'no' }
        : { type: 3, ...question, response: reply as Record<string, unknown> },
    );
  };
  const command: TestManager['command'] = async (action, request, reply) => {
    const commandId = await callMaker.request({ stationId: 'CP1', action, request });
    const call = sent().find(({ id }) => id === commandId);
    if (call && reply) await answer(call, reply);
    const row = await commandList.get(database, commandId);
    if (!row) throw new Error('the command is not recorded');
    return row;
  };
  const manager: TestManager = {
    database,
    databaseUrl: testDatabase.url,
    ask,
    envelopes,
    completed,
    router,
    callMaker,
    leafSigner,
    metrics,
    published: () => published.map(({ envelope }) => envelope),
    sent,
    answer,
    command,
    rows: async (sql, values = []) => (await database.query<pg.QueryResultRow>({ text: sql, values })).rows,
    now,
    faults: () => faults.splice(0),
    setNow: (at) => (fixed = at),
    idle: async () => {
      await Promise.all(Object.values(writer).map((batch: { idle(): Promise<void> }) => batch.idle()));
    },
    close: async () => {
      await manager.idle();
      await database.close();
      await testDatabase.drop();
    },
  };
  await stations.addUnknown(database, ['CP1']);
  await connect(database, 'CP1');
  await ask('BootNotification', { chargePointVendor: 'Vendor', chargePointModel: 'Model' });
  return manager;
}

/** Makes a station look connected. */
export async function connect(database: Database, stationId: string): Promise<void> {
  const connection = { stationId, connectionId: 'c1', connectedAt: new Date(0).toISOString() };
  await connections.markAlive(database, ['gw-1']);
  // No gateway sends signs of life, and a test may take longer than the limit for silent gateways.
  await database.query({
    text: "UPDATE gateways SET alive_at = now() + interval '1 day' WHERE gateway_id = 'gw-1'",
  });
  await connections.record(database, [{ gatewayId: 'gw-1', connection, disconnectedAt: null }]);
}

/** Adds a tag, by default an accepted one. */
export async function addTag(
  manager: TestManager,
  idTag: string,
  columns: Record<string, unknown> = {},
): Promise<void> {
  const row = { id_tag: idTag, id_tag_key: idTag.toLowerCase(), ...columns };
  const names = Object.keys(row);
  const places = names.map((_, i) => `$${i + 1}`);
  await manager.rows(
    `INSERT INTO tags (${names.join(', ')}) VALUES (${places.join(', ')})`,
    Object.values(row),
  );
}
