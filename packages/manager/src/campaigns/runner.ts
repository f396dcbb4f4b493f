import { advance } from './advance.ts';
import * as campaigns from './firmware-campaigns.store.ts';
import { sendRound } from './send.ts';
import type { SenderOptions } from './send.ts';

const SWEEP_MS = 1000;
/** A manager that dies keeps a campaign from the others for so long. */
const LEASE_MS = 30_000;

/** Looks after firmware campaigns: each by one manager at a time, and by another when that one dies. */
export class CampaignRunner {
  readonly #options: SenderOptions;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#sweeping = this.#sweeping.then(() => this.sweep());
    }, SWEEP_MS);
  }

  /** Looks after every campaign that nobody is looking after. Never rejects. */
  async sweep(): Promise<void> {
    const { database, now, log } = this.#options;
    try {
      while (!this.#isClosed) {
        const at = now();
        const until = new Date(at.getTime() + LEASE_MS);
        const campaignId = await campaigns.claim(database, at, until);
        if (campaignId === undefined) return;
        await this.#lookAfter(campaignId);
      }
    } catch (error) {
      log.warn({ err: error }, 'campaigns could not be looked after');
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#sweeping;
  }

  async #lookAfter(campaignId: string): Promise<void> {
    const { database, now, log } = this.#options;
    try {
      const round = await database.transaction((db) => advance(db, campaignId, now()));
      if (round) await sendRound(round, this.#options);
    } catch (error) {
      log.warn({ campaignId, err: error }, 'a campaign could not be looked after');
    }
    await campaigns.release(database, campaignId, new Date(now().getTime() + SWEEP_MS / 2));
  }
}
