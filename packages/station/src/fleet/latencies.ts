const GROWTH = 1.05;

/** A latency histogram whose buckets grow by 5 %, so that millions of values need little memory. */
export class Latencies {
  readonly #buckets = new Map<number, number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(ms: number): void {
    const bucket = Math.ceil(Math.log(Math.max(ms, 0.01)) / Math.log(GROWTH));
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    this.#count++;
  }

  /** The latency below which this fraction (0 to 1) of all stayed; 0 if there are none. */
  quantile(part: number): number {
    let rest = part * this.#count;
    for (const bucket of [...this.#buckets.keys()].sort((left, right) => left - right)) {
      rest -= this.#buckets.get(bucket) ?? 0;
      if (rest <= 0) return GROWTH ** bucket;
    }
    return 0;
  }
}
