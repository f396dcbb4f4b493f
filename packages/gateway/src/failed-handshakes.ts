import { networkOf, NewestMap, TokenBucket } from '@evander/process';
import type { BucketLimits } from '@evander/process';

/** Failures that are served at once, and how many more each second: of one station at one address, and of one address in all. */
const LIMITS = {
  station: { burst: 10, perSecond: 10 / 60 },
  address: { burst: 300, perSecond: 300 / 60 },
} as const satisfies Record<string, BucketLimits>;
/** Stations and addresses that are remembered; an attacker with more of them is not slowed, but fills no memory either. */
const REMEMBERED = 50_000;

/**
 * Counts handshakes that failed, per station and address, and per address: a client that guesses is made to wait before the managers are
 * asked about it again. Handshakes that succeed count nothing.
 */
export class FailedHandshakes {
  readonly #failures = new NewestMap<string, TokenBucket>(REMEMBERED);
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Seconds until the managers may be asked about this attempt; 0 when they may be now. */
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

  /** A station has been let in: what it failed before is forgotten. */
  forgive(address: string, stationId: string): void {
    this.#failures.delete(keysOf(address, stationId)[0]);
  }

  #waitMs(key: string): number {
    return this.#failures.get(key)?.waitMs(1) ?? 0;
  }

  #count(key: string, limits: BucketLimits): void {
    const bucket = this.#failures.get(key) ?? new TokenBucket(limits, this.#nowMs);
    // Without debt: a client that goes on failing waits for the next token only.
    bucket.take();
    this.#failures.set(key, bucket);
  }
}

function keysOf(address: string, stationId: string): [ofStation: string, ofAddress: string] {
  const network = networkOf(address);
  return [`${network} ${stationId}`, network];
}
