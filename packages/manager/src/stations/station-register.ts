import { Batch } from '../database/batch.ts';
import type { Db } from '../database/database.ts';
import * as stations from './stations.store.ts';

/** An accepted station is cached for this long, or every message would cost a query. */
const CACHE_MS = 5000;
const MAX_CACHED_STATIONS = 100_000;

/** Whether stations are accepted, with batched queries. Only `Accepted` is cached, because another manager may accept a station at any time. */
export class StationRegister {
  readonly #accepted = new Map<string, number>();
  readonly #lookups: Batch<string, boolean>;
  readonly #now: () => Date;

  constructor(db: Db, now: () => Date) {
    this.#now = now;
    this.#lookups = new Batch({
      name: 'accepted stations',
      maxRows: 500,
      write: async (stationIds) => {
        const accepted = await stations.accepted(db, stationIds);
        return stationIds.map((stationId) => accepted.has(stationId));
      },
    });
  }

  async isAccepted(stationId: string): Promise<boolean> {
    const nowMs = this.#now().getTime();
    if ((this.#accepted.get(stationId) ?? 0) > nowMs) return true;
    const [isAccepted = false] = await this.#lookups.add([stationId]);
    if (isAccepted && this.#accepted.size < MAX_CACHED_STATIONS)
      this.#accepted.set(stationId, nowMs + CACHE_MS);
    else this.#accepted.delete(stationId);
    return isAccepted;
  }

  /** Removes a station from the cache, because it was changed. */
  forget(stationId: string): void {
    this.#accepted.delete(stationId);
  }
}
