import type { Database } from '../database/database.ts';
import * as reconciliations from '../desired-state/reconciliations.store.ts';
import * as connections from '../stations/connections.store.ts';
import type { ConnectionEvent } from '../stations/connections.store.ts';
import * as stations from '../stations/stations.store.ts';

/** A connection or its end, as a gateway announces it or a message of the station implies it. */
export interface ToldConnection extends ConnectionEvent {
  /** By the gateway itself, which is a sign of life. */
  isAnnounced: boolean;
  /** When it was told. */
  at: Date;
}

/**
 * Keeps what was told of connections, of each station one. Each step may be done again: should one fail, or its manager die, a repeat
 * or a listing brings all of them.
 */
export async function recordConnections(database: Database, told: ToldConnection[]): Promise<void> {
  const gatewaysOf = (isAnnounced: boolean): string[] => [
    ...new Set(told.filter((one) => one.isAnnounced === isAnnounced).map(({ gatewayId }) => gatewayId)),
  ];
  const [announcing, heard] = [gatewaysOf(true), gatewaysOf(false)];
  if (announcing.length > 0) await connections.markAlive(database, announcing);
  if (heard.length > 0) await connections.addGateways(database, heard);
  await connections.record(database, told);
  const come = told.filter(({ disconnectedAt }) => disconnectedAt === null);
  if (come.length === 0) return;
  await stations.takeProfiles(
    database,
    come.map(({ connection }) => connection),
  );
  const at = new Date(Math.max(...come.map((one) => one.at.getTime())));
  await reconciliations.onConnect(
    database,
    come.map(({ connection }) => connection.stationId),
    at,
  );
}
