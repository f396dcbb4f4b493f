import type { Database } from '../store/db.ts';
import * as events from '../store/events.ts';
import type { Event } from '../store/events.ts';
import * as deliveries from '../store/webhook-deliveries.ts';
import type { Undelivered } from '../store/webhook-deliveries.ts';
import * as webhooks from '../store/webhooks.ts';
import type { LeasedWebhook } from '../store/webhooks.ts';
import { lanesOf, runLanes } from './lanes.ts';
import type { Item, Tried } from './lanes.ts';
import type { Outcome } from './post.ts';

/** How patient a webhook is. */
export interface Patience {
  /** The first pause after a failure; each further one is twice as long, up to a limit. */
  retryMs: number;
  longestRetryMs: number;
  /** The limit while nothing at all is taken: a receiver that is back should not wait for long. */
  longestRestMs: number;
  /** An event that was tried in vain for so long is dead. */
  giveUpMs: number;
}

export interface RoundOptions {
  database: Database;
  /** The id of the newest event. */
  newest: number;
  post(event: Event): Promise<Outcome>;
  mustStop(): boolean;
  patience: Patience;
}

/** New events of one round. */
const ROWS = 200;
/** Ids that one round looks through. */
const SPAN = 50_000;
/** Where so many events wait, no more are taken in before some of them are gone. */
const MOST_WAITING = 10_000;
const RETRIES = { stations: 50, perStation: 20 };

interface Plan {
  /** Events after the cursor, oldest first, and up to which id there are no others. */
  window: Event[];
  upTo: number;
  lanes: Item[][];
  /** Events of stations that others wait for already. */
  behind: Event[];
}

/** What a round has come to, before it is written down. */
interface Result {
  kept: Undelivered[];
  settled: Set<number>;
  isDown: boolean;
}

/** One round of a webhook whose lease is held: what is due is posted, and what came of it is kept in one database transaction. */
export async function runRound(
  webhook: LeasedWebhook,
  options: RoundOptions,
): Promise<Tried & { dead: number }> {
  const plan = await makePlan(webhook, options);
  const tried = await runLanes(plan.lanes, options);
  const result = judge(webhook, { plan, tried }, options.patience);
  await record(webhook, { plan, tried, result }, options);
  return { ...tried, dead: result.kept.filter(({ isDead }) => isDead).length };
}

async function makePlan(webhook: LeasedWebhook, { database, newest }: RoundOptions): Promise<Plan> {
  const { webhookId, lastEventId, settledIds } = webhook;
  const waitingStations = await deliveries.waitingStations(database, webhookId);
  const hasRoom =
    waitingStations.size === 0 || (await deliveries.countWaiting(database, webhookId)) < MOST_WAITING;
  const end = hasRoom ? Math.min(newest, lastEventId + SPAN) : lastEventId;
  const window = await events.listAfter(database, webhook, { after: lastEventId, upTo: end, rows: ROWS });
  const last = window.at(-1);
  const upTo = window.length === ROWS && last ? last.id : Math.max(end, lastEventId);
  const due = await deliveries.due(database, webhookId, RETRIES);
  const settled = new Set(settledIds);
  const open = window.filter(({ id }) => !settled.has(id));
  const items = [
    ...due.map((waiting) => ({ event: eventOf(waiting), waiting })),
    ...open
      .filter(({ stationId }) => !waitingStations.has(stationId))
      .map((event) => ({ event, waiting: undefined })),
  ];
  const behind = open.filter(({ stationId }) => waitingStations.has(stationId));
  return { window, upTo, lanes: lanesOf(items), behind };
}

function eventOf({ id, at, kind, stationId, data }: Event): Event {
  return { id, at, kind, stationId, data };
}

// Where several stations fail and none has luck, it is the receiver: new events then stay where they are. Where it is one, it may be
// what it said: it stands aside, and the others go on.
function judge(
  webhook: LeasedWebhook,
  { plan, tried }: { plan: Plan; tried: Tried },
  patience: Patience,
): Result {
  const isDown = tried.delivered.size === 0 && tried.failedStations.size > 1;
  const settled = new Set([...webhook.settledIds, ...tried.delivered]);
  const result: Result = { kept: [], settled, isDown };
  const keep = (undelivered: Undelivered): void => {
    result.kept.push(undelivered);
    settled.add(undelivered.event.id);
  };
  for (const item of plan.lanes.flat()) {
    const error = tried.failed.get(item.event.id);
    if (error !== undefined && (item.waiting || !isDown)) keep(failedAgain(item, error, patience));
    else if (isDown && !item.waiting && isOverdue(webhook, item.event, patience))
      keep(givenUp(webhook, item.event));
    else if (!isDown && !item.waiting && !tried.delivered.has(item.event.id))
      if (tried.failedStations.has(item.event.stationId)) keep(inLine(item.event));
  }
  if (!isDown && tried.gone === null) for (const event of plan.behind) keep(inLine(event));
  return result;
}

function failedAgain({ event, waiting }: Item, error: string, patience: Patience): Undelivered {
  const attempts = (waiting?.attempts ?? 0) + 1;
  const firstFailedAt = waiting?.firstFailedAt ?? new Date();
  const isDead = Date.now() - firstFailedAt.getTime() >= patience.giveUpMs;
  const nextAttemptInMs = isDead ? null : pause(attempts, patience.retryMs, patience.longestRetryMs);
  return { event, attempts, firstFailedAt, error, isDead, nextAttemptInMs };
}

function isOverdue({ failingSince }: LeasedWebhook, { at }: Event, { giveUpMs }: Patience): boolean {
  const sinceMs = Math.max(failingSince?.getTime() ?? Infinity, at.getTime());
  return Date.now() - sinceMs >= giveUpMs;
}

function givenUp({ failures, failingSince }: LeasedWebhook, event: Event): Undelivered {
  const error = 'the receiver took nothing for too long';
  return {
    event,
    attempts: failures,
    firstFailedAt: failingSince,
    error,
    isDead: true,
    nextAttemptInMs: null,
  };
}

function inLine(event: Event): Undelivered {
  return { event, attempts: 0, firstFailedAt: null, error: null, isDead: false, nextAttemptInMs: null };
}

/** Between half and one and a half of what doubles with each failure: many that failed at a time do not come back at one. */
function pause(failures: number, firstMs: number, longestMs: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 30)) * (0.5 + Math.random());
}

async function record(
  webhook: LeasedWebhook,
  { plan, tried, result }: { plan: Plan; tried: Tried; result: Result },
  { database, patience }: RoundOptions,
): Promise<void> {
  const { webhookId, lease, failures } = webhook;
  const { kept, settled, isDown } = result;
  const firstOpen = plan.window.findIndex(({ id }) => !settled.has(id));
  const lastEventId = firstOpen < 0 ? plan.upTo : (plan.window[firstOpen - 1]?.id ?? webhook.lastEventId);
  const rest = {
    failures: failures + 1,
    nextAttemptInMs: pause(failures + 1, patience.retryMs, patience.longestRestMs),
  };
  const hasDelivered = tried.delivered.size > 0;
  await database.transaction(async (db) => {
    const isOurs = await webhooks.endRound(db, {
      webhookId,
      lease,
      lastEventId,
      settledIds: [...settled].filter((id) => id > lastEventId),
      rest: isDown ? rest : null,
      hasDelivered,
      error: tried.gone ?? [...tried.failed.values()].at(-1) ?? null,
      inactiveReason: tried.gone,
    });
    if (!isOurs) throw new LeaseLost();
    await deliveries.remove(db, webhookId, [...tried.delivered]);
    await deliveries.keep(db, webhookId, kept);
    if (hasDelivered || kept.length > 0)
      await deliveries.giveTurns(db, webhookId, { all: hasDelivered && failures > 0 });
  });
}

/** The webhook was removed, or another manager has it: the round counts for nothing, and what it has posted is posted again. */
export class LeaseLost extends Error {
  override name = 'LeaseLost';
  constructor() {
    super('the webhook is gone, or another manager has taken it over');
  }
}
