import type { Event } from '../events/events.store.ts';
import type { Outcome } from './post.ts';
import type { Waiting } from './webhook-deliveries.store.ts';

/** An event to be posted; `waiting` tells that it was tried before, or stood behind one that was. */
export interface Item {
  event: Event;
  waiting: Waiting | undefined;
}

export interface LanesOptions {
  post(event: Event): Promise<Outcome>;
  /** Asked before each post: are no more to begin? */
  mustStop(): boolean;
  /** Posts at a time. */
  concurrency(): number;
  onOutcome(item: Item, outcome: Outcome): void;
}

/**
 * Events to be posted, a lane for each station: those of a lane one after the other, several lanes at a time. A slow post holds up its
 * lane and no other. A lane ends with its first failure; what is left of it stays until it is removed.
 */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #lanes = new Map<string, Item[]>();
  /** Stations whose first event may be posted, in the order of their turns. */
  readonly #ready: string[] = [];
  #posting = 0;

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  /** Is nothing being posted, and nothing to be posted before more is added? */
  get isIdle(): boolean {
    return this.#posting === 0 && (this.#ready.length === 0 || this.#options.mustStop());
  }

  get stationIds(): string[] {
    return [...this.#lanes.keys()];
  }

  /** The events of a station that are not delivered, in order: the first is being posted, or has failed. */
  of(stationId: string): readonly Item[] {
    return this.#lanes.get(stationId) ?? [];
  }

  /** Adds events, those of each station in order. */
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

  /** Removes a lane that has ended with a failure. */
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

  // Never rejects: a post does not.
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
