import { decodeObject } from './payload.ts';

/** A station's open socket as its gateway announces it. */
export interface Connection {
  stationId: string;
  /** Of two connections of one station the one whose id sorts later is the newer (see `ConnectionClock`). */
  connectionId: string;
  remoteAddress?: string;
  connectedAt: string;
  /** The security profile that its handshake has met. */
  securityProfile?: number;
}

/** A handshake that was refused. */
export interface Rejection {
  stationId: string;
  status: number;
  reason: string;
  remoteAddress?: string;
  at: string;
}

/** A frame that is no OCPP-J, answered or dropped by the gateway itself; told for the record. */
export interface UnreadableFrame {
  stationId: string;
  connectionId: string;
  receivedAt: string;
  text: string;
  reason: string;
  answer?: string;
}

/** All connections of a gateway whose ids are above `after` and not above `upTo`. */
export interface Listing {
  kind: 'listing';
  after: string;
  upTo: string;
  connections: Connection[];
}

/**
 * What a gateway tells on its presence topic. Listings together cover every connection that it holds, so that whoever missed an event
 * comes right again; each stands for itself, as each may reach another manager. `alive` renews its lease; `gone` is its last will.
 */
export type Presence =
  | { kind: 'connected'; connections: Connection[] }
  | { kind: 'disconnected'; connections: Connection[] }
  | Listing
  | { kind: 'rejected'; handshakes: Rejection[] }
  | { kind: 'unreadable'; frames: UnreadableFrame[] }
  | { kind: 'alive' }
  | { kind: 'gone' };

/** A connection that managers want closed: it does not meet the security profile that its station has now. */
export interface WeakConnection {
  stationId: string;
  connectionId: string;
  /** The station's. */
  securityProfile: number;
}

/** What a manager asks all gateways to close; on the same topic an empty payload asks them to list their connections. */
export function encodeCloseRequest(weak: WeakConnection[]): string {
  return JSON.stringify({ weak });
}

/** The connections that are to be closed, or undefined when the payload asks for none. */
export function decodeCloseRequest(payload: Buffer | string): WeakConnection[] | undefined {
  const weak = decodeObject(payload)?.weak;
  return Array.isArray(weak) && weak.every(hasStationId) ? (weak as WeakConnection[]) : undefined;
}

const LISTS = {
  connected: 'connections',
  disconnected: 'connections',
  listing: 'connections',
  all: 'connections',
  rejected: 'handshakes',
  unreadable: 'frames',
} as const;

export function encodePresence(presence: Presence): string {
  return JSON.stringify(presence);
}

/** The presence in an MQTT payload, or undefined when it is none. */
export function decodePresence(payload: Buffer | string): Presence | undefined {
  const value = decodeObject(payload);
  const kind = value?.kind;
  if (kind === 'alive' || kind === 'gone') return { kind };
  if (typeof kind !== 'string' || !Object.hasOwn(LISTS, kind)) return undefined;
  const list = value?.[LISTS[kind as keyof typeof LISTS]];
  if (!Array.isArray(list) || !list.every(hasStationId)) return undefined;
  const connections = list as Connection[];
  // Gateways of the version before list all their connections at once.
  if (kind === 'all') return readListing({ after: '', upTo: value?.asOf, connections });
  if (kind === 'listing') return readListing({ ...value, connections });
  return value as unknown as Presence;
}

function readListing(value: {
  after?: unknown;
  upTo?: unknown;
  connections: Connection[];
}): Listing | undefined {
  const { after, upTo, connections } = value;
  if (typeof after !== 'string' || typeof upTo !== 'string') return undefined;
  return { kind: 'listing', after, upTo, connections };
}

/** A bigger packet holds up what comes behind it, and brokers refuse what is above their limit. */
const LISTING_BYTES = 200_000;

/** Lists all connections of a gateway as of an id that is above all of theirs, in listings that one packet can hold each. */
export function listingsOf(connections: readonly Connection[], asOf: string): Listing[] {
  const sorted = [...connections].sort((a, b) => (a.connectionId < b.connectionId ? -1 : 1));
  let listing: Listing = { kind: 'listing', after: '', upTo: asOf, connections: [] };
  const listings = [listing];
  let bytes = 0;
  for (const connection of sorted) {
    const size = Buffer.byteLength(JSON.stringify(connection)) + 1;
    const last = listing.connections.at(-1);
    if (last && bytes + size > LISTING_BYTES) {
      listing.upTo = last.connectionId;
      listing = { kind: 'listing', after: listing.upTo, upTo: asOf, connections: [] };
      listings.push(listing);
      bytes = 0;
    }
    listing.connections.push(connection);
    bytes += size;
  }
  return listings;
}

function hasStationId(entry: unknown): boolean {
  return typeof (entry as { stationId?: unknown } | null)?.stationId === 'string';
}

/**
 * Ids of connections that sort by age over all gateways: each gateway hears of every connection and never
 * issues an id below one it has heard of, so clocks that differ cannot make an old connection look newer.
 */
export class ConnectionClock {
  #lastMs = 0;
  readonly #gateway: string;

  constructor(gateway: string) {
    this.#gateway = gateway;
  }

  next(nowMs = Date.now()): string {
    this.#lastMs = Math.max(nowMs, this.#lastMs + 1);
    return `${this.#lastMs.toString(36).padStart(9, '0')}-${this.#gateway}`;
  }

  /** The gateway that has issued an id. */
  static gatewayOf(connectionId: string): string {
    return connectionId.slice(10);
  }

  /** Takes note of an id that another gateway has issued. */
  observe(connectionId: string): void {
    const ms = parseInt(connectionId.slice(0, 9), 36);
    if (Number.isFinite(ms)) this.#lastMs = Math.max(this.#lastMs, ms);
  }
}
