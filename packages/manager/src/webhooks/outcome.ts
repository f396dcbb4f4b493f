import type { Event } from '../events/events.store.ts';
import type { Item } from './lanes.ts';
import type { Outcome } from './post.ts';
import type { Undelivered } from './webhook-deliveries.store.ts';
import type { LeasedWebhook } from './webhooks.store.ts';

/** How patient a webhook is. */
export interface Patience {
  /** The first pause after a failure; each further one is twice as long, up to a limit. */
  retryMs: number;
  longestRetryMs: number;
  /** The limit while nothing at all is taken: a receiver that is back should not wait for long. */
  longestRestMs: number;
  /** An event that was tried unsuccessfully for so long is dead. */
  giveUpMs: number;
}

/** So many stations failed, and none was delivered: the receiver is down, and need not be asked for the others. */
const DOWN_STATIONS = 8;

/** What became of posts since the last time that this was written down. */
export class Outcomes {
  readonly delivered = new Map<number, Item>();
  readonly failed = new Map<number, { item: Item; error: string }>();
  readonly failedStations = new Set<string>();
  /** Events of stations that others wait for already. */
  readonly behind: Event[] = [];
  /** Why the webhook is to be told of nothing more. */
  gone: string | null = null;

  note(item: Item, outcome: Outcome): void {
    const { id, stationId } = item.event;
    if (outcome.kind === 'delivered') this.delivered.set(id, item);
    if (outcome.kind === 'gone') this.gone = outcome.error;
    if (outcome.kind === 'failed') {
      this.failed.set(id, { item, error: outcome.error });
      this.failedStations.add(stationId);
    }
  }

  /** Adds what came before, which could not be written down. */
  addEarlier(earlier: Outcomes): void {
    for (const [id, item] of earlier.delivered) this.delivered.set(id, item);
    for (const [id, failure] of earlier.failed) this.failed.set(id, failure);
    for (const stationId of earlier.failedStations) this.failedStations.add(stationId);
    this.behind.unshift(...earlier.behind);
    this.gone ??= earlier.gone;
  }

  /** Is no further event to be posted before it is judged what this is? */
  get isOver(): boolean {
    return this.gone !== null || (this.delivered.size === 0 && this.failedStations.size >= DOWN_STATIONS);
  }

  /**
   * Is it the receiver? Where several stations failed and none was delivered: new events then stay where they are. Where it is one, it
   * may be what it said: it stands aside, and the others go on.
   */
  get isDown(): boolean {
    return this.delivered.size === 0 && this.failedStations.size > 1;
  }
}

/** An event that has failed, with its next attempt; or dead, where it has failed for too long. */
export function failedAgain({ event, waiting }: Item, error: string, patience: Patience): Undelivered {
  const attempts = (waiting?.attempts ?? 0) + 1;
  const firstFailedAt = waiting?.firstFailedAt ?? new Date();
  const isDead = Date.now() - firstFailedAt.getTime() >= patience.giveUpMs;
  const nextAttemptInMs = isDead ? null : pause(attempts, patience.retryMs, patience.longestRetryMs);
  return { event, attempts, firstFailedAt, error, isDead, nextAttemptInMs };
}

/** Has the receiver been down for so long that the event is given up? */
export function isOverdue(failingSince: Date | null, { at }: Event, { giveUpMs }: Patience): boolean {
  const sinceMs = Math.max(failingSince?.getTime() ?? Infinity, at.getTime());
  return Date.now() - sinceMs >= giveUpMs;
}

/** An event that a receiver has not taken, as it took nothing. */
export function givenUp(
  { failures, failingSince }: Pick<LeasedWebhook, 'failures' | 'failingSince'>,
  event: Event,
): Undelivered {
  const error = 'the receiver took nothing for too long';
  return {
    event,
    attempts: failures,
    firstFailedAt: failingSince,
    error,
    isDead: true,
    nextAttemptInMs: null,
  };
}

/** An event that waits behind another of its station. */
export function inLine(event: Event): Undelivered {
  return { event, attempts: 0, firstFailedAt: null, error: null, isDead: false, nextAttemptInMs: null };
}

/** Between half and one and a half of what doubles with each failure: many that failed at a time do not come back at one. */
export function pause(failures: number, firstMs: number, longestMs: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 30)) * (0.5 + Math.random());
}
