import type { Log } from '@evander/process';
import type { Database } from '../database/database.ts';
import * as events from '../events/events.store.ts';
import type { Event } from '../events/events.store.ts';
import { Lanes } from './lanes.ts';
import type { Item } from './lanes.ts';
import { failedAgain, givenUp, inLine, isOverdue, Outcomes, pause } from './outcome.ts';
import type { Patience } from './outcome.ts';
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
  /** Is no further post to begin? */
  mustStop(): boolean;
  patience: Patience;
  leaseMs: number;
  /** Called with what has been written down. */
  onRecorded(counts: { delivered: number; failed: number; dead: number; gone: string | null }): void;
  log: Log;
}

/** How often it is written down how far this has come: what a manager that dies has posted since then is posted again. */
const RECORD_INTERVAL_MS = 500;
const RETRY_MS = 500;
/** Posts of a session at a time: at 5 ms a post, with 0.2 % that take 10 s, more than 1,000 a second. Fewer while a receiver is down. */
export const CONCURRENCY = 64;
const PROBES = 8;
/** Events that one query gives. */
const ROWS = 200;
/** Ids that one query looks through. */
const SPAN = 50_000;
/** Events that are in memory and neither delivered nor set aside: in all, and of a station. */
const MAX_OPEN = 1000;
const MAX_PER_STATION = 50;
/** Events that are delivered or set aside while an earlier one is not. */
const MAX_HANDLED = 20_000;
/** Where so many events are set aside, no more are read before some of them are gone. */
const MAX_WAITING = 10_000;
const RETRIES = { stations: 50, perStation: 20 };

/** The work on a webhook whose lease is held: as long as there are events for it they are posted, and every so often it is written down. */
export class Session {
  readonly #webhook: LeasedWebhook;
  readonly #options: SessionOptions;
  readonly #lanes: Lanes;
  /** New events that are neither delivered nor set aside, oldest first. */
  readonly #open = new Map<number, Event>();
  /** Those after `#webhook.lastEventId` that are. */
  #handled: Set<number>;
  /** All events up to this one are read. */
  #readUpTo: number;
  /** Stations whose events are set aside: later ones stand in line behind them. */
  #aside = new Set<string>();
  #hasRoom = true;
  #outcomes = new Outcomes();
  #isOver = false;
  #hasPosted = false;
  #recordedAtMs = performance.now();
  #lookAgainAtMs = 0;
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
      concurrency: () => (this.#webhook.failures > 0 ? PROBES : CONCURRENCY),
      onOutcome: (item, outcome) => {
        this.#hasPosted = true;
        this.#outcomes.note(item, outcome);
        if (this.#lanes.isIdle || (this.#hasMore && this.#undelivered < ROWS)) this.#wake();
      },
    });
  }

  /** Has anything been posted? If not, there was nothing that could be. */
  get hasPosted(): boolean {
    return this.#hasPosted;
  }

  /** There are new events. */
  onNews(): void {
    this.#wake();
  }

  /** Resolves when there is nothing more to do, or the receiver is down, and the lease is given back; rejects when it was lost. */
  async run(): Promise<void> {
    try {
      await this.#persistently(() => this.#lookAside());
      for (;;) {
        await this.#persistently(() => this.#takeIn());
        if (this.#lanes.isIdle) break;
        await this.#pause(RECORD_INTERVAL_MS);
        await this.#persistently(() => this.#recordSometimes());
      }
      await this.#persistently(() => this.#record({ isLast: true }));
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

  // A database that is away for a moment costs nothing that was posted, as long as the lease lasts.
  async #persistently(work: () => Promise<void>): Promise<void> {
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

  async #lookAside(): Promise<void> {
    const { database } = this.#options;
    const { webhookId } = this.#webhook;
    const stations = await deliveries.waitingStations(database, webhookId);
    this.#hasRoom = stations.size === 0 || (await deliveries.countWaiting(database, webhookId)) < MAX_WAITING;
    for (const { stationId } of this.#outcomes.behind) stations.add(stationId);
    this.#aside = stations;
  }

  async #takeIn(): Promise<void> {
    if (this.#mustStop) return;
    const { database } = this.#options;
    if (this.#aside.size > 0 && performance.now() >= this.#lookAgainAtMs) {
      // What was delivered would be due again until that is written down.
      if (this.#outcomes.delivered.size > 0) await this.#record({ isLast: false });
      const unrecorded = [...this.#outcomes.delivered.values()].map(({ event }) => event.stationId);
      const busy = [...this.#lanes.stationIds, ...unrecorded];
      const due = await deliveries.due(database, this.#webhook.webhookId, { ...RETRIES, busy });
      this.#lanes.add(due.map((waiting) => ({ event: eventOf(waiting), waiting })));
      this.#lookAgainAtMs = performance.now() + RETRY_MS;
    }
    while (!this.#mustStop && this.#hasMore && this.#undelivered < MAX_OPEN) await this.#readOn();
  }

  async #readOn(): Promise<void> {
    const end = Math.min(this.#options.newest(), this.#readUpTo + SPAN);
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

  // What only failed is not judged yet: it may be the receiver.
  async #recordSometimes(): Promise<void> {
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
    if (!isLast && this.#aside.size > 0) await this.#lookAside();
  }

  async #write(outcomes: Outcomes, isLast: boolean): Promise<number> {
    const { database, leaseMs } = this.#options;
    const webhook = this.#webhook;
    const { delivered, failed, gone, isDown } = outcomes;
    const kept = this.#judge(outcomes);
    const handling = new Set([...delivered.keys(), ...kept.map(({ event }) => event.id)]);
    const lastEventId = this.#cursor(handling);
    const handledIds = [...this.#handled, ...handling].filter(
      (id) => id > lastEventId && id <= this.#readUpTo,
    );
    // Those that are delivered while this is written down are set aside too, and to be removed by the next record.
    const stationIds = new Set(kept.map(({ event }) => event.stationId));
    const items = [...stationIds].flatMap((stationId) => this.#lanes.of(stationId));
    const untilMs = performance.now() + leaseMs;
    const isChanged = await database.transaction(async (db) => {
      const state = await webhooks.record(db, {
        ...webhook,
        lastEventId,
        handledIds,
        rest: isDown ? this.#rest() : null,
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
      await deliveries.keep(db, webhook.webhookId, kept);
      if (delivered.size > 0 || kept.length > 0)
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
    for (const { event } of kept) {
      this.#aside.add(event.stationId);
      if (failed.has(event.id)) this.#lanes.remove(event.stationId);
    }
    if (!isDown) Object.assign(webhook, { failures: 0, failingSince: null });
    // Whoever has changed it wants to see what comes of it: the next session goes by what it is now.
    if (isChanged) this.#isOver = true;
    return kept.filter(({ isDead }) => isDead).length;
  }

  #cursor(handling: ReadonlySet<number>): number {
    for (const id of this.#open.keys()) if (!handling.has(id)) return id - 1;
    return this.#readUpTo;
  }

  #rest(): { failures: number; nextAttemptInMs: number } {
    const { retryMs, longestRestMs } = this.#options.patience;
    const failures = this.#webhook.failures + 1;
    return { failures, nextAttemptInMs: pause(failures, retryMs, longestRestMs) };
  }

  /** What is to be set aside, or is dead. A station's events are set aside together, or they would not come in their order. */
  #judge({ failed, failedStations, behind, gone, isDown }: Outcomes): Undelivered[] {
    const { patience } = this.#options;
    const kept: Undelivered[] = [];
    for (const { item, error } of failed.values())
      if (item.waiting || !isDown) kept.push(failedAgain(item, error, patience));
    if (isDown) {
      const inLines = new Set(behind);
      for (const event of this.#open.values())
        if (!inLines.has(event) && isOverdue(this.#webhook.failingSince, event, patience))
          kept.push(givenUp(this.#webhook, event));
      return kept;
    }
    const stationIds = new Set(failedStations);
    if (gone === null) for (const { stationId } of behind) stationIds.add(stationId);
    for (const stationId of stationIds)
      for (const { event, waiting } of this.#lanes.of(stationId))
        if (!waiting && !failed.has(event.id)) kept.push(inLine(event));
    if (gone === null) kept.push(...behind.map(inLine));
    return kept;
  }
}

function eventOf({ id, at, kind, stationId, data }: Waiting): Event {
  return { id, at, kind, stationId, data };
}

/** The webhook was removed, or another manager has it: what was posted since the last record counts for nothing, and is posted again. */
export class LeaseLost extends Error {
  override name = 'LeaseLost';
  constructor() {
    super('the webhook is gone, or another manager has taken it over');
  }
}
