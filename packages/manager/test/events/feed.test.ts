import { silentLog } from '@evander/process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseProxy } from '../../../../test/database-proxy.ts';
import { createTestDatabase } from '../../../../test/database.ts';
import type { TestDatabase } from '../../../../test/database.ts';
import { openDatabase } from '../../src/database/database.ts';
import type { Database } from '../../src/database/database.ts';
import { EventStream } from '../../src/events/event-stream.ts';
import * as events from '../../src/events/events.store.ts';
import { EventFeed } from '../../src/events/feed.ts';

let created: TestDatabase;
let database: Database;
beforeAll(async () => {
  created = await createTestDatabase();
  database = openDatabase({ url: created.url, poolSize: 2, onError: () => {} });
});
afterAll(async () => {
  await database.close();
  await created.drop();
});

/** Adds events and assigns their ids; returns the id of the newest. */
async function happen(count: number): Promise<number> {
  await database.query({
    text: `INSERT INTO event_intake (kind, station_id, data) SELECT 'security.event', 'CP1', '{}' FROM generate_series(1, $1)`,
    values: [count],
  });
  await events.sequence(database, count);
  return events.newestId(database);
}

/** A client of GET /events that reconnects with its last id when its stream breaks. */
class Client {
  readonly after: number;
  readonly ids: number[] = [];
  readonly #feed: EventFeed;
  #stream: EventStream | undefined;
  #hasLeft = false;

  constructor(feed: EventFeed, after: number) {
    this.#feed = feed;
    this.after = after;
    this.#open();
  }

  leave(): void {
    this.#hasLeft = true;
    this.#stream?.destroy();
  }

  #open(): void {
    this.#stream = new EventStream({
      feed: this.#feed,
      filter: { kinds: null, stationIds: null },
      after: this.ids.at(-1) ?? this.after,
      keepAliveMs: 60_000,
      stallMs: 60_000,
      isAllowed: () => Promise.resolve(true),
    });
    this.#stream.on('data', (chunk: Buffer) => {
      for (const [, id] of chunk.toString().matchAll(/^data: \{"id":(\d+)/gm)) this.ids.push(Number(id));
    });
    this.#stream.on('error', () => !this.#hasLeft && setImmediate(() => this.#open()));
  }
}

type Step =
  | { do: 'happen'; count: number }
  | { do: 'join'; back: number }
  | { do: 'leave' }
  | { do: 'refuse' }
  | { do: 'hang' }
  | { do: 'pass' };

/** A manager's feed that reaches its database through a proxy, and its clients. */
class World {
  readonly #proxy: DatabaseProxy;
  readonly #database: Database;
  readonly #feed: EventFeed;
  readonly clients: Client[] = [];
  #reading: Client[] = [];
  #failures = 0;
  #isUp = true;
  newest: number;

  private constructor(proxy: DatabaseProxy, newest: number) {
    this.#proxy = proxy;
    this.newest = newest;
    this.#database = openDatabase({
      url: proxy.url,
      poolSize: 2,
      onError: () => {},
      onQueryError: () => this.#failures++,
    });
    this.#feed = new EventFeed({ database: this.#database, databaseUrl: proxy.url, log: silentLog() });
  }

  static async open(): Promise<World> {
    const world = new World(await DatabaseProxy.open(created.url), await events.newestId(database));
    await world.#feed.start();
    return world;
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'happen') {
      this.newest = await happen(step.count);
      if (this.#isUp) await this.#arrived();
    } else if (step.do === 'join') {
      const client = new Client(this.#feed, Math.max(0, this.newest - step.back));
      this.clients.push(client);
      this.#reading.push(client);
    } else if (step.do === 'leave') {
      this.#reading.shift()?.leave();
    } else if (step.do === 'pass') {
      this.#proxy.pass();
      this.#isUp = true;
    } else {
      await this.#cut(step.do);
    }
  }

  /** Restores the database and waits until the remaining clients have caught up; returns these clients. */
  async complete(): Promise<Client[]> {
    await this.take({ do: 'pass' });
    await this.#arrived();
    return this.#reading;
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.leave();
    this.#proxy.pass();
    await this.#feed.close();
    await this.#database.close();
    await this.#proxy.close();
  }

  async #cut(how: 'refuse' | 'hang'): Promise<void> {
    this.#proxy[how]();
    this.#isUp = false;
    if (how === 'hang') {
      this.#look();
      await delay(30);
      return;
    }
    const failures = this.#failures;
    while (this.#failures < failures + 3) {
      this.#look();
      await delay(5);
    }
  }

  // The feed refreshes when a client joins, and again for clients that join meanwhile; then only for those that have not left.
  #look(): void {
    const reader = { end: () => {} };
    this.#feed.join(reader);
    this.#feed.join(reader);
    this.#feed.leave(reader);
  }

  // Bounded, because a client that lost events never gets the newest.
  async #arrived(): Promise<void> {
    const endMs = performance.now() + 60_000;
    const isThere = (client: Client): boolean =>
      (client.ids.at(-1) ?? client.after) >= this.newest || client.after >= this.newest;
    while (!(this.#feed.newest >= this.newest && this.#reading.every(isThere))) {
      if (performance.now() > endMs) return;
      await delay(10);
    }
  }
}

const STEP: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('happen' as const), count: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ do: fc.constant('join' as const), back: fc.nat({ max: 40 }) }),
  fc.constantFrom<Step>({ do: 'leave' }, { do: 'refuse' }, { do: 'hang' }, { do: 'pass' }, { do: 'pass' }),
);

test('clients that read or resume events get each one once, whatever the database does', async () => {
  // The last reader leaves, the database stops, and a reader resumes 30 events back.
  const resumed: Step[] = [
    { do: 'join', back: 0 },
    { do: 'happen', count: 50 },
    { do: 'leave' },
    { do: 'refuse' },
    { do: 'pass' },
    { do: 'join', back: 30 },
  ];
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { minLength: 3, maxLength: 12 }), async (steps) => {
      const world = await World.open();
      try {
        for (const step of steps) await world.take(step);
        for (const client of await world.complete()) {
          const expected = Array.from(
            { length: world.newest - client.after },
            (_, i) => client.after + 1 + i,
          );
          expect(client.ids).toEqual(expected);
        }
        // Clients that have left missed nothing until then.
        for (const { ids, after } of world.clients) expect(ids).toEqual(ids.map((_, i) => after + 1 + i));
      } finally {
        await world.close();
      }
    }),
    { numRuns: 12, examples: [[resumed]], endOnFailure: true },
  );
}, 180_000);
