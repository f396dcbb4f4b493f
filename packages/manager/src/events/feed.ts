import type { Log } from '@evander/process';
import { EventEmitter } from 'node:events';
import type { Database } from '../database/database.ts';
import { Listener } from '../database/listener.ts';
import { Recurring } from '../recurring.ts';
import * as events from './events.store.ts';
import type { Event, EventFilter } from './events.store.ts';

export interface FeedOptions {
  database: Database;
  databaseUrl: string;
  log: Log;
}

/** PostgreSQL tells at once; this is for what it could not tell. */
const POLL_MS = 2000;
/** The youngest events are kept here, so that many readers cost one query. */
const KEPT = 2000;
/** Ids that one query looks through: a filter that nothing fits must not make it long. */
const SPAN = 50_000;
/** Somebody who reads along; `end` tells that the feed has ended. */
export interface EventReader {
  end(): void;
}

const ALL: EventFilter = { kinds: null, stationIds: null };

/** The events of the fleet as they come. Emits `news` when there are some, for readers and for whoever else waits for them. */
export class EventFeed extends EventEmitter<{ news: [] }> {
  readonly #database: Database;
  readonly #listener: Listener;
  readonly #poll: Recurring;
  /** All events with ids above `#keptAfter`, oldest first. */
  #kept: Event[] = [];
  #keptAfter = 0;
  #newest = 0;
  #hasBegun = false;
  readonly #readers = new Set<EventReader>();

  constructor({ database, databaseUrl, log }: FeedOptions) {
    super();
    this.setMaxListeners(0);
    this.#database = database;
    this.#poll = new Recurring({
      what: 'reading events',
      everyMs: POLL_MS,
      work: () => this.#look(),
      log,
    });
    this.#listener = new Listener({
      url: databaseUrl,
      channel: events.EVENTS_CHANNEL,
      onNotify: () => this.#poll.soon(),
      onError: (error) => log.warn({ err: error }, 'the connection that listens for events is lost'),
    });
  }

  async start(): Promise<void> {
    this.#poll.start();
    await this.#listener.start();
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** While somebody reads along, the youngest events are kept here. */
  join(reader: EventReader): void {
    this.#readers.add(reader);
    this.#poll.soon();
  }

  leave(reader: EventReader): void {
    this.#readers.delete(reader);
  }

  /** The id of the newest event that has been seen here. */
  get newest(): number {
    return this.#newest;
  }

  /** The id of the newest event that there is. */
  latest(): Promise<number> {
    return events.newestId(this.#database);
  }

  /** The next events after one, oldest first, and up to which id this has been looked through. */
  async read(
    filter: EventFilter,
    { after, rows }: { after: number; rows: number },
  ): Promise<{ found: Event[]; upTo: number }> {
    const isKept = after >= this.#keptAfter;
    const end = isKept ? this.#newest : Math.min(this.#newest, after + SPAN);
    const found = isKept
      ? this.#fromKept(filter, after, rows)
      : await events.listAfter(this.#database, filter, { after, upTo: end, rows });
    const last = found.at(-1);
    return { found, upTo: found.length === rows && last ? last.id : Math.max(after, end) };
  }

  /** Ends all readers and hears no more. */
  async close(): Promise<void> {
    for (const reader of this.#readers) reader.end();
    await Promise.all([this.#poll.close(), this.#listener.close()]);
  }

  async #look(): Promise<void> {
    const before = this.#newest;
    if (this.#readers.size === 0 || !this.#hasBegun) {
      // What is kept and from where on change together: while the database is away a reader may come for what is kept.
      const newest = await this.latest();
      this.#kept = [];
      this.#newest = this.#keptAfter = newest;
      this.#hasBegun = true;
    } else {
      while (await this.#readOn());
    }
    if (this.#newest > before) this.emit('news');
  }

  async #readOn(): Promise<boolean> {
    const found = await events.listAfter(this.#database, ALL, { after: this.#newest, rows: KEPT });
    const last = found.at(-1);
    if (!last) return false;
    this.#kept.push(...found);
    this.#newest = last.id;
    this.#drop();
    return true;
  }

  #drop(): void {
    const dropped = this.#kept.splice(0, Math.max(0, this.#kept.length - KEPT));
    const last = dropped.at(-1);
    if (last) this.#keptAfter = last.id;
  }

  #fromKept(filter: EventFilter, after: number, rows: number): Event[] {
    const found: Event[] = [];
    let i = this.#kept.length;
    while (i > 0 && (this.#kept[i - 1] as Event).id > after) i--;
    for (; i < this.#kept.length && found.length < rows; i++) {
      const event = this.#kept[i] as Event;
      if (events.matches(filter, event)) found.push(event);
    }
    return found;
  }
}
