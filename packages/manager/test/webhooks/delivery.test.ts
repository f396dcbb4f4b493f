import { Sealer, silentLog } from '@evander/process';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { EventFeed } from '../../src/events/feed.ts';
import { Sequencer } from '../../src/events/sequencer.ts';
import { outbound } from '../../src/outbound/outbound.ts';
import * as deliveries from '../../src/webhooks/webhook-deliveries.store.ts';
import * as webhooks from '../../src/webhooks/webhooks.store.ts';
import type { NewWebhook, Webhook } from '../../src/webhooks/webhooks.store.ts';
import { WebhookWorker } from '../../src/webhooks/worker.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';
import { Receiver } from './receiver.ts';

let manager: TestManager;
let parts: { close(): Promise<void> }[];
let feed: EventFeed;
const sealer = new Sealer('a secret');
const log = silentLog();

beforeEach(async () => {
  manager = await openTestManager();
  feed = new EventFeed({ database: manager.database, databaseUrl: manager.databaseUrl, log });
  await feed.start();
  const sequencer = new Sequencer(manager.database, log);
  sequencer.start();
  parts = [feed, sequencer];
  await ordered();
});
afterEach(async () => {
  for (const part of parts.reverse()) await part.close();
  await manager.close();
});

/** Waits until all events have ids. */
async function ordered(): Promise<void> {
  while ((await manager.rows('SELECT FROM event_intake')).length > 0) await delay(10);
}

function startWorker({
  giveUpMs = 60_000,
  allowPrivate = true,
  timeoutMs = 10_000,
  leaseMs = 60_000,
} = {}): WebhookWorker {
  const worker = new WebhookWorker({
    database: manager.database,
    feed,
    sealer,
    outbound: outbound({ allowPrivate }),
    metrics: manager.metrics,
    retryPolicy: { retryMs: 50, maxRetryMs: 200, maxDownMs: 200, giveUpMs },
    timeoutMs,
    leaseMs,
    log,
  });
  worker.start();
  parts.push({ close: () => worker.close(100) });
  return worker;
}

async function openReceiver(): Promise<Receiver> {
  const receiver = await new Receiver().open();
  parts.unshift(receiver);
  return receiver;
}

async function hook(receiver: Receiver, given: Partial<NewWebhook> = {}): Promise<Webhook> {
  receiver.secret = `evw_${Math.random()}`;
  return webhooks.add(manager.database, {
    url: receiver.url,
    kinds: null,
    stationIds: null,
    active: true,
    sealedSecret: sealer.seal(receiver.secret),
    ...given,
  });
}

async function happen(stationId: string, types: string[]): Promise<void> {
  for (const type of types)
    await manager.rows('INSERT INTO security_events VALUES ($1, $2, now(), false, NULL, now())', [
      stationId,
      type,
    ]);
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(10);
}

/** A promise that the test resolves. */
function held(): { isReleased: Promise<void>; release(): void } {
  let release = (): void => {};
  const isReleased = new Promise<void>((resolve) => (release = resolve));
  return { isReleased, release: () => release() };
}

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `n${from + i}`);
const STATIONS = ['A', 'B', 'C', 'D', 'E'];

test('signed events arrive as they happen, in order per station', async () => {
  const receiver = await openReceiver();
  await hook(receiver);
  startWorker();
  for (const type of numbers(1, 20)) for (const station of STATIONS) await happen(station, [type]);
  await until(() => receiver.taken.length === 100);
  for (const station of STATIONS) expect(receiver.typesOf(station)).toEqual(numbers(1, 20));
  expect(receiver.bad).toEqual([]);
  expect(receiver.tries).toHaveLength(100);
});

test('a receiver that was down gets everything once it is back, in order', async () => {
  const receiver = await openReceiver();
  const { webhookId } = await hook(receiver);
  startWorker();
  await receiver.close();
  for (const type of numbers(1, 30)) for (const station of STATIONS) await happen(station, [type]);
  await until(async () => (await webhooks.get(manager.database, webhookId))?.failingSince !== null);
  const down = await webhooks.get(manager.database, webhookId);
  expect(down?.lastError).toContain('ECONNREFUSED');
  // Events for a receiver that is down are not copied: no table grows.
  expect(down?.waiting).toBeLessThan(50);
  await receiver.open();
  await until(() => receiver.taken.length >= 150);
  for (const station of STATIONS) expect(receiver.typesOf(station)).toEqual(numbers(1, 30));
  await until(async () => (await webhooks.get(manager.database, webhookId))?.failingSince === null);
  expect(await webhooks.get(manager.database, webhookId)).toMatchObject({ waiting: 0, dead: 0 });
}, 60_000);

test('a rejected event delays only its own station; once given up, it can be replayed', async () => {
  const receiver = await openReceiver();
  const { webhookId } = await hook(receiver);
  receiver.answer = ({ data }) => (data.type === 'bad' ? 500 : 204);
  startWorker({ giveUpMs: 1500 });
  await happen('A', ['before', 'bad', 'after']);
  await happen('B', numbers(1, 5));
  await until(() => receiver.typesOf('B').length === 5);
  expect(receiver.typesOf('A')).toEqual(['before']);
  await until(() => receiver.typesOf('A').length === 2);
  expect(receiver.typesOf('A')).toEqual(['before', 'after']);
  const [dead] = await deliveries.listDead(manager.database, webhookId, { after: null, rows: 10 });
  expect(dead).toMatchObject({
    event: { kind: 'security.event', stationId: 'A', data: { type: 'bad' } },
    lastError: 'the receiver answered 500',
  });
  expect(dead?.attempts).toBeGreaterThan(2);
  receiver.answer = () => 200;
  expect(await deliveries.replay(manager.database, webhookId, [dead?.event.id ?? 0])).toBe(1);
  await until(() => receiver.typesOf('A').length === 3);
  await until(async () => (await webhooks.get(manager.database, webhookId))?.waiting === 0);
  expect(await webhooks.get(manager.database, webhookId)).toMatchObject({ dead: 0 });
});

test('events that a receiver missed because it was down for too long are dead; later ones are not', async () => {
  const receiver = await openReceiver();
  const { webhookId } = await hook(receiver);
  receiver.answer = () => 503;
  startWorker({ giveUpMs: 1500 });
  for (const station of STATIONS) await happen(station, ['early']);
  await until(async () => (await webhooks.get(manager.database, webhookId))?.dead === STATIONS.length);
  receiver.answer = () => 204;
  for (const station of STATIONS) await happen(station, ['late']);
  await until(() => receiver.taken.length === STATIONS.length);
  for (const station of STATIONS) expect(receiver.typesOf(station)).toEqual(['late']);
});

test('a receiver that never answers delays no others', async () => {
  const hanging = await openReceiver();
  hanging.answer = () => 'never';
  const receiver = await openReceiver();
  for (let i = 0; i < 10; i++) await hook(hanging);
  await hook(receiver);
  startWorker({ timeoutMs: 20_000 });
  await happen('A', ['first']);
  await until(() => receiver.taken.length === 1);
  for (const type of numbers(1, 5)) {
    await happen('A', [type]);
    await until(() => receiver.typesOf('A').at(-1) === type);
  }
});

test('a slow post delays only its own station, however many events follow', async () => {
  const receiver = await openReceiver();
  const { webhookId } = await hook(receiver);
  const { isReleased, release } = held();
  receiver.answer = async ({ stationId, data }) => {
    if (stationId === 'A' && data.type === 'n1') await isReleased;
    return 204;
  };
  for (const type of numbers(1, 120)) for (const station of STATIONS) await happen(station, [type]);
  const leaseMs = 3000;
  startWorker({ leaseMs, timeoutMs: 60_000 });
  // No other manager takes over the webhook during the session, even if it is longer than a lease.
  startWorker({ leaseMs, timeoutMs: 60_000 });
  const others = STATIONS.slice(1);
  await Promise.all([
    until(() => others.every((station) => receiver.typesOf(station).length === 120)),
    delay(1.5 * leaseMs),
  ]);
  for (const station of others) expect(receiver.typesOf(station)).toEqual(numbers(1, 120));
  expect(receiver.tries.filter(({ stationId }) => stationId === 'A')).toHaveLength(1);
  expect((await webhooks.get(manager.database, webhookId))?.lastError).toBeNull();
  release();
  await until(() => receiver.typesOf('A').length === 120);
  expect(receiver.typesOf('A')).toEqual(numbers(1, 120));
  expect(receiver.tries).toHaveLength(STATIONS.length * 120);
  await until(async () => (await webhooks.get(manager.database, webhookId))?.waiting === 0);
  expect(await webhooks.get(manager.database, webhookId)).toMatchObject({
    dead: 0,
    behind: { ids: 0, seconds: 0 },
  });
}, 90_000);

test('an event that is delivered while later events of its station are set aside is not posted again', async () => {
  const receiver = await openReceiver();
  await hook(receiver);
  const { isReleased, release } = held();
  receiver.answer = async ({ stationId, data }) => {
    if (stationId === 'A' && data.type === 'n1') await isReleased;
    return 204;
  };
  // More than the limit per station; the event of B causes a record that the others are set aside.
  await happen('A', numbers(1, 60));
  await happen('B', ['n1']);
  await manager.database.transaction(async (db) => {
    await db.query({ text: 'LOCK TABLE webhook_deliveries IN SHARE MODE' });
    startWorker();
    const waiting = `SELECT FROM pg_locks WHERE NOT granted AND relation = 'webhook_deliveries'::regclass`;
    await until(async () => (await manager.rows(waiting)).length > 0);
    release();
    await until(() => receiver.typesOf('A').at(-1) === 'n50');
  });
  await until(() => receiver.typesOf('A').at(-1) === 'n60');
  expect(receiver.typesOf('A')).toEqual(numbers(1, 60));
});

test('a change applies immediately, even under load', async () => {
  const [before, after] = [await openReceiver(), await openReceiver()];
  const { webhookId } = await hook(before);
  after.secret = before.secret;
  let count = 0;
  before.answer = () => {
    if (++count === 50) void webhooks.change(manager.database, webhookId, { url: after.url });
    return 204;
  };
  for (const type of numbers(1, 100)) for (const station of STATIONS) await happen(station, [type]);
  startWorker();
  // Events keep arriving, so the session never ends on its own.
  let isOver = false;
  const more = (async () => {
    for (let i = 0; !isOver; i++) await happen('F', [`n${i}`]);
  })();
  await until(() => after.taken.length > 0);
  isOver = true;
  await more;
}, 60_000);

test('another manager continues after a kill, and nothing is lost', async () => {
  const receiver = await openReceiver();
  await hook(receiver);
  const child = spawn(process.execPath, [
    ...['--import', 'tsx', '--conditions=@evander/source'],
    fileURLToPath(new URL('./worker-process.ts', import.meta.url)),
    manager.databaseUrl,
  ]);
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  const stations = numbers(1, 12);
  const allAtOnce = held();
  receiver.answer = async ({ data }) => {
    if (stations.every((station) => receiver.tries.some(({ stationId }) => stationId === station)))
      allAtOnce.release();
    await allAtOnce.isReleased;
    if (data.type === 'n20') child.kill('SIGKILL');
    return 204;
  };
  const exit = once(child, 'close');
  for (const station of stations) await happen(station, numbers(1, 50));
  expect(await exit).toEqual([null, 'SIGKILL']);
  // Concurrent posts are not a sign of a leak.
  expect(said).not.toContain('MaxListenersExceededWarning');
  receiver.answer = () => 204;
  startWorker();
  await until(() => stations.every((station) => receiver.typesOf(station).at(-1) === 'n50'));
  for (const station of stations) {
    // Posts that were not recorded are repeated; without repeats, all events arrived in order.
    const types = receiver.typesOf(station);
    expect([...new Set(types)]).toEqual(numbers(1, 50));
  }
}, 60_000);

test('several managers share webhooks and post each event once', async () => {
  const receivers = [await openReceiver(), await openReceiver(), await openReceiver()];
  for (const receiver of receivers) await hook(receiver);
  for (let i = 0; i < 3; i++) startWorker();
  for (const type of numbers(1, 20)) for (const station of STATIONS) await happen(station, [type]);
  for (const receiver of receivers) {
    await until(() => receiver.taken.length >= 100);
    for (const station of STATIONS) expect(receiver.typesOf(station)).toEqual(numbers(1, 20));
  }
});

test('a webhook gets only the events of its filter, and only since its creation', async () => {
  await happen('A', ['long ago']);
  await ordered();
  const receiver = await openReceiver();
  await hook(receiver, { kinds: ['security.*', 'log.status'], stationIds: ['A'] });
  startWorker();
  await happen('B', ['other']);
  await manager.ask('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Available' });
  await happen('A', ['this']);
  await until(() => receiver.taken.length === 1);
  expect(receiver.tries.map(({ stationId, data }) => [stationId, data.type])).toEqual([['A', 'this']]);
});

test('410 Gone deactivates a webhook; it gets the missed events once it is active again', async () => {
  const receiver = await openReceiver();
  const { webhookId } = await hook(receiver);
  receiver.answer = () => 410;
  startWorker();
  await happen('A', ['first']);
  await until(async () => (await webhooks.get(manager.database, webhookId))?.active === false);
  expect((await webhooks.get(manager.database, webhookId))?.inactiveReason).toContain('410');
  const tries = receiver.tries.length;
  await happen('A', ['second']);
  receiver.answer = () => 204;
  await ordered();
  await webhooks.change(manager.database, webhookId, { active: true });
  await until(() => receiver.taken.length === 2);
  expect(receiver.typesOf('A')).toEqual(['first', 'second']);
  expect(receiver.tries).toHaveLength(tries + 2);
});

test('private addresses are rejected unless allowed', async () => {
  const receiver = await openReceiver();
  const { webhookId } = await hook(receiver);
  startWorker({ allowPrivate: false });
  await happen('A', ['x']);
  await until(async () => (await webhooks.get(manager.database, webhookId))?.lastError != null);
  expect((await webhooks.get(manager.database, webhookId))?.lastError).toContain(
    'EVANDER_OUTBOUND_PRIVATE=allow',
  );
  expect(receiver.tries).toEqual([]);
});
