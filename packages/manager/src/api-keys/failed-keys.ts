import { networkOf } from '@evander/process';

/** How many refusals within a minute are borne. */
export interface FailureLimits {
  /** Of one client address. */
  address: number;
  /** Of keys that begin alike, from all addresses. */
  key: number;
}

const WINDOW_MS = 60_000;
/** Of two generations of buckets the older one is forgotten; an attacker with more of them is not slowed, but fills no memory either. */
const GENERATION = 10_000;
// `evk_` and what tells one key from another.
const PREFIX_LENGTH = 12;

interface Failures {
  count: number;
  sinceMs: number;
}

/**
 * Counts requests that were refused for want of a valid key, so that whoever guesses is made to wait. Requests without a key guess nothing
 * and are counted for themselves: a page that nobody has logged in to keeps nobody else out.
 */
export class FailedKeys {
  readonly #limits: FailureLimits;
  readonly #nowMs: () => number;
  // Two maps, as to take the oldest out of one, again and again, takes longer the larger it is.
  #young = new Map<string, Failures>();
  #old = new Map<string, Failures>();

  constructor(limits: FailureLimits, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /** Seconds until the next attempt of this address with this key is heard; 0 when it may come now. */
  secondsToWait(address: string, key: string | undefined): number {
    const waits = this.#buckets(address, key).map(([bucket, limit]) => this.#wait(bucket, limit));
    return Math.max(...waits);
  }

  /** Counts a refusal; true when it is the last one before this address or key has to wait. */
  add(address: string, key: string | undefined): boolean {
    const counts = this.#buckets(address, key).map(([bucket, limit]) => this.#count(bucket) === limit);
    return counts.includes(true);
  }

  /** Buckets in memory. */
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
    const isOver = !known || known.sinceMs + WINDOW_MS <= nowMs;
    const failures = isOver ? { count: 1, sinceMs: nowMs } : { ...known, count: known.count + 1 };
    if (this.#young.size >= GENERATION) {
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
