import { Readable } from 'node:stream';
import type { Event, EventFilter } from './events.store.ts';
import type { EventFeed } from './feed.ts';

export interface EventStreamOptions {
  feed: EventFeed;
  filter: EventFilter;
  /** The id of the last event that the reader has. */
  after: number;
  /** How often a silent stream gives a sign of life. */
  keepAliveMs: number;
  /** A reader that has not taken what waits for it in so long is cut off. */
  stallMs: number;
  /** Asked at each sign of life: may the reader go on? */
  mayGoOn(): Promise<boolean>;
}

const ROWS = 200;
const RETRY_MS = 2000;

/**
 * Events as text/event-stream. They are fetched when the reader has room for them, so that a slow one costs no memory; one that takes
 * nothing for `stallMs` is cut off, and may resume with the id that it got last.
 */
export class EventStream extends Readable {
  readonly #options: EventStreamOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #onNews = (): void => void this.#fill();
  #after: number;
  #hasRoom = false;
  #filling = false;
  #takenAtMs = performance.now();

  constructor(options: EventStreamOptions) {
    super({ highWaterMark: 65_536 });
    this.#options = options;
    this.#after = options.after;
    options.feed.join(this);
    options.feed.on('news', this.#onNews);
    this.#timer = setInterval(() => void this.#beat(), options.keepAliveMs);
    this.push(`retry: ${RETRY_MS}\n\n`);
  }

  /** Nothing more comes: the reader is to come back, here or to another manager. */
  end(): void {
    if (!this.destroyed) this.push(null);
    this.#leave();
  }

  override _read(): void {
    this.#hasRoom = true;
    this.#takenAtMs = performance.now();
    void this.#fill();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#leave();
    callback(error);
  }

  #leave(): void {
    clearInterval(this.#timer);
    this.#options.feed.off('news', this.#onNews);
    this.#options.feed.leave(this);
  }

  async #fill(): Promise<void> {
    if (this.#filling) return;
    this.#filling = true;
    try {
      while (this.#hasRoom && !this.#isOver && this.#after < this.#options.feed.newest) await this.#next();
    } catch (error) {
      this.destroy(error as Error);
    } finally {
      this.#filling = false;
    }
  }

  async #next(): Promise<void> {
    const { feed, filter } = this.#options;
    const { found, upTo } = await feed.read(filter, { after: this.#after, rows: ROWS });
    if (this.#isOver) return;
    this.#after = upTo;
    if (found.length > 0) this.#write(found.map(textOf).join(''));
  }

  async #beat(): Promise<void> {
    const { stallMs, mayGoOn } = this.#options;
    if (!this.#hasRoom) {
      const isStalled = performance.now() - this.#takenAtMs > stallMs;
      if (isStalled) this.destroy(new Error('the reader of events is too slow'));
      return;
    }
    const goesOn = await mayGoOn().catch(() => true);
    if (!goesOn) this.end();
    // An id without data moves the place from which a reader resumes, though nothing of interest has come.
    else if (!this.#isOver && !this.#filling) this.#write(`:\nid: ${this.#after}\n\n`);
  }

  get #isOver(): boolean {
    return this.destroyed || this.readableEnded || this.readable === false;
  }

  #write(text: string): void {
    this.#hasRoom = this.push(text);
  }
}

function textOf(event: Event): string {
  return `id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
}
