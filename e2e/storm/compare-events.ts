import { isDeepStrictEqual } from 'node:util';
import type { System } from '../system.ts';
import type { EventReader, SeenEvent } from './event-reader.ts';
import type { WebhookReceiver } from './webhook-receiver.ts';

/** An event as returned by GET /events. */
export interface Event {
  id: number;
  kind: string;
  stationId: string;
  data: Record<string, unknown>;
}

const PAGE = 500;

/** All events, oldest first. */
export async function allEvents(system: System): Promise<Event[]> {
  const events: Event[] = [];
  for (;;) {
    const path = `/events?limit=${PAGE}&lastEventId=${events.at(-1)?.id ?? 0}`;
    const response = await system.request('GET', path, { headers: { accept: 'application/json' } });
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    // Not response.json(): objects of another realm are never deeply equal to local ones.
    const { items } = JSON.parse(await response.text()) as { items: Event[] };
    events.push(...items);
    if (items.length < PAGE) return events;
  }
}

/** Differences between the events and their tables, one per line. */
export async function tableDifferences(system: System, events: readonly Event[]): Promise<string[]> {
  const found: string[] = [];
  events.forEach(({ id }, index) => {
    if (id <= (events[index - 1]?.id ?? 0)) found.push(`event ${id} does not come after the one before it`);
  });
  const tables = [
    ['transaction.started', 'transactionId', 'SELECT transaction_id AS id FROM transactions'],
    [
      'transaction.stopped',
      'transactionId',
      'SELECT transaction_id AS id FROM transactions WHERE stopped_at IS NOT NULL',
    ],
    [
      'command.completed',
      'commandId',
      'SELECT command_id AS id FROM commands WHERE completed_at IS NOT NULL',
    ],
  ] as const;
  for (const [kind, field, sql] of tables) {
    const counts = new Map<string, number>();
    const replaced = new Set<string>();
    for (const event of events) {
      if (event.kind !== kind) continue;
      const id = String(event.data[field]);
      counts.set(id, (counts.get(id) ?? 0) + 1);
      if (isProvisional(event)) replaced.add(id);
    }
    for (const row of await system.rows(sql)) {
      const id = String(row.id);
      const count = counts.get(id) ?? 0;
      counts.delete(id);
      if (count !== 1 && !(count === 2 && replaced.has(id)))
        found.push(`${field} ${id} has ${count} events ${kind}`);
    }
    for (const id of counts.keys()) found.push(`${kind} names ${field} ${id}, which is not in the tables`);
  }
  return found;
}

/** Whether another event of the same kind may follow: a late answer, or the real stop of a transaction whose stop was inferred. */
function isProvisional({ kind, data: { status, flags } }: Event): boolean {
  if (kind === 'command.completed') return status === 'timedOut' || status === 'connectionLost';
  return kind === 'transaction.stopped' && Array.isArray(flags) && flags.includes('stopInferred');
}

/** The events that match a filter. */
export function eventsOf(events: readonly Event[], kinds: string | undefined): Event[] {
  const groups = kinds?.split(',');
  return events.filter(({ kind }) => !groups || groups.some((group) => fits(kind, group)));
}

/** Differences between what a reader saw on a connection and each event once, in order and without a gap; one per line. */
export function readerDifferences(reader: EventReader, events: readonly Event[]): string[] {
  const expected = eventsOf(events, reader.kind);
  const newest = expected.at(-1)?.id ?? 0;
  const found = reader.segments.flatMap(({ after, events: seen, ...segment }, index) => {
    const name = `${reader.name}, connection ${index}, after event ${after},`;
    const upTo = index === reader.segments.length - 1 ? newest : segment.upTo;
    const due = expected.filter(({ id }) => id > after && id <= upTo);
    return [...orderFaults(name, seen), ...contentFaults(name, seen, due)];
  });
  return found;
}

/** Events that a webhook receiver missed or got out of order per station, one per line. */
export function receiverDifferences({ name, posted }: WebhookReceiver, events: readonly Event[]): string[] {
  // By the first delivery of each event.
  const firsts = new Map<number, SeenEvent & { stationId: string }>();
  for (const post of posted) if (!firsts.has(post.id)) firsts.set(post.id, post);
  const byStation = new Map<string, SeenEvent[]>();
  for (const post of firsts.values())
    byStation.set(post.stationId, [...(byStation.get(post.stationId) ?? []), post]);
  const order = [...byStation].flatMap(([stationId, seen]) => orderFaults(`${name}, ${stationId},`, seen));
  return [...order, ...contentFaults(name, [...firsts.values()], events)];
}

function fits(kind: string, group: string): boolean {
  return group.endsWith('.*') ? kind.startsWith(group.slice(0, -1)) : kind === group;
}

function orderFaults(name: string, seen: readonly SeenEvent[]): string[] {
  return seen.flatMap(({ id }, index) => {
    const before = seen[index - 1]?.id ?? 0;
    return id > before ? [] : [`${name} saw event ${id} after ${before}`];
  });
}

function contentFaults(name: string, seen: readonly SeenEvent[], expected: readonly Event[]): string[] {
  const texts = new Map(seen.map(({ id, text }) => [id, text]));
  const found: string[] = [];
  for (const event of expected) {
    const text = texts.get(event.id);
    texts.delete(event.id);
    if (text === undefined)
      found.push(`${name} never saw event ${event.id} ${event.kind} ${event.stationId}`);
    else if (!isDeepStrictEqual(JSON.parse(text), event))
      found.push(`${name} saw event ${event.id} as ${text}`);
  }
  for (const id of texts.keys()) found.push(`${name} saw event ${id}, which its filter excludes`);
  return found;
}
