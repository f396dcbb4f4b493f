import { Readable } from 'node:stream';
import pg from 'pg';

const PAGE_BYTES = 65_536;
const LINE_FEED = 0x0a;
const LINE_END = Buffer.from('\r\n');

/** What exports read together: PostgreSQL formats five times as much on one core, and stations need that, too. */
const BYTES_PER_MS = 4000;

/** The pace that all exports of a process keep together. */
export class Pace {
  #freeAtMs = 0;

  /** Takes so many bytes; how long the next are to wait for, in ms. */
  take(bytes: number): number {
    const nowMs = performance.now();
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + bytes / BYTES_PER_MS;
    return this.#freeAtMs - nowMs;
  }
}

/**
 * The rows of a query as CSV (RFC 4180) with a line of names, as the server formats them: `client.query(new CopyOut(…))`. Rows pass
 * through as bytes, so that they cost this process next to nothing. The server waits while nobody reads.
 */
export class CopyOut extends Readable implements pg.Submittable {
  readonly #text: string;
  readonly #pace: Pace;
  #connection: pg.Connection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isDesired = true;
  #page = Buffer.allocUnsafe(PAGE_BYTES);
  #used = 0;

  constructor(query: pg.QueryConfig, pace: Pace) {
    super({ highWaterMark: PAGE_BYTES });
    this.#pace = pace;
    this.#text = `COPY (${withValues(query)}) TO STDOUT (FORMAT csv, HEADER)`;
  }

  submit(connection: pg.Connection): void {
    this.#connection = connection;
    connection.query(this.#text);
  }

  /** One line. Its bytes are the connection's, which uses them again; its end is PostgreSQL's, not that of RFC 4180. */
  handleCopyData({ chunk }: { chunk: Buffer }): void {
    const length = chunk.at(-1) === LINE_FEED ? chunk.length - 1 : chunk.length;
    if (this.#used + length + LINE_END.length > this.#page.length)
      this.#turnPage(Math.max(PAGE_BYTES, length + LINE_END.length));
    this.#used += chunk.copy(this.#page, this.#used, 0, length);
    this.#used += LINE_END.copy(this.#page, this.#used);
  }

  handleCommandComplete(): void {
    this.#turnPage(0);
  }

  handleReadyForQuery(): void {
    clearTimeout(this.#timer);
    // The next query on this connection is to be answered.
    this.#connection?.stream.resume();
    this.push(null);
  }

  handleError(error: Error): void {
    this.destroy(error);
  }

  override _read(): void {
    this.#isDesired = true;
    if (this.#timer === undefined) this.#connection?.stream.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#timer);
    done(error);
  }

  #turnPage(nextBytes: number): void {
    const page = this.#page.subarray(0, this.#used);
    this.#page = Buffer.allocUnsafe(nextBytes);
    this.#used = 0;
    if (page.length === 0) return;
    this.#isDesired = this.push(page);
    this.#connection?.stream.pause();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#isDesired) this.#connection?.stream.resume();
    }, this.#pace.take(page.length));
  }
}

/** The text of a query with its values in it, as COPY takes no parameters. */
function withValues({ text, values = [] }: pg.QueryConfig): string {
  return text.replace(/\$(\d+)/g, (_, number: string) => literal((values as Value[])[Number(number) - 1]));
}

type Value = string | number | boolean | Date | null | undefined;

function literal(value: Value): string {
  if (value === null || value === undefined) return 'NULL';
  const text = value instanceof Date ? value.toISOString() : String(value);
  if (!text.includes('\0')) return pg.escapeLiteral(text);
  // As the server answers to a parameter; in the text of a query it would be its end.
  const error = new pg.DatabaseError('a text with U+0000', 0, 'error');
  error.code = '22021';
  throw error;
}
