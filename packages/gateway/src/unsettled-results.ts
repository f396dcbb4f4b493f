export interface UnsettledResultsOptions {
  publish(stationId: string, payload: string): void;
  repeatDelaysMs: readonly number[];
  /** After so many publications a result is given up: the manager does not know of settling, or its command is long expired. */
  maxPublications?: number;
}

interface UnsettledResult {
  stationId: string;
  payload: string;
  publications: number;
  timer?: NodeJS.Timeout;
}

/** Stations' answers to commands, published again until a manager has settled them; they outlive their connection. */
export class UnsettledResults {
  readonly #options: UnsettledResultsOptions;
  readonly #results = new Map<string, UnsettledResult>();
  #closed = false;

  constructor(options: UnsettledResultsOptions) {
    this.#options = options;
  }

  add(stationId: string, id: string, payload: string): void {
    if (this.#closed) return;
    this.settle(stationId, id);
    const result: UnsettledResult = { stationId, payload, publications: 0 };
    this.#results.set(key(stationId, id), result);
    this.#publish(key(stationId, id), result);
  }

  settle(stationId: string, id: string): void {
    clearTimeout(this.#results.get(key(stationId, id))?.timer);
    this.#results.delete(key(stationId, id));
  }

  publishAgain(): void {
    for (const [id, result] of this.#results) this.#publish(id, result);
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#results.values()) clearTimeout(timer);
    this.#results.clear();
  }

  #publish(id: string, result: UnsettledResult): void {
    const { repeatDelaysMs, maxPublications = 20 } = this.#options;
    clearTimeout(result.timer);
    if (result.publications >= maxPublications) {
      this.#results.delete(id);
      return;
    }
    const delayMs = repeatDelaysMs[result.publications] ?? repeatDelaysMs.at(-1) ?? 15_000;
    result.publications++;
    result.timer = setTimeout(() => this.#publish(id, result), delayMs);
    this.#options.publish(result.stationId, result.payload);
  }
}

function key(stationId: string, id: string): string {
  return `${id} ${stationId}`;
}
