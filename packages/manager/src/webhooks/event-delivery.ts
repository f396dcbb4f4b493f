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
const PATIENCE = { retryMs: 1000, longestRetryMs: 900_000, longestRestMs: 15_000 };
const WEBHOOK_TIMEOUT_MS = 10_000;
const MEASURE_MS = 10_000;

/** All that a manager does with events: puts them in order, tells readers and webhooks of them. */
export class EventDelivery {
  readonly feed: EventFeed;
  /** Of the secrets of webhooks. */
  readonly sealer: Sealer;
  readonly #sequencer: Sequencer;
  readonly #webhooks: WebhookWorker;
  readonly #measuring: Recurring;

  constructor(
    { databaseUrl, sealingKey, webhookGiveUpHours, log }: EventDeliveryOptions,
    parts: { database: Database; metrics: ManagerMetrics; outbound: Outbound },
  ) {
    const { database, metrics } = parts;
    this.feed = new EventFeed({ database, databaseUrl, log });
    this.sealer = new Sealer(sealingKey);
    this.#sequencer = new Sequencer(database, log);
    const giveUpMs = (webhookGiveUpHours ?? WEBHOOK_SETTINGS.webhookGiveUpHours.default) * HOUR_MS;
    this.#measuring = new Recurring({
      what: 'measuring how far webhooks are behind',
      everyMs: MEASURE_MS,
      work: async () => metrics.noteWebhooksBehind(await webhooks.behind(database)),
      log,
    });
    this.#webhooks = new WebhookWorker({
      ...parts,
      feed: this.feed,
      sealer: this.sealer,
      patience: { ...PATIENCE, giveUpMs },
      timeoutMs: WEBHOOK_TIMEOUT_MS,
      log,
    });
  }

  async start(): Promise<void> {
    this.#sequencer.start();
    await this.feed.start();
    this.#webhooks.start();
    this.#measuring.start();
  }

  /** Ends the streams, and lets webhooks answer for so many milliseconds. */
  async finish(drainMs: number): Promise<void> {
    await Promise.all([this.#measuring.close(), this.#webhooks.close(drainMs), this.feed.close()]);
  }

  /** Orders what has come to the end. */
  async close(): Promise<void> {
    await this.#sequencer.close();
  }
}
