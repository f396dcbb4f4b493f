-- Up Migration

-- What a station was asked to upload or to install: it goes on long after the command was answered.
CREATE TABLE station_jobs (
  job_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  station_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('diagnostics', 'log', 'firmware', 'signedFirmware')),
  command_id uuid NOT NULL UNIQUE,
  -- Null for the kinds that OCPP gives none.
  request_id integer,
  log_type text,
  -- Without its password.
  location text NOT NULL,
  file_name text,
  outcome text NOT NULL DEFAULT 'requested'
    CHECK (outcome IN ('requested', 'running', 'succeeded', 'failed', 'cancelled', 'nothingToDo')),
  -- Why it failed or was cancelled.
  reason text,
  -- What the station said of it last.
  status text,
  status_at timestamptz,
  requested_at timestamptz NOT NULL,
  accepted_at timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  firmware_version_before text,
  firmware_version_after text
);
CREATE INDEX station_jobs_by_station ON station_jobs (station_id, kind, job_id);
CREATE INDEX station_jobs_by_request ON station_jobs (station_id, request_id) WHERE request_id IS NOT NULL;

-- Every status that stations have told of jobs, also of those that nobody asked for.
CREATE TABLE status_notifications (
  station_id text NOT NULL,
  kind text NOT NULL,
  received_at timestamptz NOT NULL,
  message_id text NOT NULL,
  status text NOT NULL,
  -- As the station sent it.
  request_id bigint,
  job_id bigint,
  -- A repeat of an envelope has its time of receipt and its message id.
  PRIMARY KEY (station_id, kind, received_at, message_id)
);
CREATE INDEX status_notifications_by_job ON status_notifications (job_id, received_at) WHERE job_id IS NOT NULL;

-- In one piece: they are few, and the times of a station whose clock is wrong would stand in the way of later partitions.
CREATE TABLE security_events (
  station_id text NOT NULL,
  type text NOT NULL,
  occurred_at timestamptz NOT NULL,
  is_critical boolean NOT NULL,
  tech_info text,
  received_at timestamptz NOT NULL,
  -- Stations queue and repeat them (SecEvent.1).
  PRIMARY KEY (station_id, type, occurred_at)
);
CREATE INDEX security_events_by_time ON security_events (occurred_at, station_id, type);

CREATE TABLE certificate_requests (
  certificate_request_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  station_id text NOT NULL,
  message_id text NOT NULL,
  csr text NOT NULL,
  state text NOT NULL
    CHECK (state IN ('requested', 'rejected', 'signed', 'installed', 'refused', 'superseded')),
  -- Why it was rejected or refused, or why its certificate did not reach the station.
  reason text,
  -- The CertificateSigned that answers it.
  command_id uuid,
  certificate_chain text,
  requested_at timestamptz NOT NULL,
  signed_at timestamptz,
  completed_at timestamptz,
  UNIQUE (station_id, requested_at, message_id)
);
CREATE INDEX certificate_requests_by_station ON certificate_requests (station_id, certificate_request_id);
CREATE INDEX certificate_requests_by_command ON certificate_requests (command_id) WHERE command_id IS NOT NULL;

-- What a station said that it has, and what it accepted from us. Serial numbers and hashes are CiStrings.
CREATE TABLE installed_certificates (
  certificate_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  station_id text NOT NULL,
  certificate_type text NOT NULL,
  -- Lower case, without leading zeros.
  serial_key text NOT NULL,
  serial_number text NOT NULL,
  -- Null until the station has told of it.
  hash_algorithm text,
  issuer_name_hash text,
  issuer_key_hash text,
  -- Null when it was not us who sent it.
  pem text,
  subject text,
  issuer text,
  valid_from timestamptz,
  valid_to timestamptz,
  installed_at timestamptz,
  reported_at timestamptz
);
CREATE UNIQUE INDEX installed_certificates_once ON installed_certificates (station_id, certificate_type, serial_key,
  coalesce(hash_algorithm, ''), coalesce(lower(issuer_name_hash), ''), coalesce(lower(issuer_key_hash), ''),
  (CASE WHEN hash_algorithm IS NULL THEN md5(pem) ELSE '' END));

CREATE TABLE reservations (
  reservation_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  station_id text NOT NULL,
  reservation_id integer NOT NULL,
  command_id uuid NOT NULL UNIQUE,
  connector_id integer NOT NULL,
  id_tag text NOT NULL,
  id_tag_key text NOT NULL,
  parent_id_tag text,
  expiry_date timestamptz NOT NULL,
  state text NOT NULL DEFAULT 'requested' CHECK (state IN
    ('requested', 'active', 'refused', 'used', 'cancelled', 'expired', 'lost', 'replaced', 'ended')),
  -- Why it was refused or lost.
  reason text,
  transaction_id integer,
  requested_at timestamptz NOT NULL,
  accepted_at timestamptz,
  -- When its connector said Reserved, by the station's clock.
  reserved_at timestamptz,
  ended_at timestamptz
);
CREATE INDEX reservations_by_station ON reservations (station_id, reservation_key);
CREATE INDEX reservations_by_id ON reservations (station_id, reservation_id);
CREATE INDEX reservations_live ON reservations (station_id) WHERE state IN ('requested', 'active');
