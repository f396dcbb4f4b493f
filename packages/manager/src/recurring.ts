import type { Log } from '@evander/process';

export interface RecurringOptions {
  /** Name of the work in log messages, such as "<what> failed". */
  what: string;
  everyMs: number;
  work(): Promise<void>;
  log: Log;
}

/** Repeats work at an interval, one round at a time. Logs only the first of consecutive failures. */
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

  /** Starts with a round immediately. */
  start(): void {
    this.#timer = setInterval(() => this.#begin(), this.#options.everyMs);
    this.#begin();
  }

  /** Runs a round now. If one is running, another one follows it: the current one may have missed new work. */
  soon(): void {
    if (this.#running) this.#again = true;
    else this.#begin();
  }

  /** Starts no more rounds; resolves when the current one has ended. */
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
