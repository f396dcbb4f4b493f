import type { Connection, Listing, WeakConnection } from '@evander/broker';
import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** A gateway that has given no sign of life for this long counts as dead, and its stations as disconnected. */
export const GATEWAY_LEASE_SECONDS = 35;

/** SQL: is the connection `c` of gateway `g` open? For queries that join connections with gateways. */
export const IS_CONNECTED = `(c.disconnected_at IS NULL AND NOT g.is_gone
  AND g.alive_at > now() - interval '${GATEWAY_LEASE_SECONDS} seconds' AND (c.heard_until IS NULL OR c.heard_until > now()))`;

/** Stands for all gateways that do not announce connections; it is always alive. */
export const UNANNOUNCED = 'unannounced';

// Writes at most once a second: thousands of stations that connect together must not queue for the row of their gateway.
const upsertAlive = statement(
  'connections.gatewaysAlive',
  `INSERT INTO gateways (gateway_id, alive_at, is_gone)
   SELECT gateway_id, now(), false FROM unnest($1::text[]) AS alive (gateway_id)
   WHERE NOT EXISTS (SELECT FROM gateways g WHERE g.gateway_id = alive.gateway_id AND NOT is_gone AND alive_at > now() - interval '1 second')
   ORDER BY gateway_id ON CONFLICT (gateway_id) DO UPDATE SET alive_at = now(), is_gone = false`,
);

/** Records that gateways have given a sign of life. */
export async function markAlive(db: Db, gatewayIds: string[]): Promise<void> {
  await db.query(upsertAlive([gatewayIds]));
}

const upsertGone = statement(
  'connections.gatewayGone',
  `INSERT INTO gateways (gateway_id, alive_at, is_gone) VALUES ($1, now(), true)
   ON CONFLICT (gateway_id) DO UPDATE SET alive_at = now(), is_gone = true`,
);

/** Marks a gateway as gone: it disconnected cleanly, or the broker reported its disconnect. */
export async function markGone(db: Db, gatewayId: string): Promise<void> {
  await db.query(upsertGone([gatewayId]));
}

const insertGateways = statement(
  'connections.addGateways',
  `INSERT INTO gateways (gateway_id, alive_at, is_gone)
   SELECT gateway_id, now(), false FROM unnest($1::text[]) AS heard (gateway_id)
   WHERE NOT EXISTS (SELECT FROM gateways g WHERE g.gateway_id = heard.gateway_id) ORDER BY gateway_id ON CONFLICT DO NOTHING`,
);

/** Adds gateways through which messages arrived. A gateway that disconnected cleanly stays gone, though its messages may still arrive. */
export async function addGateways(db: Db, gatewayIds: string[]): Promise<void> {
  await db.query(insertGateways([gatewayIds]));
}

// The newest connection wins, and an ended connection stays ended, in whatever order the events arrive. An event with nothing new touches
// no row. Rows are locked in a fixed order, or two managers with the same stations could deadlock.
const upsert = statement(
  'connections.record',
  `INSERT INTO connections AS known (station_id, connection_id, gateway_id, remote_address, connected_at, disconnected_at,
     security_profile)
   SELECT events.* FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::int[])
     AS events (station_id, connection_id, gateway_id, remote_address, connected_at, disconnected_at, security_profile)
   WHERE NOT EXISTS (SELECT FROM connections c WHERE c.station_id = events.station_id AND (c.connection_id > events.connection_id
     OR c.connection_id = events.connection_id AND (c.disconnected_at IS NOT NULL OR events.disconnected_at IS NULL)))
   ORDER BY station_id ON CONFLICT (station_id) DO UPDATE SET connection_id = excluded.connection_id, gateway_id = excluded.gateway_id,
     remote_address = excluded.remote_address, security_profile = excluded.security_profile, connected_at = excluded.connected_at, disconnected_at = excluded.disconnected_at,
     heard_until = NULL
   WHERE excluded.connection_id > known.connection_id
     OR (excluded.connection_id = known.connection_id AND known.disconnected_at IS NULL
         AND excluded.disconnected_at IS NOT NULL)`,
);

export interface ConnectionEvent {
  gatewayId: string;
  connection: Connection;
  /** When the connection was found closed; null while it is open. */
  disconnectedAt: Date | null;
}

/** Stores connections and their ends, at most one per station. */
export async function record(db: Db, events: readonly ConnectionEvent[]): Promise<void> {
  await db.query(
    upsert([
      events.map(({ connection }) => connection.stationId),
      events.map(({ connection }) => connection.connectionId),
      events.map(({ gatewayId }) => gatewayId),
      events.map(({ connection }) => connection.remoteAddress ?? null),
      events.map(({ connection }) => connection.connectedAt),
      events.map(({ disconnectedAt }) => disconnectedAt),
      events.map(({ connection }) => connection.securityProfile ?? null),
    ]),
  );
}

const extendHeard = statement(
  'connections.extendHeard',
  `UPDATE connections SET heard_until = $2 WHERE station_id = $1 AND heard_until > now() AND disconnected_at IS NULL`,
);

// An open connection that a gateway announced takes precedence.
const insertHeard = statement(
  'connections.hear',
  `INSERT INTO connections AS c (station_id, connection_id, gateway_id, connected_at, heard_until)
   VALUES ($1, $2, '${UNANNOUNCED}', $3, $4)
   ON CONFLICT (station_id) DO UPDATE SET connection_id = excluded.connection_id, gateway_id = excluded.gateway_id,
     remote_address = NULL, security_profile = NULL, connected_at = excluded.connected_at, disconnected_at = NULL,
     heard_until = excluded.heard_until
   WHERE NOT EXISTS (SELECT FROM gateways g WHERE g.gateway_id = c.gateway_id AND ${IS_CONNECTED})`,
);

/** Records that a station was heard through a gateway that announces no connections: it counts as connected until `until`. */
export async function hear(
  db: Db,
  { stationId, connectionId, at }: { stationId: string; connectionId: string; at: Date },
  until: Date,
): Promise<void> {
  const { rowCount } = await db.query(extendHeard([stationId, until]));
  if (rowCount === 0) await db.query(insertHeard([stationId, connectionId, at, until]));
}

const endSilent = statement(
  'connections.endSilent',
  'UPDATE connections SET disconnected_at = heard_until WHERE heard_until <= now() AND disconnected_at IS NULL',
);

/** Ends unannounced connections of stations that are no longer heard. */
export async function endSilentConnections(db: Db): Promise<void> {
  await db.query(endSilent());
}

const closeOthers = statement(
  'connections.closeUnlisted',
  `WITH unlisted AS (SELECT station_id, connection_id FROM connections
     WHERE gateway_id = $1 AND disconnected_at IS NULL AND connection_id > $2 AND connection_id <= $3 AND connection_id <> ALL ($4::text[])
     ORDER BY station_id FOR NO KEY UPDATE)
   UPDATE connections c SET disconnected_at = $5 FROM unlisted u
   WHERE c.station_id = u.station_id AND c.connection_id = u.connection_id`,
);

/** Closes connections that a gateway no longer lists; connections outside the listing's bounds are not changed. */
export async function closeUnlisted(db: Db, gatewayId: string, listing: Listing, at: Date): Promise<void> {
  const { after, upTo, connections } = listing;
  const listed = connections.map(({ connectionId }) => connectionId);
  await db.query(closeOthers([gatewayId, after, upTo, listed, at]));
}

const selectConnected = statement(
  'connections.isConnected',
  `SELECT FROM connections c JOIN gateways g USING (gateway_id) WHERE c.station_id = $1 AND ${IS_CONNECTED}`,
);

export async function isConnected(db: Db, stationId: string): Promise<boolean> {
  const { rowCount } = await db.query(selectConnected([stationId]));
  return rowCount === 1;
}

// Looks up each connection by its station: while the statistics predate a reconnect storm, PostgreSQL assumes that open connections are rare
// and would scan all of them.
const selectWeak = statement(
  'connections.weakerThanTheirStation',
  `SELECT c.station_id AS "stationId", c.connection_id AS "connectionId", s.security_profile AS "securityProfile"
   FROM unnest($1::text[]) AS given (station_id)
     CROSS JOIN LATERAL (SELECT * FROM connections c WHERE c.station_id = given.station_id OFFSET 0) AS c
     JOIN stations s ON s.station_id = c.station_id
   WHERE c.disconnected_at IS NULL AND c.security_profile < s.security_profile`,
);

/** The connections of these stations that were accepted before their security profile was raised. */
export async function weakerThanTheirStation(db: Db, stationIds: string[]): Promise<WeakConnection[]> {
  const { rows } = await db.query<WeakConnection>(selectWeak([stationIds]));
  return rows;
}

const markDead = statement(
  'connections.markDeadGateways',
  `WITH dead AS (SELECT gateway_id FROM gateways
     WHERE NOT is_gone AND alive_at <= now() - interval '${GATEWAY_LEASE_SECONDS} seconds' ORDER BY gateway_id FOR NO KEY UPDATE)
   UPDATE gateways g SET is_gone = true FROM dead d WHERE g.gateway_id = d.gateway_id RETURNING g.gateway_id AS "gatewayId"`,
);

/** Marks gateways whose lease has expired as gone, which makes their stations count as disconnected. Returns their ids. */
export async function markDeadGateways(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ gatewayId: string }>(markDead());
  return rows.map(({ gatewayId }) => gatewayId);
}
