import type { Db } from './store/db.ts';
import * as stations from './store/stations.ts';

/** An accepted station is believed to be so for this long, or every message would cost a query. */
const TRUST_MS = 5000;
const LIMIT = 100_000;

/** Whether stations are accepted. Only `Accepted` is remembered: another manager may accept one at any moment. */
export class StationRegister {
  readonly #accepted = new Map<string, number>();
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  async isAccepted(db: Db, stationId: string): Promise<boolean> {
    const nowMs = this.#now().getTime();
    if ((this.#accepted.get(stationId) ?? 0) > nowMs) return true;
    const station = await stations.find(db, stationId);
    const isAccepted = station?.registrationStatus === 'Accepted';
    if (isAccepted && this.#accepted.size < LIMIT) this.#accepted.set(stationId, nowMs + TRUST_MS);
    else this.#accepted.delete(stationId);
    return isAccepted;
  }

  /** Forgets what was believed of a station: it has been changed. */
  forget(stationId: string): void {
    this.#accepted.delete(stationId);
  }
}
