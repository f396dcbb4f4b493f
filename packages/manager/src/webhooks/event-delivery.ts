import { Sealer } from '@evander/process';
import type { Log } from '@evander/process';
import type { Database } from '../database/database.ts';
import { EventFeed } from '../events/feed.ts';
import { Sequencer } from '../events/sequencer.ts';
import type { ManagerMetrics } from '../observability/metrics.ts';
import type { Outbound } from '../outbound/outbound.ts';
import { Recurring } from '../recurring.ts';
import { WEBHOOK_SETTINGS } from './settings.ts';
import * as webhooks from './webhooks.store.ts';
import { WebhookWorker } from './worker.ts';

export interface EventDeliveryOptions {
  databaseUrl: string;
  sealingKey: string;
  webhookGiveUpHours?: number;
  log: Log;
}

const HOUR_MS = 3_600_000;
const RETRY_POLICY = { retryMs: 1000, maxRetryMs: 900_000, maxDownMs: 15_000 };
const WEBHOOK_TIMEOUT_MS = 10_000;
const MEASURE_INTERVAL_MS = 10_000;

/** A manager's work on events: orders them and delivers them to readers and webhooks. */
export class EventDelivery {
  readonly feed: EventFeed;
  /** Seals the secrets of webhooks. */
  readonly sealer: Sealer;
  readonly #sequencer: Sequencer;
  readonly #webhooks: WebhookWorker;
  readonly #measurement: Recurring;

  constructor(
    { databaseUrl, sealingKey, webhookGiveUpHours, log }: EventDeliveryOptions,
    parts: { database: Database; metrics: ManagerMetrics; outbound: Outbound },
  ) {
    const { database, metrics } = parts;
    this.feed = new EventFeed({ database, databaseUrl, log });
    this.sealer = new Sealer(sealingKey);
    this.#sequencer = new Sequencer(database, log);
    const giveUpMs = (webhookGiveUpHours ?? WEBHOOK_SETTINGS.webhookGiveUpHours.default) * HOUR_MS;
    this.#measurement = new Recurring({
      what: 'measuring how far webhooks are behind',
      everyMs: MEASURE_INTERVAL_MS,
      work: async () => metrics.noteWebhooksBehind(await webhooks.behind(database)),
      log,
    });
    this.#webhooks = new WebhookWorker({
      ...parts,
      feed: this.feed,
      sealer: this.sealer,
      retryPolicy: { ...RETRY_POLICY, giveUpMs },
      timeoutMs: WEBHOOK_TIMEOUT_MS,
      log,
    });
  }

  async start(): Promise<void> {
    this.#sequencer.start();
    await this.feed.start();
    this.#webhooks.start();
    this.#measurement.start();
  }

  /** Ends the streams; posts to webhooks in progress have up to `drainMs` to be answered. */
  async finish(drainMs: number): Promise<void> {
    await Promise.all([this.#measurement.close(), this.#webhooks.close(drainMs), this.feed.close()]);
  }

  /** Stops ordering events. */
  async close(): Promise<void> {
    await this.#sequencer.close();
  }
}
