import { TokenBucket } from '@evander/process';

/** Logged and recorded: so many at once, then one a second. */
const RECORDED = { burst: 30, perSecond: 1 } as const;
/** Borne: a station with a fault sends some with every message, and goes on charging. */
const BORNE = { burst: 300, perSecond: 10 } as const;

/** Bounds what one connection's malformed frames cost. */
export class MalformedFrames {
  readonly #recorded = new TokenBucket(RECORDED);
  readonly #borne = new TokenBucket(BORNE);
  #leftOut = 0;

  /** Frames that were not recorded since the last one that was. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** Counts one; false when they are a flood and the connection is to be closed. */
  add(): boolean {
    return this.#borne.take();
  }

  /** Says whether this one is to be recorded, and how many were left out before it; undefined when it is left out as well. */
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
