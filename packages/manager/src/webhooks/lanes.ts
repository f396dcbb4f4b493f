import type { Event } from '../events/events.store.ts';
import type { Outcome } from './post.ts';
import type { Waiting } from './webhook-deliveries.store.ts';

/** An event to post; `waiting` is set if it was tried before, or waited behind one that was. */
export interface Item {
  event: Event;
  waiting: Waiting | undefined;
}

export interface LanesOptions {
  post(event: Event): Promise<Outcome>;
  /** Called before each post: true to start no more. */
  mustStop(): boolean;
  /** Maximum number of concurrent posts. */
  concurrency(): number;
  onOutcome(item: Item, outcome: Outcome): void;
}

/**
 * Queues of events to post, one lane per station. A lane posts its events one by one; lanes run concurrently, so that a slow post delays
 * only its own lane. A lane stops at its first failure; its remaining events stay until it is removed.
 */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #lanes = new Map<string, Item[]>();
  /** Stations whose first event can be posted, in this order. */
  readonly #ready: string[] = [];
  #posting = 0;

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  /** Whether nothing is being posted and nothing will be until more is added. */
  get isIdle(): boolean {
    return this.#posting === 0 && (this.#ready.length === 0 || this.#options.mustStop());
  }

  get stationIds(): string[] {
    return [...this.#lanes.keys()];
  }

  /** The undelivered events of a station, in order; the first one may be in progress or may have failed. */
  of(stationId: string): readonly Item[] {
    return this.#lanes.get(stationId) ?? [];
  }

  /** Adds events; those of each station must be in order. */
  add(items: Item[]): void {
    for (const item of items) {
      const { stationId } = item.event;
      const lane = this.#lanes.get(stationId);
      if (lane) {
        lane.push(item);
      } else {
        this.#lanes.set(stationId, [item]);
        this.#ready.push(stationId);
      }
    }
    this.#start();
  }

  /** Removes a lane that stopped at a failure. */
  remove(stationId: string): void {
    this.#lanes.delete(stationId);
  }

  #start(): void {
    while (
      this.#posting < this.#options.concurrency() &&
      this.#ready.length > 0 &&
      !this.#options.mustStop()
    ) {
      const lane = this.#lanes.get(this.#ready.shift() ?? '');
      if (lane) void this.#post(lane);
    }
  }

  // Never rejects, as posts never do.
  async #post(lane: Item[]): Promise<void> {
    const [item] = lane;
    if (!item) return;
    this.#posting++;
    const outcome = await this.#options.post(item.event);
    this.#posting--;
    if (outcome.kind === 'delivered') {
      lane.shift();
      const { stationId } = item.event;
      if (lane.length > 0) this.#ready.push(stationId);
      else this.#lanes.delete(stationId);
    }
    this.#options.onOutcome(item, outcome);
    this.#start();
  }
}
