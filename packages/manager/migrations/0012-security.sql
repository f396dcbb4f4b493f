-- Up Migration

-- The profile that an upgrade leads to: it counts from the first connection that meets it, and the registered one until then.
ALTER TABLE stations ADD COLUMN pending_security_profile smallint CHECK (pending_security_profile BETWEEN 1 AND 3);
-- Serial numbers that a station's certificate may carry as its common name, beside the station's id (ocppj.md TLS.10).
ALTER TABLE stations ADD COLUMN serial_numbers text[] NOT NULL DEFAULT '{}';
-- SHA-256 of the certificate that it showed last.
ALTER TABLE stations ADD COLUMN certificate_fingerprint text;
CREATE INDEX stations_by_certificate ON stations (certificate_fingerprint) WHERE certificate_fingerprint IS NOT NULL;

-- What the handshake of the connection has met.
ALTER TABLE connections ADD COLUMN security_profile smallint;

-- Our own certificate authority. Its key is sealed with EVANDER_SECRET.
CREATE TABLE authorities (
  name text PRIMARY KEY,
  chain text NOT NULL,
  sealed_key bytea NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE issued_certificates (
  serial_number text PRIMARY KEY,
  authority text NOT NULL,
  usage text NOT NULL CHECK (usage IN ('station', 'server', 'v2g')),
  station_id text,
  subject text NOT NULL,
  fingerprint text NOT NULL UNIQUE,
  certificate text NOT NULL,
  valid_from timestamptz NOT NULL,
  valid_to timestamptz NOT NULL,
  issued_at timestamptz NOT NULL,
  revoked_at timestamptz,
  revocation_reason text
);
CREATE INDEX issued_certificates_by_station ON issued_certificates (station_id, valid_to) WHERE station_id IS NOT NULL;
CREATE INDEX issued_certificates_revoked ON issued_certificates (revoked_at) WHERE revoked_at IS NOT NULL;

-- Roots beside our own whose certificates stations may show: an operator's own authority, manufacturers.
CREATE TABLE trusted_roots (
  fingerprint text PRIMARY KEY,
  certificate text NOT NULL,
  subject text NOT NULL,
  -- Whose certificates count: the O of their subject (ocppj.md TLS.9).
  organisations text[] NOT NULL,
  -- Where revocation is looked up: the authority's own address, a certificate list that was given, or nowhere.
  crl bytea,
  valid_to timestamptz NOT NULL,
  created_at timestamptz NOT NULL
);

-- A station asks for a certificate: who has looked at it, and when it is to be looked at again.
ALTER TABLE certificate_requests ADD COLUMN look_at timestamptz;
ALTER TABLE certificate_requests ADD COLUMN attempts integer NOT NULL DEFAULT 0;
CREATE INDEX certificate_requests_waiting ON certificate_requests (certificate_request_id) WHERE state = 'requested';
