import type { Log, Sealer } from '@evander/process';
import { setMaxListeners } from 'node:events';
import type { Database } from '../database/database.ts';
import type { Event } from '../events/events.store.ts';
import type { EventFeed } from '../events/feed.ts';
import type { ManagerMetrics } from '../observability/metrics.ts';
import type { Outbound } from '../outbound/outbound.ts';
import { Recurring } from '../recurring.ts';
import type { RetryPolicy } from './outcome.ts';
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
  retryPolicy: RetryPolicy;
  /** Time that a receiver has to answer. */
  timeoutMs: number;
  /** A manager that does not renew its leases for this long loses its webhooks to another. Default: 60 s. */
  leaseMs?: number;
  log: Log;
}

/** How often due retries are looked for; new events are handled immediately. */
const POLL_INTERVAL_MS = 1000;
/** Webhooks that one manager works on at a time. Enough that receivers that do not answer delay no others. */
const MAX_SESSIONS = 64;
/** While others may be waiting, a session starts no more posts after this time. */
const TURN_MS = 15_000;
const LEASE_MS = 60_000;

/** Posts events to webhooks. Any number of managers can do so: a lease gives each webhook to one manager at a time. */
export class WebhookWorker {
  readonly #options: WorkerOptions;
  readonly #poll: Recurring;
  readonly #sessions = new Map<Session, Promise<void>>();
  readonly #abort = new AbortController();
  #closing = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    // Every post in progress adds a listener.
    setMaxListeners(MAX_SESSIONS * CONCURRENCY, this.#abort.signal);
    const { log } = options;
    this.#poll = new Recurring({
      what: 'leasing webhooks',
      everyMs: POLL_INTERVAL_MS,
      work: () => this.#begin(),
      log,
    });
  }

  start(): void {
    this.#options.feed.on('newEvents', this.#onNewEvents);
    this.#poll.start();
  }

  /** Starts no more posts; those in progress have up to `drainMs` to be answered. */
  async close(drainMs: number): Promise<void> {
    this.#closing = true;
    this.#options.feed.off('newEvents', this.#onNewEvents);
    await this.#poll.close();
    const timer = setTimeout(() => this.#abort.abort(), drainMs);
    await Promise.all(this.#sessions.values());
    clearTimeout(timer);
  }

  readonly #onNewEvents = (): void => {
    for (const session of this.#sessions.keys()) session.onNewEvents();
    this.#poll.soon();
  };

  async #begin(): Promise<void> {
    const { database, feed, leaseMs = LEASE_MS } = this.#options;
    const maxRows = MAX_SESSIONS - this.#sessions.size;
    if (maxRows <= 0) return;
    const leased = await webhooks.lease(database, { newest: feed.newest, leaseMs, maxRows });
    for (const webhook of leased) {
      const session = this.#sessionOf(webhook);
      const run = this.#run(session, webhook).finally(() => {
        this.#sessions.delete(session);
        if (session.hasPosted) this.#poll.soon();
      });
      this.#sessions.set(session, run);
    }
  }

  #sessionOf(webhook: LeasedWebhook): Session {
    const { database, feed, metrics, retryPolicy, leaseMs = LEASE_MS } = this.#options;
    const log = this.#options.log.child({ webhookId: webhook.webhookId });
    const endMs = performance.now() + TURN_MS;
    return new Session(webhook, {
      database,
      newest: () => feed.newest,
      post: this.#posterFor(webhook),
      mustStop: () => this.#closing || (this.#sessions.size >= MAX_SESSIONS && performance.now() > endMs),
      retryPolicy,
      leaseMs,
      onRecorded: ({ delivered, failed, dead, gone }) => {
        metrics.countWebhook('delivered', delivered);
        metrics.countWebhook('failed', failed);
        metrics.countWebhook('dead', dead);
        if (gone !== null) log.warn({ reason: gone }, 'a webhook was deactivated');
        if (dead > 0) log.warn({ events: dead }, 'events were given up; they can be replayed');
      },
      log,
    });
  }

  // Never rejects. A lease that is not released expires.
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
      const error =
        'its secret was sealed with another EVANDER_SECRET; remove the webhook and create it again';
      return () => Promise.resolve({ kind: 'gone', error });
    }
    const { signal } = this.#abort;
    return (event) => post(event, { url, secret, outbound, timeoutMs, signal });
  }
}
