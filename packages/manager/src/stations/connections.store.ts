import type { Connection, Listing, WeakConnection } from '@evander/broker';
import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** A gateway that has given no sign of life for so long is taken for dead, and its stations for disconnected. */
export const GATEWAY_LEASE_SECONDS = 35;

/** SQL: is the connection `c` of gateway `g` open? For queries that join connections with gateways. */
export const IS_CONNECTED = `(c.disconnected_at IS NULL AND NOT g.is_gone
  AND g.alive_at > now() - interval '${GATEWAY_LEASE_SECONDS} seconds' AND (c.heard_until IS NULL OR c.heard_until > now()))`;

/** Stands for all gateways that announce no connections; it is always alive. */
export const UNANNOUNCED = 'unannounced';

// Written once a second at most, whatever comes: thousands of stations that come at once must not queue for the row of their gateway.
const upsertAlive = statement(
  'connections.gatewaysAlive',
  `INSERT INTO gateways (gateway_id, alive_at, is_gone)
   SELECT gateway_id, now(), false FROM unnest($1::text[]) AS told (gateway_id)
   WHERE NOT EXISTS (SELECT FROM gateways g WHERE g.gateway_id = told.gateway_id AND NOT is_gone AND alive_at > now() - interval '1 second')
   ORDER BY gateway_id ON CONFLICT (gateway_id) DO UPDATE SET alive_at = now(), is_gone = false`,
);

/** Gateways have given a sign of life. */
export async function markAlive(db: Db, gatewayIds: string[]): Promise<void> {
  await db.query(upsertAlive([gatewayIds]));
}

const upsertGone = statement(
  'connections.gatewayGone',
  `INSERT INTO gateways (gateway_id, alive_at, is_gone) VALUES ($1, now(), true)
   ON CONFLICT (gateway_id) DO UPDATE SET alive_at = now(), is_gone = true`,
);

/** A gateway has has disconnected cleanly, or the broker has in its name. */
export async function markGone(db: Db, gatewayId: string): Promise<void> {
  await db.query(upsertGone([gatewayId]));
}

const insertGateways = statement(
  'connections.addGateways',
  `INSERT INTO gateways (gateway_id, alive_at, is_gone)
   SELECT gateway_id, now(), false FROM unnest($1::text[]) AS heard (gateway_id)
   WHERE NOT EXISTS (SELECT FROM gateways g WHERE g.gateway_id = heard.gateway_id) ORDER BY gateway_id ON CONFLICT DO NOTHING`,
);

/** Messages have come through gateways. One that has has disconnected cleanly stays gone, though messages of it are still on their way. */
export async function addGateways(db: Db, gatewayIds: string[]): Promise<void> {
  await db.query(insertGateways([gatewayIds]));
}

// The newest connection wins, and what ended once stays ended, in whatever order the events come. What brings nothing new touches no
// row. Rows in one order, or two managers with the same stations would lock each other out.
const upsert = statement(
  'connections.record',
  `INSERT INTO connections AS known (station_id, connection_id, gateway_id, remote_address, connected_at, disconnected_at,
     security_profile)
   SELECT told.* FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::int[])
     AS told (station_id, connection_id, gateway_id, remote_address, connected_at, disconnected_at, security_profile)
   WHERE NOT EXISTS (SELECT FROM connections c WHERE c.station_id = told.station_id AND (c.connection_id > told.connection_id
     OR c.connection_id = told.connection_id AND (c.disconnected_at IS NOT NULL OR told.disconnected_at IS NULL)))
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
  /** When it was found closed; null for one that is open. */
  disconnectedAt: Date | null;
}

/** Keeps connections and their ends, of each station one. */
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

// A connection that a gateway has announced is the better news, as long as it is open.
const insertHeard = statement(
  'connections.hear',
  `INSERT INTO connections AS c (station_id, connection_id, gateway_id, connected_at, heard_until)
   VALUES ($1, $2, '${UNANNOUNCED}', $3, $4)
   ON CONFLICT (station_id) DO UPDATE SET connection_id = excluded.connection_id, gateway_id = excluded.gateway_id,
     remote_address = NULL, security_profile = NULL, connected_at = excluded.connected_at, disconnected_at = NULL,
     heard_until = excluded.heard_until
   WHERE NOT EXISTS (SELECT FROM gateways g WHERE g.gateway_id = c.gateway_id AND ${IS_CONNECTED})`,
);

/** A station was heard through a gateway that announces no connections: it counts as connected until a time. */
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

/** Ends the connections of stations that were heard once and are not heard any more. */
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

/** Closes what a gateway held once and no longer lists; connections outside of the listing's bounds are left alone. */
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

// Each connection is found by its station: where the statistics are older than a storm, PostgreSQL takes open ones for rare, and would
// look through all of them.
const selectWeak = statement(
  'connections.weakerThanTheirStation',
  `SELECT c.station_id AS "stationId", c.connection_id AS "connectionId", s.security_profile AS "securityProfile"
   FROM unnest($1::text[]) AS told (station_id)
     CROSS JOIN LATERAL (SELECT * FROM connections c WHERE c.station_id = told.station_id OFFSET 0) AS c
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

/** Marks gateways as gone whose lease is over, which tells of their stations as disconnected; their ids. */
export async function markDeadGateways(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ gatewayId: string }>(markDead());
  return rows.map(({ gatewayId }) => gatewayId);
}
