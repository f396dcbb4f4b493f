-- Up Migration

CREATE TABLE stations (
  station_id text PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz,

  -- How the station authenticates.
  security_profile smallint NOT NULL DEFAULT 0 CHECK (security_profile BETWEEN 0 AND 3),
  -- The target of an upgrade. It replaces security_profile at the first connection that meets it.
  pending_security_profile smallint CHECK (pending_security_profile BETWEEN 1 AND 3),
  -- The Basic user name of a station that does not send its station id as OCPP-J requires; null: the station id.
  user_name text,
  password_hashes text[] NOT NULL DEFAULT '{}',
  -- Serial numbers that the station's certificate may carry as its common name instead of the station id.
  serial_numbers text[] NOT NULL DEFAULT '{}',
  -- SHA-256 of the certificate that the station presented last.
  certificate_fingerprint text,
  -- The protocol assumed when the station offers no subprotocol in its handshake; null: such a handshake is rejected.
  assumed_subprotocol text CHECK (assumed_subprotocol IN ('ocpp1.6')),

  -- The status for the next BootNotification, and the status that the last one got.
  boot_answer text NOT NULL DEFAULT 'Accepted' CHECK (boot_answer IN ('Accepted', 'Pending', 'Rejected')),
  registration_status text CHECK (registration_status IN ('Accepted', 'Pending', 'Rejected')),
  booted_at timestamptz,
  -- Set when the station accepts a reset, cleared by its next BootNotification.
  reset_pending_since timestamptz,
  vendor text,
  model text,
  charge_point_serial_number text,
  charge_box_serial_number text,
  firmware_version text,
  iccid text,
  imsi text,
  meter_type text,
  meter_serial_number text,

  -- When the last answered GetConfiguration for all keys was sent.
  configuration_read_at timestamptz,
  -- When the reconciler last asked for all keys, whether or not the station answered.
  configuration_asked_at timestamptz,
  -- May desired values that need a reboot reset the station?
  configuration_reset text CHECK (configuration_reset IN ('never', 'whenIdle')),
  -- The Plug & Charge dialect that the station used last. Our calls to it use the same.
  pnc_dialect text CHECK (pnc_dialect IN ('oca', 'has2be'))
);
-- Groups select stations by prefix; the collation "C" keeps the stations of a prefix together.
CREATE INDEX stations_by_prefix ON stations ((station_id COLLATE "C"));
CREATE INDEX stations_by_certificate ON stations (certificate_fingerprint) WHERE certificate_fingerprint IS NOT NULL;
-- Each handshake with a client certificate looks for a station with the name in it.
CREATE INDEX stations_serial_numbers ON stations USING gin (serial_numbers);

-- New AuthorizationKeys being sent to stations. Both passwords are valid until it is certain which one the station uses.
CREATE TABLE password_changes (
  command_id uuid PRIMARY KEY,
  sequence bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  station_id text NOT NULL,
  password_hashes text[] NOT NULL,
  -- When the change was sent that the station answered with RebootRequired: the password takes effect at the next boot.
  awaits_boot_since timestamptz
);
CREATE INDEX password_changes_by_station ON password_changes (station_id, sequence);

-- Groups share a desired state. A member is named in station_ids, or fits all of vendor, model and prefix that are set.
CREATE TABLE station_groups (
  name text PRIMARY KEY,
  -- If groups of a station disagree, the lowest rank applies; among equal ranks, the first name.
  rank integer NOT NULL DEFAULT 100,
  station_ids text[] NOT NULL DEFAULT '{}',
  vendor text,
  model text,
  prefix text,
  configuration_reset text CHECK (configuration_reset IN ('never', 'whenIdle')),
  updated_at timestamptz NOT NULL
);

CREATE VIEW station_group_members AS
  SELECT g.name, g.rank, s.station_id
  FROM station_groups g
  JOIN stations s ON s.station_id = ANY (g.station_ids)
    OR (coalesce(g.vendor, g.model, g.prefix) IS NOT NULL
      AND (g.vendor IS NULL OR s.vendor = g.vendor)
      AND (g.model IS NULL OR s.model = g.model)
      AND (g.prefix IS NULL OR starts_with(s.station_id, g.prefix)));

-- The latest status of each connector.
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

-- The history of connector statuses.
CREATE TABLE connector_statuses (
  station_id text NOT NULL,
  connector_id integer NOT NULL,
  status text NOT NULL,
  error_code text NOT NULL,
  info text,
  vendor_id text,
  vendor_error_code text,
  status_at timestamptz NOT NULL,
  -- The timestamp as sent, if it is in the future or not a date. status_at is then the time of receipt, which differs in each repeat:
  -- repeats are found by this column instead.
  station_time text,
  received_at timestamptz NOT NULL,
  -- Distinguishes two different faults that have the same timestamp.
  digest uuid GENERATED ALWAYS AS (md5(
    status || E'\x1f' || error_code || E'\x1f' || coalesce(info, E'\x1e') || E'\x1f' || coalesce(vendor_id, E'\x1e') || E'\x1f'
    || coalesce(vendor_error_code, E'\x1e'))::uuid) STORED,
  -- A message that the station repeats is stored once.
  PRIMARY KEY (station_id, connector_id, status_at, digest)
) PARTITION BY RANGE (status_at);
CREATE INDEX connector_statuses_by_station_time ON connector_statuses (station_id, connector_id, station_time)
  WHERE station_time IS NOT NULL;
CREATE TABLE connector_statuses_other PARTITION OF connector_statuses DEFAULT;

-- The last ChangeAvailability for each connector, and the station's answer. The result shows in the connector's status.
CREATE TABLE availabilities (
  station_id text NOT NULL,
  connector_id integer NOT NULL,
  requested text NOT NULL CHECK (requested IN ('Operative', 'Inoperative')),
  answer text NOT NULL,
  requested_at timestamptz NOT NULL,
  PRIMARY KEY (station_id, connector_id)
);

-- Not partitioned: there are few, and timestamps from a wrong clock would get in the way of later partitions.
CREATE TABLE security_events (
  station_id text NOT NULL,
  type text NOT NULL,
  occurred_at timestamptz NOT NULL,
  is_critical boolean NOT NULL,
  tech_info text,
  received_at timestamptz NOT NULL,
  -- Stations queue and repeat security events. The order of the columns is the order of a station's list.
  PRIMARY KEY (station_id, occurred_at, type)
);
CREATE INDEX security_events_by_time ON security_events (occurred_at, station_id, type);
CREATE INDEX security_events_by_type ON security_events (lower(type), occurred_at);
CREATE INDEX security_events_critical ON security_events (is_critical, occurred_at);
-- For retention.
CREATE INDEX security_events_by_receipt ON security_events (received_at);
