import { setMaxListeners } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newSeed, Random } from '@evander/station';
import { differences } from '../test/ledgers.ts';
import { CommandClients } from './storm/commands.ts';
import { commandDifferences } from './storm/compare-commands.ts';
import {
  allEvents,
  eventsOf,
  readerDifferences,
  receiverDifferences,
  tableDifferences,
} from './storm/compare-events.ts';
import { EventReader } from './storm/event-reader.ts';
import { describeFault, drawFault, inflict } from './storm/faults.ts';
import { createFleets, createTags } from './storm/fleets.ts';
import { ReceivedCommands } from './storm/received-commands.ts';
import { expectKnown, expectShown, stationsOf } from './storm/shown.ts';
import { WebhookReceiver } from './storm/webhook-receiver.ts';
import { eventually, System } from './system.ts';

// A larger storm, or the same one again: EVANDER_STORM_SEED=… EVANDER_STORM_STATIONS=1000 EVANDER_STORM_FAULTS=100 npx --yes pnpm@10 e2e
// storm
const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const SEED = number('EVANDER_STORM_SEED', newSeed());
const STATIONS = number('EVANDER_STORM_STATIONS', 300);
const FAULTS = number('EVANDER_STORM_FAULTS', 20);
/** Instead of a number of faults: as many as fit into this time. */
const MINUTES = number('EVANDER_STORM_MINUTES', 0);
const OUT = new URL('../.ci/out/e2e/', import.meta.url);
const PARTS = ['manager-0', 'manager-1', 'gateway-0', 'gateway-1', 'broker', 'postgres'];
const TRANSACTION_ACTIONS = ['StartTransaction', 'StopTransaction', 'MeterValues'];
/** Differences of each kind to print; a file contains all of them. */
const SHOWN = 15;

const system = new System({
  name: 'storm',
  managerSettings: { EVANDER_OUTBOUND_PRIVATE: 'allow', EVANDER_ANSWER_TIMEOUT_SECONDS: '10' },
});
const random = (stream: number): Random => new Random(SEED + stream);
const fleets: ReturnType<typeof createFleets> = [];
const receivers = [
  new WebhookReceiver({
    name: 'all-events',
    habits: { slow: 0, upMs: [10_000, 30_000], outageMs: [2000, 8000] },
    random: random(1),
  }),
  new WebhookReceiver({
    name: 'slow',
    habits: { slow: 0.002, upMs: [20_000, 60_000], outageMs: [2000, 8000] },
    random: random(2),
  }),
];
/** Differences by comparison. */
type Found = Record<string, string[]>;
const log: string[] = [];

function note(text: string): void {
  log.push(`${new Date().toISOString()} ${text}`);
  writeFileSync(new URL('storm.log', OUT), `${log.join('\n')}\n`);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

beforeAll(async () => {
  mkdirSync(OUT, { recursive: true });
  note(`EVANDER_STORM_SEED=${SEED}, ${STATIONS} stations`);
  await system.start();
  fleets.push(...createFleets(system, { stations: STATIONS, seed: SEED }));
  await createTags(system, fleets);
  for (const receiver of receivers) {
    const url = await receiver.listen();
    await system.api('POST', '/webhooks', { url });
  }
  note('ready');
});
afterAll(async () => {
  await Promise.all(fleets.map((fleet) => fleet.stop()));
  await Promise.all(receivers.map((receiver) => receiver.close()));
  await system.close();
});

test(
  'a storm of faults loses, duplicates and confuses nothing',
  async () => {
    const received = new ReceivedCommands();
    for (const station of stationsOf(fleets)) received.watch(station);
    const clients = new CommandClients({ system, stations: stationsOf(fleets), random: random(3) });
    const readers = [undefined, undefined, 'transaction.*,command.completed'].map((kind, index) => {
      const name = `reader ${index}`;
      return new EventReader({ name, ...(kind && { kind }), system, random: random(4 + index) });
    });
    const refused = watchRefusals();

    const calm = new AbortController();
    setMaxListeners(0, calm.signal);
    await Promise.all(fleets.map((fleet) => fleet.start()));
    await eventually(() => expectKnown(system, fleets));
    const all = [clients, ...readers, ...receivers].map((one) => one.run(calm.signal));
    await inflictFaults().finally(() => calm.abort());
    await Promise.all(all);
    note(`the storm is over: ${clients.sent.length} commands sent, ${posts()}`);

    for (const receiver of receivers) receiver.recover();
    for (const { faults } of stationsOf(fleets)) faults.clear();
    report({
      refused,
      ...(await compareCommands(clients, received)),
      ...(await compareSessions()),
      ...(await compareEvents(readers)),
    });
  },
  (MINUTES + 10) * 60_000,
);

/** Collects transaction messages that were answered with a CALLERROR. */
function watchRefusals(): string[] {
  const refused: string[] = [];
  for (const station of stationsOf(fleets))
    station.on('answered', ({ action, isError }) => {
      if (isError && TRANSACTION_ACTIONS.includes(action)) refused.push(`${station.stationId} ${action}`);
    });
  return refused;
}

/** Inflicts the faults one after another. */
async function inflictFaults(): Promise<void> {
  const schedule = random(0);
  const untilMs = Date.now() + MINUTES * 60_000;
  for (let count = 0; MINUTES > 0 ? Date.now() < untilMs : count < FAULTS; count++) {
    const fault = drawFault(schedule, PARTS);
    await pause(fault.afterMs);
    note(`fault ${count + 1} ${describeFault(fault)}`);
    await inflict(system, fault);
  }
}

/** Throws with all differences and how to reproduce them, if there are any. */
function report(found: Found): void {
  const kinds = Object.entries(found).filter(([, lines]) => lines.length > 0);
  const full = kinds.map(([kind, lines]) => `${kind}: ${lines.length}\n${lines.join('\n')}\n`).join('\n');
  writeFileSync(new URL('storm-differences.txt', OUT), full);
  note(`${kinds.map(([kind, lines]) => `${kind} ${lines.length}`).join(', ') || 'no difference'}`);
  console.log(log.join('\n'));
  const shown = kinds.map(([kind, lines]) =>
    [`${kind}: ${lines.length}`, ...lines.slice(0, SHOWN)].join('\n'),
  );
  if (kinds.length > 0) throw new Error(`${shown.join('\n\n')}\n\n${log.join('\n')}`);
}

/** The error of a failed `eventually`, as a difference. */
async function faultOf(attempt: () => Promise<void>): Promise<string[]> {
  return eventually(attempt).then(
    () => [],
    (error: unknown) => [String(error)],
  );
}

async function expectNone(sql: string): Promise<void> {
  expect(await system.rows(`SELECT count(*)::int FROM ${sql}`)).toEqual([{ count: 0 }]);
}

function posts(): string {
  return receivers.map(({ name, posted }) => `${posted.length} posts to ${name}`).join(', ');
}

async function compareCommands(clients: CommandClients, received: ReceivedCommands): Promise<Found> {
  const connected = await faultOf(() => expectShown(system, fleets));
  const open = await faultOf(() => expectNone("commands WHERE status IN ('queued', 'sent')"));
  const counts = await system.rows(
    "SELECT string_agg(text, ', ') AS text FROM (SELECT count(*) || ' ' || status AS text FROM commands GROUP BY status) AS counts",
  );
  const commands = await commandDifferences(system, { sent: clients.sent, received });
  note(`commands are compared: ${String(counts[0]?.text)}`);
  return { connected, open, commands };
}

async function compareSessions(): Promise<Found> {
  await Promise.all(fleets.map((fleet) => fleet.stop()));
  const stations = stationsOf(fleets);
  const queued = stations.flatMap(({ stationId, queue: { length } }) =>
    length > 0 ? [`${stationId} has ${length} messages that were never answered`] : [],
  );
  const disconnected = await faultOf(() => expectShown(system, fleets));
  const found = await differences(stations, system);
  const sessions = stations.flatMap(({ ledger }) => ledger.sessions);
  const withoutId = sessions.filter(({ transactionIds }) => transactionIds.length === 0);
  const samples = sessions.reduce((sum, session) => sum + session.samples.length, 0);
  note(
    `sessions are compared: ${sessions.length}, of which ${withoutId.length} never learnt their id; ${samples} samples`,
  );
  return { queued, disconnected, sessions: found };
}

async function compareEvents(readers: readonly EventReader[]): Promise<Found> {
  const found: Found = { intake: await faultOf(() => expectNone('event_intake')) };
  const events = await allEvents(system);
  const patience = AbortSignal.timeout(60_000);
  const catchUp = (reader: EventReader): Promise<void> =>
    reader.catchUp(eventsOf(events, reader.kind).at(-1)?.id ?? 0, patience).catch(() => undefined);
  await Promise.all(readers.map(catchUp));
  note('the readers have caught up');
  const count = ({ posted }: WebhookReceiver): number => new Set(posted.map(({ id }) => id)).size;
  found.posted = await faultOf(() => {
    expect(receivers.map(count)).toEqual(receivers.map(() => events.length));
    return Promise.resolve();
  });
  found.events = await tableDifferences(system, events);
  for (const reader of readers) found[reader.name] = readerDifferences(reader, events);
  for (const receiver of receivers) {
    found[receiver.name] = receiverDifferences(receiver, events);
    const lines = receiver.posted.map(({ atMs, id, stationId }) => `${atMs} ${id} ${stationId}`);
    writeFileSync(new URL(`storm-${receiver.name}.txt`, OUT), lines.join('\n'));
  }
  const connections = readers.reduce((sum, { segments }) => sum + segments.length, 0);
  note(`events are compared: ${events.length}, ${connections} connections of readers, ${posts()}`);
  return found;
}
