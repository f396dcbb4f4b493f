/** A map of bounded size: when it is full, the entry that was set longest ago is removed. */
export class NewestMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #maxSize: number;
  /** Oldest keys first. A single iterator serves all removals: a new one would step over every deleted slot again. */
  #oldest = this.#entries.keys();

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#maxSize) return;
    let oldest = this.#oldest.next();
    if (oldest.done === true) {
      this.#oldest = this.#entries.keys();
      oldest = this.#oldest.next();
    }
    if (oldest.done !== true) this.#entries.delete(oldest.value);
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }
}
