import { Readable } from 'node:stream';
import type { Event, EventFilter } from './events.store.ts';
import type { EventFeed } from './feed.ts';

export interface EventStreamOptions {
  feed: EventFeed;
  filter: EventFilter;
  /** The id of the last event that the reader has. */
  after: number;
  /** Interval of the keep-alive comments. */
  keepAliveMs: number;
  /** A reader that takes no data for this long is disconnected. */
  stallMs: number;
  /** Called before each keep-alive: is the reader still authorized? */
  isAllowed(): Promise<boolean>;
}

const ROWS = 200;
const RETRY_MS = 2000;

/**
 * Events as text/event-stream. They are fetched only when the reader has room, so that slow readers cost no memory. A reader that takes
 * no data for `stallMs` is disconnected and may resume after the last id that it received.
 */
export class EventStream extends Readable {
  readonly #options: EventStreamOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #onNewEvents = (): void => void this.#fill();
  #after: number;
  #hasRoom = false;
  #filling = false;
  #takenAtMs = performance.now();

  constructor(options: EventStreamOptions) {
    super({ highWaterMark: 65_536 });
    this.#options = options;
    this.#after = options.after;
    options.feed.join(this);
    options.feed.on('newEvents', this.#onNewEvents);
    this.#timer = setInterval(() => void this.#keepAlive(), options.keepAliveMs);
    this.push(`retry: ${RETRY_MS}\n\n`);
  }

  /** Ends the stream; the reader should reconnect, to this manager or another. */
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
    this.#options.feed.off('newEvents', this.#onNewEvents);
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

  async #keepAlive(): Promise<void> {
    const { stallMs, isAllowed } = this.#options;
    if (!this.#hasRoom) {
      const isStalled = performance.now() - this.#takenAtMs > stallMs;
      if (isStalled) this.destroy(new Error('the reader of events is too slow'));
      return;
    }
    const isStillAllowed = await isAllowed().catch(() => true);
    if (!isStillAllowed) this.end();
    // An id without data moves the point from which the reader resumes, even if no event matched its filter.
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
