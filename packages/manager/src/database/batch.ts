import { traced } from '../observability/tracing.ts';
import { faultOf } from './storage-error.ts';

export interface BatchOptions<Row, Result> {
  /** Name of the table in traces. */
  name: string;
  /** Stores all rows in one statement, or none; may resolve with one result per row. */
  write(rows: Row[]): Promise<Result[] | void>;
  /** Maximum rows per write; more wait for the next. */
  maxRows: number;
  /** Rows with the same key, for example those of one station, are written one at a time, in order. */
  keyOf?(row: Row): string;
  /** Called with the number of rows of each commit. */
  onWritten?(rows: number): void;
}

interface Waiting<Row, Result> {
  rows: Row[];
  resolve(results: Result[]): void;
  reject(error: unknown): void;
}

/**
 * Group commit: a caller that adds rows waits until they are committed, and callers that arrive during a write share the next one.
 * Without load that costs nothing; under load one commit serves hundreds.
 */
export class Batch<Row, Result = never> {
  readonly #options: BatchOptions<Row, Result>;
  #waiting: Waiting<Row, Result>[] = [];
  #writing = false;
  readonly #whenIdle: (() => void)[] = [];

  constructor(options: BatchOptions<Row, Result>) {
    this.#options = options;
  }

  /** Resolves with the rows' results when they are committed; rejects if they cannot be stored. */
  add(rows: Row[]): Promise<Result[]> {
    if (rows.length === 0) return Promise.resolve([]);
    const committed = (): Promise<Result[]> =>
      new Promise((resolve, reject) => {
        this.#waiting.push({ rows, resolve, reject });
        if (this.#writing) return;
        this.#writing = true;
        setImmediate(() => void this.#writeAll());
      });
    return traced('client', { name: `${this.#options.name} (batch)` }, committed);
  }

  /** Resolves when all added rows are written or have failed. */
  async idle(): Promise<void> {
    if (!this.#writing) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.#write(this.#take());
    this.#writing = false;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #take(): Waiting<Row, Result>[] {
    const { maxRows, keyOf } = this.#options;
    const taken: Waiting<Row, Result>[] = [];
    const remaining: Waiting<Row, Result>[] = [];
    const keys = new Set<string>();
    let rows = 0;
    let seen = 0;
    for (const waiting of this.#waiting) {
      if (taken.length > 0 && rows + waiting.rows.length > maxRows) break;
      seen++;
      const own = keyOf ? waiting.rows.map(keyOf) : [];
      const isTaken = !own.some((key) => keys.has(key));
      (isTaken ? taken : remaining).push(waiting);
      if (isTaken) rows += waiting.rows.length;
      for (const key of own) keys.add(key);
    }
    remaining.push(...this.#waiting.slice(seen));
    this.#waiting = remaining;
    return taken;
  }

  // Must not reject, because nobody would handle that: errors go to the waiting callers. A group with a bad row is halved until the row is
  // found, which costs log₂(n) statements. If the database is unavailable, the other parts are not tried.
  async #write(group: Waiting<Row, Result>[]): Promise<void> {
    const parts = [group];
    for (let part = parts.pop(); part; part = parts.pop()) {
      try {
        const rows = part.flatMap((one) => one.rows);
        const results = (await this.#options.write(rows)) ?? [];
        this.#options.onWritten?.(rows.length);
        let from = 0;
        for (const one of part) one.resolve(results.slice(from, (from += one.rows.length)));
      } catch (error) {
        if (faultOf(error) === 'transient') {
          for (const { reject } of [part, ...parts.splice(0)].flat()) reject(error);
        } else if (part.length === 1) {
          for (const { reject } of part) reject(error);
        } else {
          const middle = Math.ceil(part.length / 2);
          parts.push(part.slice(middle), part.slice(0, middle));
        }
      }
    }
  }
}
