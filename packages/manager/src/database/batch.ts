import { traced } from '../observability/tracing.ts';
import { faultOf } from './storage-error.ts';

export interface BatchOptions<Row, Result> {
  /** The table, as traces show it. */
  name: string;
  /** Stores all rows in one statement, or none; what each of them is told, where there is something. */
  write(rows: Row[]): Promise<Result[] | void>;
  /** Rows of one write at most; more wait for the next. */
  maxRows: number;
  /** Of rows with the same key, as those of one station, each has a write of its own, in the order in which they came. */
  keyOf?(row: Row): string;
  /** Called with the rows of each commit. */
  onWritten?(rows: number): void;
}

interface Waiting<Row, Result> {
  rows: Row[];
  resolve(results: Result[]): void;
  reject(error: unknown): void;
}

/**
 * Group commit: whoever adds rows waits until they are committed, and all who come while a write is under way share the next one.
 * Under no load that costs nothing, under load one commit serves hundreds.
 */
export class Batch<Row, Result = never> {
  readonly #options: BatchOptions<Row, Result>;
  #waiting: Waiting<Row, Result>[] = [];
  #writing = false;
  readonly #whenIdle: (() => void)[] = [];

  constructor(options: BatchOptions<Row, Result>) {
    this.#options = options;
  }

  /** Resolves when the rows are committed, with what each is told; rejects when they are not. */
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

  /** Resolves when everything added is written, or has failed. */
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
    const left: Waiting<Row, Result>[] = [];
    const keys = new Set<string>();
    let rows = 0;
    let seen = 0;
    for (const waiting of this.#waiting) {
      if (taken.length > 0 && rows + waiting.rows.length > maxRows) break;
      seen++;
      const own = keyOf ? waiting.rows.map(keyOf) : [];
      const isIn = !own.some((key) => keys.has(key));
      (isIn ? taken : left).push(waiting);
      if (isIn) rows += waiting.rows.length;
      for (const key of own) keys.add(key);
    }
    left.push(...this.#waiting.slice(seen));
    this.#waiting = left;
    return taken;
  }

  // Must not reject: nobody would hear it. Everyone who waits is told instead. A group that has a bad row is halved until it is found,
  // so that it costs its neighbours log₂(n) statements; a database that is away is not asked for each part.
  async #write(group: Waiting<Row, Result>[]): Promise<void> {
    const left = [group];
    for (let part = left.pop(); part; part = left.pop()) {
      try {
        const rows = part.flatMap((one) => one.rows);
        const results = (await this.#options.write(rows)) ?? [];
        this.#options.onWritten?.(rows.length);
        let from = 0;
        for (const one of part) one.resolve(results.slice(from, (from += one.rows.length)));
      } catch (error) {
        if (faultOf(error) === 'transient') {
          for (const { reject } of [part, ...left.splice(0)].flat()) reject(error);
        } else if (part.length === 1) {
          for (const { reject } of part) reject(error);
        } else {
          const middle = Math.ceil(part.length / 2);
          left.push(part.slice(middle), part.slice(0, middle));
        }
      }
    }
  }
}
