interface Waiting<Key, Answer> {
  key: Key;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** So many questions are under way at a time: one that hangs does not hold up what comes after it. */
const UNDER_WAY = 2;
const MAX_KEYS = 200;

/**
 * Gathers what is asked while questions are under way into the next one, so that thousands of stations that come at once cost few. Under
 * no load each is asked about at once, by itself.
 */
export class QuestionBatch<Key, Answer> {
  readonly #ask: (keys: Key[]) => Promise<Answer[]>;
  #waiting: Waiting<Key, Answer>[] = [];
  #underWay = 0;

  /** `ask` answers in the order of the keys; when it rejects, all of them are told. */
  constructor(ask: (keys: Key[]) => Promise<Answer[]>) {
    this.#ask = ask;
  }

  /** The answer about a key. */
  about(key: Key): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject });
      if (this.#underWay < UNDER_WAY) void this.#askNext();
    });
  }

  async #askNext(): Promise<void> {
    this.#underWay++;
    while (this.#waiting.length > 0) {
      const asked = this.#waiting.splice(0, MAX_KEYS);
      try {
        const answers = await this.#ask(asked.map(({ key }) => key));
        asked.forEach(({ resolve }, i) => resolve(answers[i] as Answer));
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
    }
    this.#underWay--;
  }
}
