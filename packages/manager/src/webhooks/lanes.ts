import type { Event } from '../store/events.ts';
import type { Waiting } from '../store/webhook-deliveries.ts';
import type { Outcome } from './post.ts';

/** An event to be posted; `waiting` tells that it was tried before, or stood behind one that was. */
export interface Item {
  event: Event;
  waiting: Waiting | undefined;
}

/** What became of the items of a round, by the event's id. Those that were not tried are not among them. */
export interface Tried {
  delivered: Set<number>;
  failed: Map<number, string>;
  failedStations: Set<string>;
  /** Why the webhook is to be told of nothing more. */
  gone: string | null;
}

/** Lanes that are worked on side by side. */
const AT_ONCE = 8;
/** So many stations failed, and none had luck: the receiver is down, and need not be asked for the others. */
const ENOUGH = 8;

/** The lanes of a round: a station's events, in order. */
export function lanesOf(items: Item[]): Item[][] {
  const lanes = new Map<string, Item[]>();
  for (const item of items) {
    const { stationId } = item.event;
    const lane = lanes.get(stationId);
    if (lane) lane.push(item);
    else lanes.set(stationId, [item]);
  }
  return [...lanes.values()];
}

/** Posts the events of each lane one after the other, several lanes at a time. A lane ends with its first failure. */
export async function runLanes(
  lanes: Item[][],
  { post, mustStop }: { post(event: Event): Promise<Outcome>; mustStop(): boolean },
): Promise<Tried> {
  const tried: Tried = { delivered: new Set(), failed: new Map(), failedStations: new Set(), gone: null };
  const isOver = (): boolean =>
    mustStop() || tried.gone !== null || (tried.delivered.size === 0 && tried.failedStations.size >= ENOUGH);
  const queue = [...lanes];
  const work = async (): Promise<void> => {
    for (let lane = queue.shift(); lane; lane = queue.shift()) {
      for (const { event } of lane) {
        if (isOver()) return;
        const outcome = await post(event);
        if (!note(tried, event, outcome)) break;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, lanes.length) }, work));
  return tried;
}

/** Does the lane go on? */
function note(tried: Tried, { id, stationId }: Event, outcome: Outcome): boolean {
  if (outcome.kind === 'delivered') tried.delivered.add(id);
  if (outcome.kind === 'gone') tried.gone = outcome.error;
  if (outcome.kind === 'failed') {
    tried.failed.set(id, outcome.error);
    tried.failedStations.add(stationId);
  }
  return outcome.kind === 'delivered';
}
