-- Up Migration

-- The built-in certificate authorities. Their keys are sealed with EVANDER_SECRET.
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
CREATE INDEX issued_certificates_by_time ON issued_certificates (issued_at, serial_number);
CREATE INDEX issued_certificates_by_usage ON issued_certificates (usage, issued_at, serial_number);
CREATE INDEX issued_certificates_revoked ON issued_certificates (revoked_at) WHERE revoked_at IS NOT NULL;
-- For retention.
CREATE INDEX issued_certificates_by_expiry ON issued_certificates (valid_to);

-- One row: a revision that each revocation increments. A signed revocation list is current while the revision stays the same.
CREATE TABLE certificate_revocations (revision bigint NOT NULL);
INSERT INTO certificate_revocations (revision) VALUES (0);

CREATE FUNCTION count_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE certificate_revocations SET revision = revision + 1;
  RETURN NULL;
END $$;
CREATE TRIGGER count_revocation AFTER UPDATE OF revoked_at ON issued_certificates FOR EACH ROW
  WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at) EXECUTE FUNCTION count_revocation();

-- Roots of other authorities whose certificates stations may present: the operator's own, or manufacturers'.
CREATE TABLE trusted_roots (
  fingerprint text PRIMARY KEY,
  certificate text NOT NULL,
  subject text NOT NULL,
  -- A certificate is accepted if the O of its subject is one of these.
  organisations text[] NOT NULL,
  -- A revocation list that the operator provided.
  crl bytea,
  valid_to timestamptz NOT NULL,
  created_at timestamptz NOT NULL
);

-- SignCertificate requests of stations.
CREATE TABLE certificate_requests (
  certificate_request_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  station_id text NOT NULL,
  message_id text NOT NULL,
  csr text NOT NULL,
  state text NOT NULL
    CHECK (state IN ('requested', 'rejected', 'signed', 'installed', 'refused', 'superseded')),
  -- Why it was rejected or refused, or why the certificate did not reach the station.
  reason text,
  -- How often signing was tried, and when it is tried again.
  attempts integer NOT NULL DEFAULT 0,
  look_at timestamptz,
  -- The CertificateSigned with the certificate.
  command_id uuid,
  certificate_chain text,
  requested_at timestamptz NOT NULL,
  signed_at timestamptz,
  completed_at timestamptz,
  -- A redelivered envelope has the same time of receipt and message id.
  UNIQUE (station_id, requested_at, message_id)
);
CREATE INDEX certificate_requests_by_station ON certificate_requests (station_id, certificate_request_id);
CREATE INDEX certificate_requests_by_command ON certificate_requests (command_id) WHERE command_id IS NOT NULL;
CREATE INDEX certificate_requests_waiting ON certificate_requests (certificate_request_id) WHERE state = 'requested';

-- Certificates that stations reported, or accepted from us.
CREATE TABLE installed_certificates (
  certificate_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  station_id text NOT NULL,
  certificate_type text NOT NULL,
  -- The serial number in lower case, without leading zeros. Serial numbers and hashes are case-insensitive (CiString).
  serial_key text NOT NULL,
  serial_number text NOT NULL,
  -- Null until the station reports the certificate.
  hash_algorithm text,
  issuer_name_hash text,
  issuer_key_hash text,
  -- Of a V2GCertificateChain: the sub-CAs below it, as the station reported them.
  child_hash_data jsonb,
  -- Null if we did not send the certificate.
  pem text,
  subject text,
  issuer text,
  valid_from timestamptz,
  valid_to timestamptz,
  installed_at timestamptz,
  reported_at timestamptz
);
-- By hashes if the station has reported the certificate, by its contents until then.
CREATE UNIQUE INDEX installed_certificates_once ON installed_certificates (station_id, certificate_type, serial_key,
  coalesce(hash_algorithm, ''), coalesce(lower(issuer_name_hash), ''), coalesce(lower(issuer_key_hash), ''),
  (CASE WHEN hash_algorithm IS NULL THEN md5(pem) ELSE '' END));

-- A cache of OCSP responses. They are verified each time they are used.
CREATE TABLE ocsp_answers (
  responder_url text NOT NULL,
  hash_algorithm text NOT NULL,
  -- In lower case; the serial number without leading zeros.
  issuer_name_hash text NOT NULL,
  issuer_key_hash text NOT NULL,
  serial_key text NOT NULL,
  response bytea NOT NULL,
  fetched_at timestamptz NOT NULL,
  valid_until timestamptz NOT NULL,
  PRIMARY KEY (issuer_name_hash, issuer_key_hash, serial_key, hash_algorithm, responder_url)
);
CREATE INDEX ocsp_answers_by_age ON ocsp_answers (valid_until);
