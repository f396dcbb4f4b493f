import { networkOf } from '@evander/process';

/** How many failures per minute are tolerated. */
export interface FailureLimits {
  /** Per client address. */
  address: number;
  /** Per key prefix, from all addresses. */
  key: number;
}

const WINDOW_MS = 60_000;
/** Buckets per generation; the older of two generations is dropped. An attacker with more buckets is not slowed, but cannot fill memory. */
const GENERATION_SIZE = 10_000;
// `evk_` and enough characters to distinguish keys.
const PREFIX_LENGTH = 12;

interface Failures {
  count: number;
  sinceMs: number;
}

/**
 * Counts requests that were refused for lack of a valid key, so that clients that guess have to wait. Requests without a key are not guesses
 * and are counted separately: an open page on which nobody has logged in does not lock out others.
 */
export class FailedKeys {
  readonly #limits: FailureLimits;
  readonly #nowMs: () => number;
  // Two maps, because removing the oldest entry of one map over and over gets slower as it grows.
  #young = new Map<string, Failures>();
  #old = new Map<string, Failures>();

  constructor(limits: FailureLimits, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /** Seconds until this address may try this key again; 0: now. */
  secondsToWait(address: string, key: string | undefined): number {
    const waits = this.#buckets(address, key).map(([bucket, limit]) => this.#wait(bucket, limit));
    return Math.max(...waits);
  }

  /** Counts a failure; true if this address or key has to wait from now on. */
  add(address: string, key: string | undefined): boolean {
    const counts = this.#buckets(address, key).map(([bucket, limit]) => this.#count(bucket) === limit);
    return counts.includes(true);
  }

  /** Number of buckets in memory. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  #buckets(address: string, key: string | undefined): [bucket: string, limit: number][] {
    const network = networkOf(address);
    if (key === undefined) return [[`none ${network}`, this.#limits.address]];
    return [
      [`address ${network}`, this.#limits.address],
      [`key ${key.slice(0, PREFIX_LENGTH)}`, this.#limits.key],
    ];
  }

  #wait(bucket: string, limit: number): number {
    const known = this.#known(bucket);
    if (!known || known.count < limit) return 0;
    return Math.max(0, Math.ceil((known.sinceMs + WINDOW_MS - this.#nowMs()) / 1000));
  }

  #count(bucket: string): number {
    const nowMs = this.#nowMs();
    const known = this.#known(bucket);
    const hasExpired = !known || known.sinceMs + WINDOW_MS <= nowMs;
    const failures = hasExpired ? { count: 1, sinceMs: nowMs } : { ...known, count: known.count + 1 };
    if (this.#young.size >= GENERATION_SIZE) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(bucket, failures);
    return failures.count;
  }

  #known(bucket: string): Failures | undefined {
    return this.#young.get(bucket) ?? this.#old.get(bucket);
  }
}
