interface SignedAnswer {
  signed: Promise<Buffer>;
  untilMs: number;
}

/**
 * Caches signed answers, so that equal questions cost one signature. The key must cover everything that the answer says. An answer is
 * reused for `reuseMs`; when `max` are cached, the next one clears the cache.
 */
export class SignedAnswers {
  readonly #answers = new Map<string, SignedAnswer>();
  readonly #options: { reuseMs: number; max: number; now(): Date };

  constructor(options: { reuseMs: number; max: number; now(): Date }) {
    this.#options = options;
  }

  /** The cached answer for a key, or a new one from `sign`. Rejects if `sign` does, and then caches nothing. */
  get(key: string, sign: () => Promise<Buffer>): Promise<Buffer> {
    const { reuseMs, max, now } = this.#options;
    const nowMs = now().getTime();
    const known = this.#answers.get(key);
    if (known && nowMs < known.untilMs && nowMs >= known.untilMs - reuseMs) return known.signed;
    if (this.#answers.size >= max) this.#answers.clear();
    const signed = sign();
    this.#answers.set(key, { signed, untilMs: nowMs + reuseMs });
    signed.catch(() => this.#answers.delete(key));
    return signed;
  }
}
