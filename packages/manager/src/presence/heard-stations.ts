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

/** Of stations that went long ago nothing is remembered. */
const LIMIT = 100_000;

/**
 * A message implies a connection, and is handled after it. The presence that tells of the connection may come later than its first
 * message, so that brings its connection along. Gateways that announce no connections, as MaEVe's, name none: a station that is heard
 * through one counts as connected until it would have missed two heartbeats, so that commands go out, and is registered where unknown
 * stations are let in.
 */
export class HeardStations {
  readonly #options: HeardStationsOptions;
  readonly #clock = new ConnectionClock(connections.UNANNOUNCED);
  readonly #heardMs = new Map<string, number>();

  constructor(options: HeardStationsOptions) {
    this.#options = options;
  }

  /** Takes note of a station's envelope, before it is handled. Rejects when the database is away. */
  async hear(stationId: string, envelope: Envelope): Promise<void> {
    if (envelope.connection_id === undefined) await this.#hearUnannounced(stationId);
    else if (envelope.type === 2 && envelope.connection) {
      const gatewayId = ConnectionClock.gatewayOf(envelope.connection_id);
      const connection = { ...envelope.connection, stationId, connectionId: envelope.connection_id };
      const at = this.#options.now();
      const told = { gatewayId, connection, disconnectedAt: null, isAnnounced: false, at };
      await this.#options.connections.add([told]);
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
    if (this.#heardMs.size >= LIMIT) this.#heardMs.clear();
    this.#heardMs.set(stationId, at.getTime());
  }
}
