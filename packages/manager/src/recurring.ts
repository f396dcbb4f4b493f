import type { Log } from '@evander/process';

export interface RecurringOptions {
  /** As logs have it: "<what> failed". */
  what: string;
  everyMs: number;
  work(): Promise<void>;
  log: Log;
}

/** Work that is done again and again, one round at a time. Of failures in a row the first is logged. */
export class Recurring {
  readonly #options: RecurringOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;
  #failing = false;

  constructor(options: RecurringOptions) {
    this.#options = options;
  }

  /** Begins with a round now. */
  start(): void {
    this.#timer = setInterval(() => this.#begin(), this.#options.everyMs);
    this.#begin();
  }

  /** A round now, and another where one is under way: it may have ignored what is new. */
  soon(): void {
    if (this.#running) this.#again = true;
    else this.#begin();
  }

  /** No more rounds; resolves when the one that is under way has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  #begin(): void {
    if (this.#running || this.#closed) return;
    this.#running = this.#rounds().finally(() => (this.#running = undefined));
  }

  async #rounds(): Promise<void> {
    do {
      this.#again = false;
      await this.#round();
    } while (this.#again && !this.#closed);
  }

  async #round(): Promise<void> {
    const { what, work, log } = this.#options;
    try {
      await work();
      if (this.#failing) log.info(`${what} works again`);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) log.warn({ err: error }, `${what} failed`);
      this.#failing = true;
    }
  }
}
