import { decodeObject } from './payload.ts';

/** A station's open socket as its gateway announces it. */
export interface Connection {
  stationId: string;
  /** The newer of two connections of a station has the id that sorts later (see `ConnectionClock`). */
  connectionId: string;
  remoteAddress?: string;
  connectedAt: string;
  /** The security profile that its handshake meets. */
  securityProfile?: number;
}

/** A rejected handshake. */
export interface Rejection {
  stationId: string;
  status: number;
  reason: string;
  remoteAddress?: string;
  at: string;
}

/** A frame that is not OCPP-J. The gateway answered or dropped it; this is for the record. */
export interface UnreadableFrame {
  stationId: string;
  connectionId: string;
  receivedAt: string;
  text: string;
  reason: string;
  answer?: string;
}

/** All connections of a gateway with ids above `after`, up to and including `upTo`. */
export interface Listing {
  kind: 'listing';
  after: string;
  upTo: string;
  connections: Connection[];
}

/**
 * Messages on a gateway's presence topic. Its listings together cover all its connections, so that a manager that missed an event catches
 * up. Each listing is complete in itself because each may reach a different manager. `alive` renews the gateway's lease; `gone` is its last
 * will.
 */
export type Presence =
  | { kind: 'connected'; connections: Connection[] }
  | { kind: 'disconnected'; connections: Connection[] }
  | Listing
  | { kind: 'rejected'; handshakes: Rejection[] }
  | { kind: 'unreadable'; frames: UnreadableFrame[] }
  | { kind: 'alive' }
  | { kind: 'gone' };

/** A connection that managers want closed, because it does not meet the station's current security profile. */
export interface WeakConnection {
  stationId: string;
  connectionId: string;
  /** The profile that the station requires. */
  securityProfile: number;
}

/** Encodes a request to all gateways to close connections. On the same topic an empty payload requests listings. */
export function encodeCloseRequest(weak: WeakConnection[]): string {
  return JSON.stringify({ weak });
}

/** The connections to close; undefined when the payload requests none. */
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

/** The presence in an MQTT payload; undefined when it is invalid. */
export function decodePresence(payload: Buffer | string): Presence | undefined {
  const value = decodeObject(payload);
  const kind = value?.kind;
  if (kind === 'alive' || kind === 'gone') return { kind };
  if (typeof kind !== 'string' || !Object.hasOwn(LISTS, kind)) return undefined;
  const list = value?.[LISTS[kind as keyof typeof LISTS]];
  if (!Array.isArray(list) || !list.every(hasStationId)) return undefined;
  const connections = list as Connection[];
  // Gateways of the previous version list all their connections in one message.
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

/** A larger packet delays those behind it, and brokers reject packets above their limit. */
const LISTING_BYTES = 200_000;

/** Lists all connections of a gateway, in listings of one packet each. `asOf` must be above all their ids. */
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
 * Issues connection ids that sort by age across all gateways. Each gateway observes every connection and never issues an id below one it
 * has observed, so clock differences cannot make an old connection look newer.
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

  /** The gateway that issued an id. */
  static gatewayOf(connectionId: string): string {
    return connectionId.slice(10);
  }

  /** Observes an id that another gateway issued. */
  observe(connectionId: string): void {
    const ms = parseInt(connectionId.slice(0, 9), 36);
    if (Number.isFinite(ms)) this.#lastMs = Math.max(this.#lastMs, ms);
  }
}
