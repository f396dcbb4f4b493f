import { traced } from '../tracing.ts';
import { faultOf } from './storage-error.ts';

export interface BatchOptions<Row> {
  /** The table, as traces show it. */
  name: string;
  /** Stores all rows in one statement, or none. */
  write(rows: Row[]): Promise<void>;
  /** Rows of one write at most; more wait for the next. */
  maxRows: number;
  /** Called with the rows of each commit. */
  onWritten?(rows: number): void;
}

interface Waiting<Row> {
  rows: Row[];
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Group commit: whoever adds rows waits until they are committed, and all who come while a write is under way share the next one.
 * Under no load that costs nothing, under load one commit serves hundreds.
 */
export class Batch<Row> {
  readonly #options: BatchOptions<Row>;
  #waiting: Waiting<Row>[] = [];
  #writing = false;
  readonly #whenIdle: (() => void)[] = [];

  constructor(options: BatchOptions<Row>) {
    this.#options = options;
  }

  /** Resolves when the rows are committed; rejects when they are not. */
  add(rows: Row[]): Promise<void> {
    if (rows.length === 0) return Promise.resolve();
    const committed = (): Promise<void> =>
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

  #take(): Waiting<Row>[] {
    let rows = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      rows += waiting.rows.length;
      if (count > 0 && rows > this.#options.maxRows) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  // Must not reject: nobody would hear it. Everyone who waits is told instead. A group that has a bad row is halved until it is found,
  // so that it costs its neighbours log₂(n) statements; a database that is away is not asked for each part.
  async #write(group: Waiting<Row>[]): Promise<void> {
    const left = [group];
    for (let part = left.pop(); part; part = left.pop()) {
      try {
        const rows = part.flatMap((one) => one.rows);
        await this.#options.write(rows);
        this.#options.onWritten?.(rows.length);
        for (const { resolve } of part) resolve();
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
