-- Up Migration

CREATE TABLE gateways (
  gateway_id text PRIMARY KEY,
  alive_at timestamptz NOT NULL,
  is_gone boolean NOT NULL DEFAULT false
);
-- Gateways of other implementations do not announce themselves; their stations' connections belong to this one.
INSERT INTO gateways (gateway_id, alive_at, is_gone) VALUES ('unannounced', 'infinity', false);

-- The latest connection of each station. Ids of later connections sort after those of earlier ones.
CREATE TABLE connections (
  station_id text PRIMARY KEY,
  connection_id text COLLATE "C" NOT NULL,
  gateway_id text NOT NULL,
  remote_address text,
  -- The security profile that the handshake met.
  security_profile smallint,
  connected_at timestamptz NOT NULL,
  -- At an unannounced gateway: the station counts as connected until then, extended by each message.
  heard_until timestamptz,
  disconnected_at timestamptz
);
CREATE INDEX connections_by_gateway ON connections (gateway_id) WHERE disconnected_at IS NULL;
CREATE INDEX connections_heard ON connections (heard_until) WHERE heard_until IS NOT NULL AND disconnected_at IS NULL;

-- Rejected handshakes that named a station, counted by reason.
CREATE TABLE rejected_handshakes (
  station_id text NOT NULL,
  reason text NOT NULL,
  status smallint NOT NULL,
  remote_address text,
  count bigint NOT NULL DEFAULT 1,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (station_id, reason)
);
CREATE INDEX rejected_handshakes_by_age ON rejected_handshakes (last_at);

-- Connections rejected before they named a station: only their address identifies them.
CREATE TABLE rejected_connections (
  remote_address text NOT NULL,
  reason text NOT NULL,
  status smallint NOT NULL,
  count bigint NOT NULL DEFAULT 1,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (remote_address, reason)
);
CREATE INDEX rejected_connections_by_age ON rejected_connections (last_at, remote_address, reason);
