import { networkOf, NewestMap, TokenBucket } from '@evander/process';
import type { BucketLimits } from '@evander/process';

/** Failures allowed in a burst, and then per second: for one station at one address, and for one address in total. */
const LIMITS = {
  station: { burst: 10, perSecond: 10 / 60 },
  address: { burst: 300, perSecond: 300 / 60 },
} as const satisfies Record<string, BucketLimits>;
/** Number of stations and addresses remembered. An attacker that uses more is not slowed down, but cannot exhaust the memory. */
const REMEMBERED = 50_000;

/**
 * Counts failed handshakes per station and address, and per address. A client that guesses must wait before the gateway asks the managers
 * again. Successful handshakes do not count.
 */
export class FailedHandshakes {
  readonly #failures = new NewestMap<string, TokenBucket>(REMEMBERED);
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Seconds until the managers may be asked about this attempt; 0 when they may be asked now. */
  secondsToWait(address: string, stationId: string): number {
    const [ofStation, ofAddress] = keysOf(address, stationId);
    const waitMs = Math.max(this.#waitMs(ofStation), this.#waitMs(ofAddress));
    return Math.ceil(waitMs / 1000);
  }

  add(address: string, stationId: string): void {
    const [ofStation, ofAddress] = keysOf(address, stationId);
    this.#count(ofStation, LIMITS.station);
    this.#count(ofAddress, LIMITS.address);
  }

  /** Forgets a station's failures after a successful handshake. */
  forgive(address: string, stationId: string): void {
    this.#failures.delete(keysOf(address, stationId)[0]);
  }

  #waitMs(key: string): number {
    return this.#failures.get(key)?.waitMs(1) ?? 0;
  }

  #count(key: string, limits: BucketLimits): void {
    const bucket = this.#failures.get(key) ?? new TokenBucket(limits, this.#nowMs);
    // No debt: a client that keeps failing waits for the next token only.
    bucket.take();
    this.#failures.set(key, bucket);
  }
}

function keysOf(address: string, stationId: string): [ofStation: string, ofAddress: string] {
  const network = networkOf(address);
  return [`${network} ${stationId}`, network];
}
