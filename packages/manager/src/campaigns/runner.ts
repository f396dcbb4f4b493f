import { advance } from './advance.ts';
import * as campaigns from './firmware-campaigns.store.ts';
import { sendRound } from './send.ts';
import type { SenderOptions } from './send.ts';

const POLL_INTERVAL_MS = 1000;
/** How long a campaign stays leased to a manager that dies. */
const LEASE_MS = 30_000;

/** Runs firmware campaigns. One manager at a time runs a campaign; if it dies, another takes over. */
export class CampaignRunner {
  readonly #options: SenderOptions;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#running = this.#running.then(() => this.runDue());
    }, POLL_INTERVAL_MS);
  }

  /** Advances every due campaign that no other manager has leased. Never rejects. */
  async runDue(): Promise<void> {
    const { database, now, log } = this.#options;
    try {
      while (!this.#isClosed) {
        const at = now();
        const until = new Date(at.getTime() + LEASE_MS);
        const campaignId = await campaigns.claim(database, at, until);
        if (campaignId === undefined) return;
        await this.#run(campaignId);
      }
    } catch (error) {
      log.warn({ err: error }, 'campaigns could not be processed');
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  async #run(campaignId: string): Promise<void> {
    const { database, now, log } = this.#options;
    try {
      const round = await database.transaction((db) => advance(db, campaignId, now()));
      if (round) await sendRound(round, this.#options);
    } catch (error) {
      log.warn({ campaignId, err: error }, 'a campaign could not be processed');
    }
    await campaigns.release(database, campaignId, new Date(now().getTime() + POLL_INTERVAL_MS / 2));
  }
}
