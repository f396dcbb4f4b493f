import { Readable } from 'node:stream';
import pg from 'pg';

const PAGE_BYTES = 65_536;
const LINE_FEED = 0x0a;
const LINE_END = Buffer.from('\r\n');

/** Limit of all exports together. PostgreSQL can format five times as much on one core, but station traffic needs it, too. */
const BYTES_PER_MS = 4000;

/** The rate limit that all exports of a process share. */
export class Pace {
  #freeAtMs = 0;

  /** Accounts for `bytes`; returns how long to wait before reading on, in ms. */
  take(bytes: number): number {
    const nowMs = performance.now();
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + bytes / BYTES_PER_MS;
    return this.#freeAtMs - nowMs;
  }
}

/**
 * The rows of a query as CSV (RFC 4180) with a header line, formatted by the server: `client.query(new CopyOut(…))`. Rows pass through
 * as bytes, which costs this process almost nothing. The server waits for a slow reader.
 */
export class CopyOut extends Readable implements pg.Submittable {
  readonly #text: string;
  readonly #pace: Pace;
  #connection: pg.Connection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #canPush = true;
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

  /** Handles one line. Its buffer is copied, because the connection reuses it; its LF becomes the CRLF of RFC 4180. */
  handleCopyData({ chunk }: { chunk: Buffer }): void {
    const length = chunk.at(-1) === LINE_FEED ? chunk.length - 1 : chunk.length;
    if (this.#used + length + LINE_END.length > this.#page.length)
      this.#flushPage(Math.max(PAGE_BYTES, length + LINE_END.length));
    this.#used += chunk.copy(this.#page, this.#used, 0, length);
    this.#used += LINE_END.copy(this.#page, this.#used);
  }

  handleCommandComplete(): void {
    this.#flushPage(0);
  }

  handleReadyForQuery(): void {
    clearTimeout(this.#timer);
    // The next query on this connection needs the socket to be read.
    this.#connection?.stream.resume();
    this.push(null);
  }

  handleError(error: Error): void {
    this.destroy(error);
  }

  override _read(): void {
    this.#canPush = true;
    if (this.#timer === undefined) this.#connection?.stream.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#timer);
    done(error);
  }

  #flushPage(nextBytes: number): void {
    const page = this.#page.subarray(0, this.#used);
    this.#page = Buffer.allocUnsafe(nextBytes);
    this.#used = 0;
    if (page.length === 0) return;
    this.#canPush = this.push(page);
    this.#connection?.stream.pause();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#canPush) this.#connection?.stream.resume();
    }, this.#pace.take(page.length));
  }
}

/** The text of a query with its values inlined, because COPY takes no parameters. */
function withValues({ text, values = [] }: pg.QueryConfig): string {
  return text.replace(/\$(\d+)/g, (_, number: string) => literal((values as Value[])[Number(number) - 1]));
}

type Value = string | number | boolean | Date | null | undefined;

function literal(value: Value): string {
  if (value === null || value === undefined) return 'NULL';
  const text = value instanceof Date ? value.toISOString() : String(value);
  if (!text.includes('\0')) return pg.escapeLiteral(text);
  // The server's error for such a parameter. In a query text, U+0000 would end the query.
  const error = new pg.DatabaseError('a text with U+0000', 0, 'error');
  error.code = '22021';
  throw error;
}
