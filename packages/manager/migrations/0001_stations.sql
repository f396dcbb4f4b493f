-- Up Migration

CREATE TABLE stations (
  station_id text PRIMARY KEY,
  security_profile smallint NOT NULL DEFAULT 0 CHECK (security_profile BETWEEN 0 AND 3),
  password_hashes text[] NOT NULL DEFAULT '{}',
  -- What the next BootNotification is answered, and what the last one was.
  boot_answer text NOT NULL DEFAULT 'Accepted' CHECK (boot_answer IN ('Accepted', 'Pending', 'Rejected')),
  registration_status text CHECK (registration_status IN ('Accepted', 'Pending', 'Rejected')),
  booted_at timestamptz,
  vendor text,
  model text,
  charge_point_serial_number text,
  charge_box_serial_number text,
  firmware_version text,
  iccid text,
  imsi text,
  meter_type text,
  meter_serial_number text,
  last_seen_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE gateways (
  gateway_id text PRIMARY KEY,
  alive_at timestamptz NOT NULL,
  is_gone boolean NOT NULL DEFAULT false
);

-- The newest connection of each station; ids of later connections sort after those of earlier ones.
CREATE TABLE connections (
  station_id text PRIMARY KEY,
  connection_id text COLLATE "C" NOT NULL,
  gateway_id text NOT NULL,
  remote_address text,
  connected_at timestamptz NOT NULL,
  disconnected_at timestamptz
);
CREATE INDEX connections_by_gateway ON connections (gateway_id) WHERE disconnected_at IS NULL;

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

CREATE TABLE connectors (
  station_id text NOT NULL,
  connector_id integer NOT NULL,
  status text NOT NULL,
  error_code text NOT NULL,
  info text,
  vendor_id text,
  vendor_error_code text,
  status_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (station_id, connector_id)
);

CREATE TABLE connector_statuses (
  station_id text NOT NULL,
  connector_id integer NOT NULL,
  status text NOT NULL,
  error_code text NOT NULL,
  info text,
  vendor_id text,
  vendor_error_code text,
  status_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  -- A repeated message has one effect.
  PRIMARY KEY (station_id, connector_id, status_at, status, error_code)
) PARTITION BY RANGE (status_at);

CREATE TABLE api_keys (
  key_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL,
  role text NOT NULL CHECK (role IN ('admin', 'operator', 'viewer')),
  key_hash text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now()
);
