import type { Log, Sealer } from '@evander/process';
import { setMaxListeners } from 'node:events';
import type { Database } from '../database/database.ts';
import type { Event } from '../events/events.store.ts';
import type { EventFeed } from '../events/feed.ts';
import type { ManagerMetrics } from '../observability/metrics.ts';
import type { Outbound } from '../outbound/outbound.ts';
import { Recurring } from '../recurring.ts';
import type { Patience } from './outcome.ts';
import { post } from './post.ts';
import type { Outcome } from './post.ts';
import { CONCURRENCY, LeaseLost, Session } from './session.ts';
import * as webhooks from './webhooks.store.ts';
import type { LeasedWebhook } from './webhooks.store.ts';

export interface WorkerOptions {
  database: Database;
  feed: EventFeed;
  sealer: Sealer;
  outbound: Outbound;
  metrics: Pick<ManagerMetrics, 'countWebhook'>;
  patience: Patience;
  /** How long a receiver has for its answer. */
  timeoutMs: number;
  /** A manager that has not been heard of for so long has lost its webhooks to another. 60 s unless told. */
  leaseMs?: number;
  log: Log;
}

/** How often one looks for tries that are due; news are heard at once. */
const LOOK_MS = 1000;
/** Webhooks that one manager works on at a time: those that wait for a receiver that does not answer hold up no others. */
const MAX_SESSIONS = 64;
/** While others may be waiting, no session begins a post after this, so that they have their turn. */
const TURN_MS = 15_000;
const LEASE_MS = 60_000;

/** Posts events to webhooks. Any number of managers do so: each webhook is one's at a time, by a lease. */
export class WebhookWorker {
  readonly #options: WorkerOptions;
  readonly #look: Recurring;
  readonly #sessions = new Map<Session, Promise<void>>();
  readonly #breakOff = new AbortController();
  #closing = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    // Every post that is under way listens.
    setMaxListeners(MAX_SESSIONS * CONCURRENCY, this.#breakOff.signal);
    const { log } = options;
    this.#look = new Recurring({
      what: 'leasing webhooks',
      everyMs: LOOK_MS,
      work: () => this.#begin(),
      log,
    });
  }

  start(): void {
    this.#options.feed.on('news', this.#onNews);
    this.#look.start();
  }

  /** Begins nothing new, and lets tries that are under way be answered for so many milliseconds. */
  async close(drainMs: number): Promise<void> {
    this.#closing = true;
    this.#options.feed.off('news', this.#onNews);
    await this.#look.close();
    const timer = setTimeout(() => this.#breakOff.abort(), drainMs);
    await Promise.all(this.#sessions.values());
    clearTimeout(timer);
  }

  readonly #onNews = (): void => {
    for (const session of this.#sessions.keys()) session.onNews();
    this.#look.soon();
  };

  async #begin(): Promise<void> {
    const { database, feed, leaseMs = LEASE_MS } = this.#options;
    const atMost = MAX_SESSIONS - this.#sessions.size;
    if (atMost <= 0) return;
    const leased = await webhooks.lease(database, { newest: feed.newest, leaseMs, atMost });
    for (const webhook of leased) {
      const session = this.#sessionOf(webhook);
      const run = this.#run(session, webhook).finally(() => {
        this.#sessions.delete(session);
        if (session.hasPosted) this.#look.soon();
      });
      this.#sessions.set(session, run);
    }
  }

  #sessionOf(webhook: LeasedWebhook): Session {
    const { database, feed, metrics, patience, leaseMs = LEASE_MS } = this.#options;
    const log = this.#options.log.child({ webhookId: webhook.webhookId });
    const endMs = performance.now() + TURN_MS;
    return new Session(webhook, {
      database,
      newest: () => feed.newest,
      post: this.#posterFor(webhook),
      mustStop: () => this.#closing || (this.#sessions.size >= MAX_SESSIONS && performance.now() > endMs),
      patience,
      leaseMs,
      onRecorded: ({ delivered, failed, dead, gone }) => {
        metrics.countWebhook('delivered', delivered);
        metrics.countWebhook('failed', failed);
        metrics.countWebhook('dead', dead);
        if (gone !== null) log.warn({ reason: gone }, 'a webhook was made inactive');
        if (dead > 0) log.warn({ events: dead }, 'events were given up; they can be replayed');
      },
      log,
    });
  }

  // Never rejects. A lease that is not given back ends by itself.
  async #run(session: Session, { webhookId }: LeasedWebhook): Promise<void> {
    try {
      await session.run();
    } catch (error) {
      const log = this.#options.log.child({ webhookId });
      if (error instanceof LeaseLost) log.info(error.message);
      else log.warn({ err: error }, 'the work on a webhook failed');
    }
  }

  #posterFor({ url, sealedSecret }: LeasedWebhook): (event: Event) => Promise<Outcome> {
    const { sealer, outbound, timeoutMs } = this.#options;
    let secret: string;
    try {
      secret = sealer.open(sealedSecret);
    } catch {
      const error = 'its secret was sealed with another EVANDER_SECRET; remove the webhook and make it again';
      return () => Promise.resolve({ kind: 'gone', error });
    }
    const { signal } = this.#breakOff;
    return (event) => post(event, { url, secret, outbound, timeoutMs, signal });
  }
}
