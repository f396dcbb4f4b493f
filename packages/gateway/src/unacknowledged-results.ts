import type { Log } from '@evander/process';

export interface UnacknowledgedResultsOptions {
  /** Returns false when the broker is away and nothing was published. */
  publish(stationId: string, payload: string): boolean;
  /** Delays before the second, third … publication, in ms; the last one repeats. */
  repeatDelaysMs: readonly number[];
  /** How long a result is stored after its connection has closed. */
  storedAfterCloseMs?: number;
  /** Maximum size of all results, in bytes. */
  maxBytes?: number;
  /** Called for each dropped result. */
  onDropped(): void;
  log: Log;
}

export interface StationResult {
  stationId: string;
  connectionId: string;
  id: string;
  payload: string;
  /** Whether the manager that sent the command acknowledges the answer; if not, the answer is published once. */
  isAcknowledged: boolean;
}

interface StoredResult extends StationResult {
  bytes: number;
  publications: number;
  /** Unix time in ms. */
  expiresAtMs: number;
  timer?: NodeJS.Timeout;
}

interface ResultsOfStation {
  bytes: number;
  results: Map<string, StoredResult>;
}

/** After a Reset the station answers and then disconnects: managers that are away meanwhile get the answer when they return. */
const STORED_AFTER_CLOSE_MS = 3_600_000;
const MAX_BYTES = 32 * 1024 * 1024;
const LOG_INTERVAL_MS = 1000;

/**
 * Stores stations' answers to commands and publishes them again until a manager acknowledges them. An answer is stored while its connection
 * is open and for a limited time afterwards. Above `maxBytes`, the station that uses the most memory loses its oldest answer.
 */
export class UnacknowledgedResults {
  readonly #options: UnacknowledgedResultsOptions;
  readonly #stations = new Map<string, ResultsOfStation>();
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
    const stored: StoredResult = { ...result, bytes, publications: 0, expiresAtMs: Infinity };
    const station = this.#stations.get(result.stationId) ?? { bytes: 0, results: new Map() };
    this.#stations.set(result.stationId, station);
    station.results.set(result.id, stored);
    station.bytes += bytes;
    this.#bytes += bytes;
    this.#publish(stored);
    while (this.#bytes > (this.#options.maxBytes ?? MAX_BYTES)) this.#dropLargest();
  }

  /** Removes a result that a manager has acknowledged. */
  acknowledge(stationId: string, id: string): void {
    const result = this.#stations.get(stationId)?.results.get(id);
    if (result) this.#remove(result);
  }

  /** Limits how long the results of a closed connection are stored. */
  onClose(stationId: string, connectionId: string): void {
    const expiresAtMs = Date.now() + (this.#options.storedAfterCloseMs ?? STORED_AFTER_CLOSE_MS);
    for (const result of this.#stations.get(stationId)?.results.values() ?? [])
      if (result.connectionId === connectionId) result.expiresAtMs = expiresAtMs;
  }

  /** Publishes all results again: the broker is back and may have lost them. */
  publishAgain(): void {
    for (const { results } of [...this.#stations.values()])
      for (const result of [...results.values()]) this.#publish(result);
  }

  /** Resolves when every result is acknowledged. */
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

  #publish(result: StoredResult): void {
    clearTimeout(result.timer);
    if (Date.now() >= result.expiresAtMs) {
      this.#drop(result);
      return;
    }
    // Attempts while the broker is away do not count: nothing was published.
    if (this.#options.publish(result.stationId, result.payload)) {
      result.publications++;
      if (!result.isAcknowledged) {
        this.#remove(result);
        return;
      }
    }
    const { repeatDelaysMs } = this.#options;
    const delayMs = repeatDelaysMs[Math.max(0, result.publications - 1)] ?? repeatDelaysMs.at(-1) ?? 15_000;
    // Jitter of ±10 %, or all results of a gateway would go out at the same moment.
    result.timer = setTimeout(() => this.#publish(result), delayMs * (0.9 + Math.random() * 0.2));
  }

  #remove({ stationId, id, bytes, timer }: StoredResult): void {
    clearTimeout(timer);
    const station = this.#stations.get(stationId);
    if (!station?.results.delete(id)) return;
    station.bytes -= bytes;
    this.#bytes -= bytes;
    if (station.results.size === 0) this.#stations.delete(stationId);
    if (this.#stations.size === 0) this.#whenEmpty?.();
  }

  #dropLargest(): void {
    let largest: ResultsOfStation | undefined;
    for (const station of this.#stations.values())
      if (!largest || station.bytes > largest.bytes) largest = station;
    const [oldest] = largest?.results.values() ?? [];
    if (oldest) this.#drop(oldest);
  }

  #drop(result: StoredResult): void {
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
