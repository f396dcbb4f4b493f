export interface BucketLimits {
  perSecond: number;
  /** Maximum number of tokens. */
  burst: number;
}

/** A budget that refills steadily up to its burst. It may go into debt, which refilling pays off. */
export class TokenBucket {
  readonly #limits: BucketLimits;
  readonly #nowMs: () => number;
  #tokens: number;
  #atMs: number;

  constructor(limits: BucketLimits, nowMs: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#nowMs = nowMs;
    this.#tokens = limits.burst;
    this.#atMs = nowMs();
  }

  /** Takes tokens and goes into debt if there are too few. */
  spend(amount = 1): void {
    this.#refill();
    this.#tokens -= amount;
  }

  /** Takes tokens if there are enough; otherwise returns false and takes nothing. */
  take(amount = 1): boolean {
    this.#refill();
    if (this.#tokens < amount) return false;
    this.#tokens -= amount;
    return true;
  }

  /** Milliseconds until this many tokens are available; 0 if they are. */
  waitMs(amount = 0): number {
    this.#refill();
    return Math.max(0, ((amount - this.#tokens) / this.#limits.perSecond) * 1000);
  }

  #refill(): void {
    const nowMs = this.#nowMs();
    const { perSecond, burst } = this.#limits;
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#atMs) / 1000) * perSecond);
    this.#atMs = nowMs;
  }
}
