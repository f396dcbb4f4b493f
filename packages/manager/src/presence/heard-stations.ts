import { ConnectionClock } from '@evander/broker';
import type { Envelope } from '@evander/broker';
import * as configuration from '../configuration/configuration.store.ts';
import type { Batch } from '../database/batch.ts';
import type { Db } from '../database/database.ts';
import { isStationId } from '../http/fields.ts';
import * as connections from '../stations/connections.store.ts';
import * as stations from '../stations/stations.store.ts';
import type { ToldConnection } from './connection-batch.store.ts';

export interface HeardStationsOptions {
  database: Db;
  connections: Batch<ToldConnection>;
  heartbeatSeconds: number;
  unknownStations: 'accept' | 'reject';
  now(): Date;
}

/** At this size the cache is cleared, so that it does not hold stations that left long ago. */
const MAX_CACHED_STATIONS = 100_000;

/**
 * Records the connections that messages imply, before the messages are handled. The presence message for a connection may arrive after
 * the connection's first message, so that message carries its connection too. Some gateways, such as MaEVe's, do not announce
 * connections: a station heard through one counts as connected until it would have missed two heartbeats, so that commands are sent,
 * and is registered if unknown stations are accepted.
 */
export class HeardStations {
  readonly #options: HeardStationsOptions;
  readonly #clock = new ConnectionClock(connections.UNANNOUNCED);
  readonly #heardMs = new Map<string, number>();

  constructor(options: HeardStationsOptions) {
    this.#options = options;
  }

  /** Records the connection that an envelope implies; call it before the envelope is handled. Rejects when the database is unavailable. */
  async hear(stationId: string, envelope: Envelope): Promise<void> {
    if (envelope.connection_id === undefined) await this.#hearUnannounced(stationId);
    else if (envelope.type === 2 && envelope.connection) {
      const gatewayId = ConnectionClock.gatewayOf(envelope.connection_id);
      const connection = { ...envelope.connection, stationId, connectionId: envelope.connection_id };
      const at = this.#options.now();
      const implied = { gatewayId, connection, disconnectedAt: null, isAnnounced: false, at };
      await this.#options.connections.add([implied]);
    }
  }

  async #hearUnannounced(stationId: string): Promise<void> {
    const { database, heartbeatSeconds, unknownStations, now } = this.#options;
    const at = now();
    const leaseOf = (seconds: number): number => (2 * seconds + 60) * 1000;
    if (at.getTime() - (this.#heardMs.get(stationId) ?? -Infinity) < leaseOf(heartbeatSeconds) / 10) return;
    if (unknownStations === 'accept' && isStationId(stationId))
      await stations.addUnknown(database, [stationId]);
    const connection = { stationId, connectionId: this.#clock.next(at.getTime()), at };
    const seconds =
      (await configuration.heartbeatSeconds(database, [stationId])).get(stationId) ?? heartbeatSeconds;
    await connections.hear(database, connection, new Date(at.getTime() + leaseOf(seconds)));
    if (this.#heardMs.size >= MAX_CACHED_STATIONS) this.#heardMs.clear();
    this.#heardMs.set(stationId, at.getTime());
  }
}
