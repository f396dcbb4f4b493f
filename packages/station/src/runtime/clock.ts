/** The station's clock: set by the manager's answers, and never the same instant twice. */
export class Clock {
  #now: () => number;
  #offsetMs: number;
  #lastMs = -Infinity;

  /** `startsAt` is the time it shows at first, until it is set. */
  constructor(now: () => number = Date.now, startsAt?: number) {
    this.#now = now;
    this.#offsetMs = startsAt === undefined ? 0 : startsAt - now();
  }

  /** Now as RFC 3339 UTC. Two stamps never agree, so that every sample has a timestamp of its own. */
  timestamp(): string {
    this.#lastMs = Math.max(Math.floor(this.#now() + this.#offsetMs), this.#lastMs + 1);
    return new Date(this.#lastMs).toISOString();
  }

  /** Takes over the manager's time. Less than a second of difference is network delay and left alone. */
  set(currentTime: string): void {
    const differenceMs = Date.parse(currentTime) - (this.#now() + this.#offsetMs);
    if (Math.abs(differenceMs) < 1000 || Number.isNaN(differenceMs)) return;
    this.#offsetMs += differenceMs;
    this.#lastMs = -Infinity;
  }
}
