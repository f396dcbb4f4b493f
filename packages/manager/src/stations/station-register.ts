import { Batch } from '../database/batch.ts';
import type { Db } from '../database/database.ts';
import * as stations from './stations.store.ts';

/** An accepted station is believed to be so for this long, or every message would cost a query. */
const TRUST_MS = 5000;
const LIMIT = 100_000;

/** Whether stations are accepted, asked for many at once when many come. Only `Accepted` is remembered: another manager may accept one at any moment. */
export class StationRegister {
  readonly #accepted = new Map<string, number>();
  readonly #asked: Batch<string, boolean>;
  readonly #now: () => Date;

  constructor(db: Db, now: () => Date) {
    this.#now = now;
    this.#asked = new Batch({
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
    const [isAccepted = false] = await this.#asked.add([stationId]);
    if (isAccepted && this.#accepted.size < LIMIT) this.#accepted.set(stationId, nowMs + TRUST_MS);
    else this.#accepted.delete(stationId);
    return isAccepted;
  }

  /** Forgets what was believed of a station: it has been changed. */
  forget(stationId: string): void {
    this.#accepted.delete(stationId);
  }
}
