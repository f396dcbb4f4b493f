import { TokenBucket } from '@evander/process';

/** Frames that are logged and recorded. */
const RECORDED = { burst: 30, perSecond: 1 } as const;
/** Frames that are tolerated: a faulty station sends some with every message and still charges. */
const TOLERATED = { burst: 300, perSecond: 10 } as const;

/** Limits the cost of one connection's malformed frames. */
export class MalformedFrames {
  readonly #recorded = new TokenBucket(RECORDED);
  readonly #tolerated = new TokenBucket(TOLERATED);
  #leftOut = 0;

  /** Number of frames left out since the last recorded one. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** Counts one frame; false when the connection must be closed because of a flood. */
  add(): boolean {
    return this.#tolerated.take();
  }

  /** Returns how many frames were left out before this one; undefined when this one must not be recorded either. */
  record(): { leftOut: number } | undefined {
    if (!this.#recorded.take()) {
      this.#leftOut++;
      return undefined;
    }
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return { leftOut };
  }
}
