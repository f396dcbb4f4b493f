import type { Envelope } from '@evander/broker';
import { ConnectionClock } from '@evander/broker';
import { isStationId } from './api/fields.ts';
import * as connections from './store/connections.ts';
import type { Db } from './store/db.ts';
import * as stations from './store/stations.ts';

export interface HeardStationsOptions {
  database: Db;
  heartbeatSeconds: number;
  unknownStations: 'accept' | 'reject';
  now(): Date;
}

/** Of stations that went long ago nothing is remembered. */
const LIMIT = 100_000;

/**
 * Stations behind a gateway that announces no connections, as MaEVe's: their envelopes name no connection. Whoever is heard counts as
 * connected until two heartbeats would have been missed, so that commands go out; whoever was let in is registered.
 */
export class HeardStations {
  readonly #options: HeardStationsOptions;
  readonly #clock = new ConnectionClock(connections.UNANNOUNCED);
  readonly #writtenMs = new Map<string, number>();

  constructor(options: HeardStationsOptions) {
    this.#options = options;
  }

  /** Takes note of a station's envelope, before it is handled. Rejects when the database is away. */
  async hear(stationId: string, envelope: Envelope): Promise<void> {
    if (envelope.connection_id !== undefined) return;
    const { database, heartbeatSeconds, unknownStations, now } = this.#options;
    const at = now();
    const leaseMs = (2 * heartbeatSeconds + 60) * 1000;
    if (at.getTime() - (this.#writtenMs.get(stationId) ?? -Infinity) < leaseMs / 10) return;
    if (unknownStations === 'accept' && isStationId(stationId))
      await stations.addUnknown(database, stationId);
    const connection = { stationId, connectionId: this.#clock.next(at.getTime()), at };
    await connections.hear(database, connection, new Date(at.getTime() + leaseMs));
    if (this.#writtenMs.size >= LIMIT) this.#writtenMs.clear();
    this.#writtenMs.set(stationId, at.getTime());
  }
}
