import type { Log } from '@evander/process';

export interface UnacknowledgedResultsOptions {
  /** False when the broker is away and nothing was published. */
  publish(stationId: string, payload: string): boolean;
  /** Waits before the second, third … publication, in ms; the last one is used from there on. */
  repeatDelaysMs: readonly number[];
  /** How long a result is kept after its connection has ended. */
  keptAfterCloseMs?: number;
  /** Bytes of all results together. */
  maxBytes?: number;
  /** Called for each result that is given up. */
  onDropped(): void;
  log: Log;
}

export interface StationResult {
  stationId: string;
  connectionId: string;
  id: string;
  payload: string;
  /** The manager that sent the command acknowledges the answer; without it the answer is published once. */
  isAcknowledged: boolean;
}

interface KeptResult extends StationResult {
  bytes: number;
  publications: number;
  /** Unix time in ms. */
  keptUntilMs: number;
  timer?: NodeJS.Timeout;
}

interface KeptOfStation {
  bytes: number;
  results: Map<string, KeptResult>;
}

/** A Reset is answered, then the station closes: managers that are away meanwhile get the answer when they are back. */
const KEPT_AFTER_CLOSE_MS = 3_600_000;
const MAX_BYTES = 32 * 1024 * 1024;
const LOG_INTERVAL_MS = 1000;

/**
 * Stations' answers to commands, published again until a manager has acknowledged them. An answer is kept while its connection is
 * open, and for a time after it; beyond so many bytes the station that takes up most loses its oldest.
 */
export class UnacknowledgedResults {
  readonly #options: UnacknowledgedResultsOptions;
  readonly #stations = new Map<string, KeptOfStation>();
  #bytes = 0;
  #droppedSinceLog = 0;
  #logTimer: NodeJS.Timeout | undefined;
  #closed = false;
  #whenEmpty: (() => void) | undefined;

  constructor(options: UnacknowledgedResultsOptions) {
    this.#options = options;
  }

  add(result: StationResult): void {
    if (this.#closed) return;
    this.acknowledge(result.stationId, result.id);
    const bytes = Buffer.byteLength(result.payload);
    const kept: KeptResult = { ...result, bytes, publications: 0, keptUntilMs: Infinity };
    const station = this.#stations.get(result.stationId) ?? { bytes: 0, results: new Map() };
    this.#stations.set(result.stationId, station);
    station.results.set(result.id, kept);
    station.bytes += bytes;
    this.#bytes += bytes;
    this.#publish(kept);
    while (this.#bytes > (this.#options.maxBytes ?? MAX_BYTES)) this.#dropLargest();
  }

  /** A manager has acknowledged a result. */
  acknowledge(stationId: string, id: string): void {
    const result = this.#stations.get(stationId)?.results.get(id);
    if (result) this.#remove(result);
  }

  /** A connection has ended: its results are kept for a limited time from now on. */
  onClose(stationId: string, connectionId: string): void {
    const keptUntilMs = Date.now() + (this.#options.keptAfterCloseMs ?? KEPT_AFTER_CLOSE_MS);
    for (const result of this.#stations.get(stationId)?.results.values() ?? [])
      if (result.connectionId === connectionId) result.keptUntilMs = keptUntilMs;
  }

  /** The broker is back: what it may have lost is published again. */
  publishAgain(): void {
    for (const { results } of [...this.#stations.values()])
      for (const result of [...results.values()]) this.#publish(result);
  }

  /** Resolves when nothing is left to be acknowledged. */
  async emptied(): Promise<void> {
    if (this.#stations.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#logTimer);
    for (const { results } of this.#stations.values())
      for (const { timer } of results.values()) clearTimeout(timer);
    this.#stations.clear();
    this.#whenEmpty?.();
  }

  #publish(result: KeptResult): void {
    clearTimeout(result.timer);
    if (Date.now() >= result.keptUntilMs) {
      this.#drop(result);
      return;
    }
    // While the broker is away nothing is published, so nothing counts.
    if (this.#options.publish(result.stationId, result.payload)) {
      result.publications++;
      if (!result.isAcknowledged) {
        this.#remove(result);
        return;
      }
    }
    const { repeatDelaysMs } = this.#options;
    const delayMs = repeatDelaysMs[Math.max(0, result.publications - 1)] ?? repeatDelaysMs.at(-1) ?? 15_000;
    // Spread by a fifth, or all results of a gateway would go out in the same moment.
    result.timer = setTimeout(() => this.#publish(result), delayMs * (0.9 + Math.random() * 0.2));
  }

  #remove({ stationId, id, bytes, timer }: KeptResult): void {
    clearTimeout(timer);
    const station = this.#stations.get(stationId);
    if (!station?.results.delete(id)) return;
    station.bytes -= bytes;
    this.#bytes -= bytes;
    if (station.results.size === 0) this.#stations.delete(stationId);
    if (this.#stations.size === 0) this.#whenEmpty?.();
  }

  #dropLargest(): void {
    let largest: KeptOfStation | undefined;
    for (const station of this.#stations.values())
      if (!largest || station.bytes > largest.bytes) largest = station;
    const [oldest] = largest?.results.values() ?? [];
    if (oldest) this.#drop(oldest);
  }

  #drop(result: KeptResult): void {
    this.#remove(result);
    this.#options.onDropped();
    this.#droppedSinceLog++;
    this.#logTimer ??= setTimeout(() => {
      this.#options.log.warn(
        { dropped: this.#droppedSinceLog },
        'answers to commands were given up before a manager acknowledged them',
      );
      this.#droppedSinceLog = 0;
      this.#logTimer = undefined;
    }, LOG_INTERVAL_MS);
  }
}
