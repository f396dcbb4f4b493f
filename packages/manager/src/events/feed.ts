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

/** PostgreSQL announces new events immediately; polling finds those whose notification was lost. */
const POLL_MS = 2000;
/** Number of newest events cached, so that many readers cost one query. */
const CACHE_SIZE = 2000;
/** Ids that one query covers, to bound its duration if few events match the filter. */
const ID_SPAN = 50_000;

/** A reader of the feed; the feed calls `end` when it closes. */
export interface EventReader {
  end(): void;
}

const ALL: EventFilter = { kinds: null, stationIds: null };

/** The events of all stations as they happen. Emits `newEvents` when there are new ones. */
export class EventFeed extends EventEmitter<{ newEvents: [] }> {
  readonly #database: Database;
  readonly #listener: Listener;
  readonly #poll: Recurring;
  /** All events with ids above `#cachedAfter` and up to `#newest`, oldest first. */
  #cache: Event[] = [];
  #cachedAfter = 0;
  #newest = 0;
  #hasStarted = false;
  readonly #readers = new Set<EventReader>();

  constructor({ database, databaseUrl, log }: FeedOptions) {
    super();
    this.setMaxListeners(0);
    this.#database = database;
    this.#poll = new Recurring({
      what: 'reading events',
      everyMs: POLL_MS,
      work: () => this.#refresh(),
      log,
    });
    this.#listener = new Listener({
      url: databaseUrl,
      channel: events.EVENTS_CHANNEL,
      onNotify: () => this.#poll.soon(),
      onError: (error) => log.warn({ err: error }, 'the connection that listens for events was lost'),
    });
  }

  async start(): Promise<void> {
    this.#poll.start();
    await this.#listener.start();
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** Adds a reader. While there are readers, the newest events are cached. */
  join(reader: EventReader): void {
    this.#readers.add(reader);
    this.#poll.soon();
  }

  leave(reader: EventReader): void {
    this.#readers.delete(reader);
  }

  /** The id of the newest event that this feed has seen. */
  get newest(): number {
    return this.#newest;
  }

  /** The id of the newest event in the database. */
  latest(): Promise<number> {
    return events.newestId(this.#database);
  }

  /** The next matching events after an id, oldest first. All events up to `upTo` have been checked. */
  async read(
    filter: EventFilter,
    { after, rows }: { after: number; rows: number },
  ): Promise<{ found: Event[]; upTo: number }> {
    const isCached = after >= this.#cachedAfter;
    const end = isCached ? this.#newest : Math.min(this.#newest, after + ID_SPAN);
    const found = isCached
      ? this.#fromCache(filter, after, rows)
      : await events.listAfter(this.#database, filter, { after, upTo: end, rows });
    const last = found.at(-1);
    return { found, upTo: found.length === rows && last ? last.id : Math.max(after, end) };
  }

  /** Ends all readers and stops listening. */
  async close(): Promise<void> {
    for (const reader of this.#readers) reader.end();
    await Promise.all([this.#poll.close(), this.#listener.close()]);
  }

  async #refresh(): Promise<void> {
    const before = this.#newest;
    if (this.#readers.size === 0 || !this.#hasStarted) {
      // Query first, then change cache and ids together: if the query fails, readers can still use the old cache.
      const newest = await this.latest();
      this.#cache = [];
      this.#newest = this.#cachedAfter = newest;
      this.#hasStarted = true;
    } else {
      while (await this.#readNext());
    }
    if (this.#newest > before) this.emit('newEvents');
  }

  async #readNext(): Promise<boolean> {
    const found = await events.listAfter(this.#database, ALL, { after: this.#newest, rows: CACHE_SIZE });
    const last = found.at(-1);
    if (!last) return false;
    this.#cache.push(...found);
    this.#newest = last.id;
    this.#trimCache();
    return true;
  }

  #trimCache(): void {
    const dropped = this.#cache.splice(0, Math.max(0, this.#cache.length - CACHE_SIZE));
    const last = dropped.at(-1);
    if (last) this.#cachedAfter = last.id;
  }

  #fromCache(filter: EventFilter, after: number, rows: number): Event[] {
    const found: Event[] = [];
    let i = this.#cache.length;
    while (i > 0 && (this.#cache[i - 1] as Event).id > after) i--;
    for (; i < this.#cache.length && found.length < rows; i++) {
      const event = this.#cache[i] as Event;
      if (events.matches(filter, event)) found.push(event);
    }
    return found;
  }
}
