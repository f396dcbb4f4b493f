import type { Log } from '@evander/process';
import type { Database } from '../database/database.ts';
import * as events from '../events/events.store.ts';
import type { Event } from '../events/events.store.ts';
import { Lanes } from './lanes.ts';
import type { Item } from './lanes.ts';
import { failedAgain, givenUp, isOverdue, Outcomes, queued, retryDelayMs } from './outcome.ts';
import type { RetryPolicy } from './outcome.ts';
import type { Outcome } from './post.ts';
import * as deliveries from './webhook-deliveries.store.ts';
import type { Undelivered, Waiting } from './webhook-deliveries.store.ts';
import * as webhooks from './webhooks.store.ts';
import type { LeasedWebhook } from './webhooks.store.ts';

export interface SessionOptions {
  database: Database;
  /** The id of the newest event. */
  newest(): number;
  post(event: Event): Promise<Outcome>;
  /** Whether to start no more posts. */
  mustStop(): boolean;
  retryPolicy: RetryPolicy;
  leaseMs: number;
  /** Called after outcomes were recorded. */
  onRecorded(counts: { delivered: number; failed: number; dead: number; gone: string | null }): void;
  log: Log;
}

/** How often outcomes are recorded. If the manager dies, events posted since then are posted again. */
const RECORD_INTERVAL_MS = 500;
const RETRY_MS = 500;
/** Concurrent posts of a session. At 5 ms per post, with 0.2 % that take 10 s, this is more than 1,000 per second. */
export const CONCURRENCY = 64;
/** Concurrent posts while the receiver is failing. */
const CONCURRENCY_WHILE_FAILING = 8;
/** Events per query. */
const ROWS = 200;
/** Ids that one query covers. */
const ID_SPAN = 50_000;
/** Events in memory that are neither delivered nor set aside: in total, and per station. */
const MAX_OPEN = 1000;
const MAX_PER_STATION = 50;
/** Events that are delivered or set aside although an earlier one is not. */
const MAX_HANDLED = 20_000;
/** While this many events are set aside, no more are read. */
const MAX_WAITING = 10_000;
const RETRIES = { stations: 50, perStation: 20 };

/** Works on a webhook while this manager holds its lease: posts its events and regularly records the outcomes. */
export class Session {
  readonly #webhook: LeasedWebhook;
  readonly #options: SessionOptions;
  readonly #lanes: Lanes;
  /** New events that are neither delivered nor set aside, oldest first. */
  readonly #open = new Map<number, Event>();
  /** Ids after `#webhook.lastEventId` of events that are delivered or set aside. */
  #handled: Set<number>;
  /** All events up to this id have been read. */
  #readUpTo: number;
  /** Stations whose events are set aside; their later events wait behind these. */
  #aside = new Set<string>();
  #hasRoom = true;
  #outcomes = new Outcomes();
  #isOver = false;
  #hasPosted = false;
  #recordedAtMs = performance.now();
  #nextRetriesAtMs = 0;
  #leasedUntilMs: number;
  #wake = (): void => {};

  constructor(webhook: LeasedWebhook, options: SessionOptions) {
    this.#webhook = { ...webhook };
    this.#options = options;
    this.#handled = new Set(webhook.handledIds);
    this.#readUpTo = webhook.lastEventId;
    this.#leasedUntilMs = performance.now() + options.leaseMs;
    this.#lanes = new Lanes({
      post: (event) => options.post(event),
      mustStop: () => this.#mustStop,
      concurrency: () => (this.#webhook.failures > 0 ? CONCURRENCY_WHILE_FAILING : CONCURRENCY),
      onOutcome: (item, outcome) => {
        this.#hasPosted = true;
        this.#outcomes.note(item, outcome);
        if (this.#lanes.isIdle || (this.#hasMore && this.#undelivered < ROWS)) this.#wake();
      },
    });
  }

  /** Whether anything was posted. */
  get hasPosted(): boolean {
    return this.#hasPosted;
  }

  /** Call when there are new events. */
  onNewEvents(): void {
    this.#wake();
  }

  /** Resolves when there is nothing left to do or the receiver is down, and the lease is released; rejects if the lease was lost. */
  async run(): Promise<void> {
    try {
      await this.#withRetries(() => this.#readWaiting());
      for (;;) {
        await this.#withRetries(() => this.#fetch());
        if (this.#lanes.isIdle) break;
        await this.#pause(RECORD_INTERVAL_MS);
        await this.#withRetries(() => this.#recordOrRenew());
      }
      await this.#withRetries(() => this.#record({ isLast: true }));
    } finally {
      this.#isOver = true;
    }
  }

  get #mustStop(): boolean {
    const isLost = performance.now() > this.#leasedUntilMs;
    return this.#isOver || isLost || this.#options.mustStop() || this.#outcomes.isOver;
  }

  get #undelivered(): number {
    return this.#open.size - this.#outcomes.delivered.size;
  }

  get #hasMore(): boolean {
    return this.#readUpTo < this.#options.newest() && this.#hasRoom && this.#handled.size < MAX_HANDLED;
  }

  // A short database outage loses no outcomes, as long as the lease lasts.
  async #withRetries(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await work();
        return;
      } catch (error) {
        if (error instanceof LeaseLost || performance.now() + RETRY_MS > this.#leasedUntilMs) throw error;
        this.#options.log.info({ err: error }, 'a webhook waits for the database');
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#lanes.isIdle) this.#wake();
    });
    this.#wake = () => {};
  }

  async #readWaiting(): Promise<void> {
    const { database } = this.#options;
    const { webhookId } = this.#webhook;
    const stations = await deliveries.waitingStations(database, webhookId);
    this.#hasRoom = stations.size === 0 || (await deliveries.countWaiting(database, webhookId)) < MAX_WAITING;
    for (const { stationId } of this.#outcomes.behind) stations.add(stationId);
    this.#aside = stations;
  }

  async #fetch(): Promise<void> {
    if (this.#mustStop) return;
    const { database } = this.#options;
    if (this.#aside.size > 0 && performance.now() >= this.#nextRetriesAtMs) {
      // Delivered events would be due again until their delivery is recorded.
      if (this.#outcomes.delivered.size > 0) await this.#record({ isLast: false });
      const unrecorded = [...this.#outcomes.delivered.values()].map(({ event }) => event.stationId);
      const busy = [...this.#lanes.stationIds, ...unrecorded];
      const due = await deliveries.due(database, this.#webhook.webhookId, { ...RETRIES, busy });
      this.#lanes.add(due.map((waiting) => ({ event: eventOf(waiting), waiting })));
      this.#nextRetriesAtMs = performance.now() + RETRY_MS;
    }
    while (!this.#mustStop && this.#hasMore && this.#undelivered < MAX_OPEN) await this.#readNext();
  }

  async #readNext(): Promise<void> {
    const end = Math.min(this.#options.newest(), this.#readUpTo + ID_SPAN);
    const found = await events.listAfter(this.#options.database, this.#webhook, {
      after: this.#readUpTo,
      upTo: end,
      rows: ROWS,
    });
    const last = found.at(-1);
    this.#readUpTo = found.length === ROWS && last ? last.id : end;
    const items: Item[] = [];
    const counts = new Map<string, number>();
    for (const event of found) {
      const { id, stationId } = event;
      if (this.#handled.has(id)) continue;
      this.#open.set(id, event);
      const count = counts.get(stationId) ?? this.#lanes.of(stationId).length;
      counts.set(stationId, count + 1);
      if (!this.#aside.has(stationId) && count < MAX_PER_STATION) {
        items.push({ event, waiting: undefined });
      } else {
        this.#aside.add(stationId);
        this.#outcomes.behind.push(event);
      }
    }
    this.#lanes.add(items);
  }

  // Failures alone are not evaluated yet: the receiver may be down.
  async #recordOrRenew(): Promise<void> {
    const ageMs = performance.now() - this.#recordedAtMs;
    if (ageMs >= RECORD_INTERVAL_MS && this.#outcomes.delivered.size > 0)
      await this.#record({ isLast: false });
    else if (ageMs >= this.#options.leaseMs / 4) await this.#renew();
  }

  async #renew(): Promise<void> {
    const { database, leaseMs } = this.#options;
    const untilMs = performance.now() + leaseMs;
    const state = await webhooks.renew(database, this.#webhook, leaseMs);
    if (!state) throw new LeaseLost();
    if (webhooks.differs(state, this.#webhook)) this.#isOver = true;
    this.#leasedUntilMs = untilMs;
    this.#recordedAtMs = performance.now();
  }

  async #record({ isLast }: { isLast: boolean }): Promise<void> {
    const outcomes = this.#outcomes;
    this.#outcomes = new Outcomes();
    try {
      const dead = await this.#write(outcomes, isLast);
      this.#options.onRecorded({
        delivered: outcomes.delivered.size,
        failed: outcomes.failed.size,
        dead,
        gone: outcomes.gone,
      });
    } catch (error) {
      this.#outcomes.addEarlier(outcomes);
      throw error;
    }
    if (!isLast && this.#aside.size > 0) await this.#readWaiting();
  }

  async #write(outcomes: Outcomes, isLast: boolean): Promise<number> {
    const { database, leaseMs } = this.#options;
    const webhook = this.#webhook;
    const { delivered, failed, gone, isDown } = outcomes;
    const undelivered = this.#evaluate(outcomes);
    const handling = new Set([...delivered.keys(), ...undelivered.map(({ event }) => event.id)]);
    const lastEventId = this.#lastEventId(handling);
    const handledIds = [...this.#handled, ...handling].filter(
      (id) => id > lastEventId && id <= this.#readUpTo,
    );
    // Events of these stations that are delivered during the write are set aside too; the next write removes them.
    const stationIds = new Set(undelivered.map(({ event }) => event.stationId));
    const items = [...stationIds].flatMap((stationId) => this.#lanes.of(stationId));
    const untilMs = performance.now() + leaseMs;
    const isChanged = await database.transaction(async (db) => {
      const state = await webhooks.record(db, {
        ...webhook,
        lastEventId,
        handledIds,
        backoff: isDown ? this.#backoff() : null,
        hasDelivered: delivered.size > 0,
        error: gone ?? [...failed.values()].at(-1)?.error ?? null,
        inactiveReason: gone,
        leaseMs: isLast ? null : leaseMs,
      });
      if (!state) throw new LeaseLost();
      await deliveries.remove(
        db,
        webhook.webhookId,
        [...delivered.values()].flatMap(({ event, waiting }) => (waiting ? [event.id] : [])),
      );
      await deliveries.storeUndelivered(db, webhook.webhookId, undelivered);
      if (delivered.size > 0 || undelivered.length > 0)
        await deliveries.giveTurns(db, webhook.webhookId, {
          all: delivered.size > 0 && webhook.failures > 0,
        });
      return webhooks.differs(state, webhook);
    });
    this.#leasedUntilMs = untilMs;
    this.#recordedAtMs = performance.now();
    for (const id of handling) this.#open.delete(id);
    this.#handled = new Set(handledIds);
    for (const item of items) item.waiting ??= { ...item.event, attempts: 0, firstFailedAt: null };
    for (const { event } of undelivered) {
      this.#aside.add(event.stationId);
      if (failed.has(event.id)) this.#lanes.remove(event.stationId);
    }
    if (!isDown) Object.assign(webhook, { failures: 0, failingSince: null });
    // End the session, so that the next one applies the change immediately.
    if (isChanged) this.#isOver = true;
    return undelivered.filter(({ isDead }) => isDead).length;
  }

  #lastEventId(handling: ReadonlySet<number>): number {
    for (const id of this.#open.keys()) if (!handling.has(id)) return id - 1;
    return this.#readUpTo;
  }

  #backoff(): { failures: number; nextAttemptInMs: number } {
    const { retryMs, maxDownMs } = this.#options.retryPolicy;
    const failures = this.#webhook.failures + 1;
    return { failures, nextAttemptInMs: retryDelayMs(failures, retryMs, maxDownMs) };
  }

  /** The events to set aside, and dead ones. All events of a station are set aside together to keep their order. */
  #evaluate({ failed, failedStations, behind, gone, isDown }: Outcomes): Undelivered[] {
    const { retryPolicy } = this.#options;
    const undelivered: Undelivered[] = [];
    for (const { item, error } of failed.values())
      if (item.waiting || !isDown) undelivered.push(failedAgain(item, error, retryPolicy));
    if (isDown) {
      const alreadyBehind = new Set(behind);
      for (const event of this.#open.values())
        if (!alreadyBehind.has(event) && isOverdue(this.#webhook.failingSince, event, retryPolicy))
          undelivered.push(givenUp(this.#webhook, event));
      return undelivered;
    }
    const stationIds = new Set(failedStations);
    if (gone === null) for (const { stationId } of behind) stationIds.add(stationId);
    for (const stationId of stationIds)
      for (const { event, waiting } of this.#lanes.of(stationId))
        if (!waiting && !failed.has(event.id)) undelivered.push(queued(event));
    if (gone === null) undelivered.push(...behind.map(queued));
    return undelivered;
  }
}

function eventOf({ id, at, kind, stationId, data }: Waiting): Event {
  return { id, at, kind, stationId, data };
}

/** The webhook was removed or another manager has it. Events posted since the last record are posted again. */
export class LeaseLost extends Error {
  override name = 'LeaseLost';
  constructor() {
    super('the webhook was removed, or another manager has taken it over');
  }
}
