import type { Connection } from '@evander/broker';
import type { Db } from './db.ts';
import { statement } from './db.ts';

/** A gateway that has given no sign of life for so long is taken for dead, and its stations for disconnected. */
export const GATEWAY_LEASE_SECONDS = 35;

/** SQL: is the connection `c` of gateway `g` open? For queries that join connections with gateways. */
export const IS_CONNECTED = `(c.disconnected_at IS NULL AND NOT g.is_gone
  AND g.alive_at > now() - interval '${GATEWAY_LEASE_SECONDS} seconds')`;

const upsertGateway = statement(
  'connections.gatewayAlive',
  `INSERT INTO gateways (gateway_id, alive_at, is_gone) VALUES ($1, now(), $2)
   ON CONFLICT (gateway_id) DO UPDATE SET alive_at = now(), is_gone = excluded.is_gone`,
);

export async function markGateway(db: Db, gatewayId: string, { isGone }: { isGone: boolean }): Promise<void> {
  await db.query(upsertGateway([gatewayId, isGone]));
}

// The newest connection wins, and what ended once stays ended, in whatever order the events come. Rows in one order, or two managers
// with the same stations would lock each other out.
const upsert = statement(
  'connections.record',
  `INSERT INTO connections AS known (station_id, connection_id, gateway_id, remote_address, connected_at, disconnected_at,
     security_profile)
   SELECT station_id, connection_id, $2, remote_address, connected_at, $6, security_profile
   FROM unnest($1::text[], $3::text[], $4::text[], $5::timestamptz[], $7::int[])
     AS told (station_id, connection_id, remote_address, connected_at, security_profile)
   ORDER BY station_id ON CONFLICT (station_id) DO UPDATE SET connection_id = excluded.connection_id, gateway_id = excluded.gateway_id,
     remote_address = excluded.remote_address, security_profile = excluded.security_profile, connected_at = excluded.connected_at, disconnected_at = excluded.disconnected_at
   WHERE excluded.connection_id > known.connection_id
     OR (excluded.connection_id = known.connection_id AND known.disconnected_at IS NULL
         AND excluded.disconnected_at IS NOT NULL)`,
);

export interface ConnectionEvent {
  gatewayId: string;
  connections: Connection[];
  /** When they were found closed; null for connections that are open. */
  disconnectedAt: Date | null;
}

export async function record(
  db: Db,
  { gatewayId, connections, disconnectedAt }: ConnectionEvent,
): Promise<void> {
  await db.query(
    upsert([
      connections.map(({ stationId }) => stationId),
      gatewayId,
      connections.map(({ connectionId }) => connectionId),
      connections.map(({ remoteAddress }) => remoteAddress ?? null),
      connections.map(({ connectedAt }) => connectedAt),
      disconnectedAt,
      connections.map(({ securityProfile }) => securityProfile ?? null),
    ]),
  );
}

const closeOthers = statement(
  'connections.closeUnlisted',
  `WITH unlisted AS (SELECT station_id, connection_id FROM connections
     WHERE gateway_id = $1 AND disconnected_at IS NULL AND connection_id < $2 AND connection_id <> ALL ($3::text[])
     ORDER BY station_id FOR NO KEY UPDATE)
   UPDATE connections c SET disconnected_at = $4 FROM unlisted u
   WHERE c.station_id = u.station_id AND c.connection_id = u.connection_id`,
);

/** Closes what a gateway held once and no longer lists; connections younger than the list are left alone. */
export async function closeUnlisted(
  db: Db,
  list: { gatewayId: string; asOf: string; connections: Connection[]; at: Date },
): Promise<void> {
  const listed = list.connections.map(({ connectionId }) => connectionId);
  await db.query(closeOthers([list.gatewayId, list.asOf, listed, list.at]));
}

const selectConnected = statement(
  'connections.isConnected',
  `SELECT FROM connections c JOIN gateways g USING (gateway_id) WHERE c.station_id = $1 AND ${IS_CONNECTED}`,
);

export async function isConnected(db: Db, stationId: string): Promise<boolean> {
  const { rowCount } = await db.query(selectConnected([stationId]));
  return rowCount === 1;
}

const markDead = statement(
  'connections.markDeadGateways',
  `WITH dead AS (SELECT gateway_id FROM gateways
     WHERE NOT is_gone AND alive_at <= now() - interval '${GATEWAY_LEASE_SECONDS} seconds' ORDER BY gateway_id FOR NO KEY UPDATE)
   UPDATE gateways g SET is_gone = true FROM dead d WHERE g.gateway_id = d.gateway_id RETURNING g.gateway_id AS "gatewayId"`,
);

/** Marks gateways as gone whose lease is over, which tells of their stations as disconnected; their ids. */
export async function markDeadGateways(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ gatewayId: string }>(markDead());
  return rows.map(({ gatewayId }) => gatewayId);
}
