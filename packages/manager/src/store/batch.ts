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

  // Must not reject: nobody would hear it. Everyone who waits is told instead.
  async #write(group: Waiting<Row>[]): Promise<void> {
    try {
      const rows = group.flatMap((one) => one.rows);
      await this.#options.write(rows);
      this.#options.onWritten?.(rows.length);
      for (const { resolve } of group) resolve();
    } catch (error) {
      if (group.length === 1 || faultOf(error) === 'transient') for (const { reject } of group) reject(error);
      // One bad row must not fail its neighbours: each is tried by itself.
      else for (const one of group) await this.#write([one]);
    }
  }
}
