interface Waiting<Key, Answer> {
  key: Key;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** Concurrent requests: one that hangs must not delay the others. */
const CONCURRENCY = 2;
const MAX_KEYS = 200;

/**
 * Batches the keys that arrive while requests are in progress, so that thousands of stations connecting together need few requests. Without
 * load, each key is requested immediately.
 */
export class QuestionBatch<Key, Answer> {
  readonly #ask: (keys: Key[]) => Promise<Answer[]>;
  #waiting: Waiting<Key, Answer>[] = [];
  #running = 0;

  /** `ask` must return answers in the order of the keys. If it rejects, so do all callers of the batch. */
  constructor(ask: (keys: Key[]) => Promise<Answer[]>) {
    this.#ask = ask;
  }

  /** The answer about a key. */
  about(key: Key): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject });
      if (this.#running < CONCURRENCY) void this.#askNext();
    });
  }

  async #askNext(): Promise<void> {
    this.#running++;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_KEYS);
      try {
        const answers = await this.#ask(batch.map(({ key }) => key));
        batch.forEach(({ resolve }, i) => resolve(answers[i] as Answer));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#running--;
  }
}
