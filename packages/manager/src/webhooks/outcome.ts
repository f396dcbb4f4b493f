import type { Event } from '../events/events.store.ts';
import type { Item } from './lanes.ts';
import type { Outcome } from './post.ts';
import type { Undelivered } from './webhook-deliveries.store.ts';
import type { LeasedWebhook } from './webhooks.store.ts';

/** How often and for how long a webhook retries. */
export interface RetryPolicy {
  /** The first delay after a failure; each further one is twice as long, up to a limit. */
  retryMs: number;
  maxRetryMs: number;
  /** The limit while the receiver accepts nothing: deliveries should resume soon after it recovers. */
  maxDownMs: number;
  /** An event that has failed for this long is dead. */
  giveUpMs: number;
}

/** If the events of this many stations failed and none was delivered, the receiver is down: no more are tried. */
const DOWN_STATIONS = 8;

/** Outcomes of posts that are not recorded yet. */
export class Outcomes {
  readonly delivered = new Map<number, Item>();
  readonly failed = new Map<number, { item: Item; error: string }>();
  readonly failedStations = new Set<string>();
  /** Events behind waiting ones of their station. */
  readonly behind: Event[] = [];
  /** Why the webhook must receive no more events; null if it may. */
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

  /** Adds earlier outcomes that could not be recorded. */
  addEarlier(earlier: Outcomes): void {
    for (const [id, item] of earlier.delivered) this.delivered.set(id, item);
    for (const [id, failure] of earlier.failed) this.failed.set(id, failure);
    for (const stationId of earlier.failedStations) this.failedStations.add(stationId);
    this.behind.unshift(...earlier.behind);
    this.gone ??= earlier.gone;
  }

  /** Whether to stop posting: the receiver does not want events any more, or is down. */
  get isOver(): boolean {
    return this.gone !== null || (this.delivered.size === 0 && this.failedStations.size >= DOWN_STATIONS);
  }

  /**
   * Whether the receiver is down: several stations failed and none was delivered. New events then stay unrecorded. If only one station
   * failed, its event may be the cause: that station is set aside and the others continue.
   */
  get isDown(): boolean {
    return this.delivered.size === 0 && this.failedStations.size > 1;
  }
}

/** An event that has failed, with its next attempt; dead if it has failed for too long. */
export function failedAgain({ event, waiting }: Item, error: string, policy: RetryPolicy): Undelivered {
  const attempts = (waiting?.attempts ?? 0) + 1;
  const firstFailedAt = waiting?.firstFailedAt ?? new Date();
  const isDead = Date.now() - firstFailedAt.getTime() >= policy.giveUpMs;
  const nextAttemptInMs = isDead ? null : retryDelayMs(attempts, policy.retryMs, policy.maxRetryMs);
  return { event, attempts, firstFailedAt, error, isDead, nextAttemptInMs };
}

/** Whether the receiver has been down for so long that the event is dead. */
export function isOverdue(failingSince: Date | null, { at }: Event, { giveUpMs }: RetryPolicy): boolean {
  const sinceMs = Math.max(failingSince?.getTime() ?? Infinity, at.getTime());
  return Date.now() - sinceMs >= giveUpMs;
}

/** A dead event of a receiver that accepted nothing for too long. */
export function givenUp(
  { failures, failingSince }: Pick<LeasedWebhook, 'failures' | 'failingSince'>,
  event: Event,
): Undelivered {
  const error = 'the receiver accepted nothing for too long';
  return {
    event,
    attempts: failures,
    firstFailedAt: failingSince,
    error,
    isDead: true,
    nextAttemptInMs: null,
  };
}

/** An event that waits behind another one of its station. */
export function queued(event: Event): Undelivered {
  return { event, attempts: 0, firstFailedAt: null, error: null, isDead: false, nextAttemptInMs: null };
}

/** An exponential delay, randomized by ±50 % so that events that failed together are not retried together. */
export function retryDelayMs(failures: number, firstMs: number, maxMs: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30)) * (0.5 + Math.random());
}
