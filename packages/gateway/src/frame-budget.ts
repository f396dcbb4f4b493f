import { TokenBucket } from '@evander/process';
import type { GatewayLimits } from './limits.ts';

export interface FrameBudgetOptions {
  limits: Pick<GatewayLimits, 'framesPerSecond' | 'bytesPerSecond'>;
  /** Called with true when the budget is exceeded and with false when it has recovered. The caller must not read the socket in between. */
  setPaused(paused: boolean): void;
}

/** Burst size in seconds of the sustained rate: for example boot messages, or messages queued while offline. */
const BURST_SECONDS = 10;

/** Rate limit of one station. Nothing is dropped: excess data stays in the network until the budget allows it. */
export class FrameBudget {
  readonly #options: FrameBudgetOptions;
  readonly #frames: TokenBucket;
  readonly #bytes: TokenBucket;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FrameBudgetOptions) {
    const { framesPerSecond, bytesPerSecond } = options.limits;
    this.#options = options;
    this.#frames = bucketOf(framesPerSecond);
    this.#bytes = bucketOf(bytesPerSecond);
  }

  /** Counts a received frame of any kind. */
  spend(bytes: number): void {
    this.#frames.spend();
    this.#bytes.spend(bytes);
    if (this.#timer) return;
    const waitMs = this.#waitMs();
    if (waitMs === 0) return;
    this.#options.setPaused(true);
    this.#timer = setTimeout(() => this.#resume(), waitMs);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  // Frames read before the pause took effect count too, so there may be more to wait for.
  #resume(): void {
    const waitMs = this.#waitMs();
    this.#timer = waitMs > 0 ? setTimeout(() => this.#resume(), waitMs) : undefined;
    if (waitMs === 0) this.#options.setPaused(false);
  }

  #waitMs(): number {
    return Math.ceil(Math.max(this.#frames.waitMs(), this.#bytes.waitMs()));
  }
}

function bucketOf(perSecond: number): TokenBucket {
  return new TokenBucket({ perSecond, burst: perSecond * BURST_SECONDS });
}
