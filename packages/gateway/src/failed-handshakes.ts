/** How many failures within a window are borne: of one station at one address, and of one address in all. */
const LIMITS = { station: 10, address: 300 };
const WINDOW_MS = 60_000;
/** Keys that are remembered; an attacker with more of them is not slowed, but fills no memory either. */
const REMEMBERED = 50_000;

interface Failures {
  count: number;
  sinceMs: number;
}

/**
 * Counts handshakes that failed, so that whoever guesses is made to wait. Those that succeed count nothing, and a station that has been let
 * in is not made to wait for what others do at its address, which may be a proxy's: a storm of reconnects is not slowed.
 */
export class FailedHandshakes {
  readonly #failures = new Map<string, Failures>();
  readonly #welcome = new Map<string, true>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  /** Seconds until an attempt is heard again; 0 when it may come now. */
  secondsToWait(address: string, stationId: string): number {
    const station = keyOf(address, stationId);
    const ownWait = this.#wait(station, LIMITS.station);
    return this.#welcome.has(station) ? ownWait : Math.max(ownWait, this.#wait(address, LIMITS.address));
  }

  add(address: string, stationId: string): void {
    this.#count(address);
    if (stationId !== '') this.#count(keyOf(address, stationId));
  }

  /** A station has been let in. */
  forgive(address: string, stationId: string): void {
    const station = keyOf(address, stationId);
    this.#failures.delete(station);
    putLast(this.#welcome, station, true);
  }

  #wait(key: string, limit: number): number {
    const known = this.#failures.get(key);
    if (!known || known.count < limit) return 0;
    return Math.max(0, Math.ceil((known.sinceMs + WINDOW_MS - this.#nowMs()) / 1000));
  }

  #count(key: string): void {
    const nowMs = this.#nowMs();
    const known = this.#failures.get(key);
    const isOver = !known || known.sinceMs + WINDOW_MS <= nowMs;
    putLast(
      this.#failures,
      key,
      isOver ? { count: 1, sinceMs: nowMs } : { ...known, count: known.count + 1 },
    );
  }
}

function keyOf(address: string, stationId: string): string {
  return `${address} ${stationId}`;
}

/** The first of the map is then the one that has been quiet for longest; it goes when there are too many. */
function putLast<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= REMEMBERED) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
