interface SignedAnswer {
  signed: Promise<Buffer>;
  untilMs: number;
}

/**
 * Keeps answers that had to be signed, so that questions for the same cost one signature. The key must name all that the answer says. One
 * is used again for `reuseMs`; when there are more than `max`, all are forgotten.
 */
export class SignedAnswers {
  readonly #answers = new Map<string, SignedAnswer>();
  readonly #options: { reuseMs: number; max: number; now(): Date };

  constructor(options: { reuseMs: number; max: number; now(): Date }) {
    this.#options = options;
  }

  /** The answer under a key, signed now when there is none. Rejects as `sign` does, and then keeps nothing. */
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
