/** The station's clock: set by the manager's answers, and never returns the same instant twice. */
export class Clock {
  #now: () => number;
  #offsetMs: number;
  #lastMs = -Infinity;

  /** `startsAt` is the initial time, until it is set. */
  constructor(now: () => number = Date.now, startsAt?: number) {
    this.#now = now;
    this.#offsetMs = startsAt === undefined ? 0 : startsAt - now();
  }

  /** The current time as RFC 3339 UTC. Timestamps are unique, so that every sample has its own. */
  timestamp(): string {
    this.#lastMs = Math.max(Math.floor(this.#now() + this.#offsetMs), this.#lastMs + 1);
    return new Date(this.#lastMs).toISOString();
  }

  /** Adopts the manager's time. Differences below a second count as network delay and are ignored. */
  set(currentTime: string): void {
    const differenceMs = Date.parse(currentTime) - (this.#now() + this.#offsetMs);
    if (Math.abs(differenceMs) < 1000 || Number.isNaN(differenceMs)) return;
    this.#offsetMs += differenceMs;
    this.#lastMs = -Infinity;
  }
}
