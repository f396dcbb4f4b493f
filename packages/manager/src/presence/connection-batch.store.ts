import type { Database } from '../database/database.ts';
import * as reconciliations from '../desired-state/reconciliations.store.ts';
import * as connections from '../stations/connections.store.ts';
import type { ConnectionEvent } from '../stations/connections.store.ts';
import * as stations from '../stations/stations.store.ts';

/** A connection or its end, as announced by a gateway or implied by a message of the station. */
export interface ToldConnection extends ConnectionEvent {
  /** Announced by the gateway itself, which shows that the gateway is alive. */
  isAnnounced: boolean;
  /** When it was reported. */
  at: Date;
}

/**
 * Stores reported connections, at most one per station. Each step can be repeated: if one fails, or the manager crashes, a redelivery
 * or a listing repeats all of them.
 */
export async function recordConnections(database: Database, reported: ToldConnection[]): Promise<void> {
  const gatewaysOf = (isAnnounced: boolean): string[] => [
    ...new Set(reported.filter((one) => one.isAnnounced === isAnnounced).map(({ gatewayId }) => gatewayId)),
  ];
  const [announcing, implied] = [gatewaysOf(true), gatewaysOf(false)];
  if (announcing.length > 0) await connections.markAlive(database, announcing);
  if (implied.length > 0) await connections.addGateways(database, implied);
  await connections.record(database, reported);
  const connected = reported.filter(({ disconnectedAt }) => disconnectedAt === null);
  if (connected.length === 0) return;
  await stations.takeProfiles(
    database,
    connected.map(({ connection }) => connection),
  );
  const at = new Date(Math.max(...connected.map((one) => one.at.getTime())));
  await reconciliations.onConnect(
    database,
    connected.map(({ connection }) => connection.stationId),
    at,
  );
}
