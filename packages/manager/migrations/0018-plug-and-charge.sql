-- Up Migration

-- The roots that contract certificates are verified with. Those that are not self-signed are sub-CAs, used to build chains.
CREATE TABLE pnc_roots (
  -- SHA-256 of the DER, in hex.
  fingerprint text PRIMARY KEY,
  certificate_type text NOT NULL CHECK (certificate_type IN ('V2GRootCertificate', 'MORootCertificate')),
  is_self_signed boolean NOT NULL,
  pem text NOT NULL,
  serial_number text NOT NULL,
  subject text NOT NULL,
  issuer text NOT NULL,
  valid_from timestamptz NOT NULL,
  valid_to timestamptz NOT NULL,
  note text,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Every authorization by contract certificate.
CREATE TABLE pnc_authorizations (
  station_id text NOT NULL,
  received_at timestamptz NOT NULL,
  message_id text NOT NULL,
  dialect text NOT NULL,
  -- As sent, and in the form that is compared.
  emaid text NOT NULL,
  emaid_key text NOT NULL,
  -- The tag that decided; null if there is none.
  id_tag text,
  status text NOT NULL,
  -- Null if the station sent no certificate data.
  certificate_status text,
  -- Why the certificate was not accepted.
  reason text,
  -- A redelivered envelope has the same time of receipt and message id.
  PRIMARY KEY (received_at, station_id, message_id)
);
CREATE INDEX pnc_authorizations_by_station ON pnc_authorizations (station_id, received_at);
CREATE INDEX pnc_authorizations_by_emaid ON pnc_authorizations (emaid_key, received_at);
CREATE INDEX pnc_authorizations_by_certificate_status ON pnc_authorizations (certificate_status, received_at);

-- Requests of stations for V2G leaf certificates. Those for the station's own certificate are in certificate_requests.
CREATE TABLE pnc_certificate_requests (
  pnc_request_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  station_id text NOT NULL,
  message_id text NOT NULL,
  dialect text NOT NULL,
  -- As PEM; as sent if it is not a certificate request.
  csr text NOT NULL,
  state text NOT NULL
    CHECK (state IN ('requested', 'rejected', 'signed', 'installed', 'refused', 'superseded')),
  -- Why it was rejected or refused, or why the certificate did not reach the station.
  reason text,
  -- How often signing was tried, and when last.
  attempts integer NOT NULL DEFAULT 0,
  attempted_at timestamptz,
  command_id uuid,
  certificate_chain text,
  requested_at timestamptz NOT NULL,
  signed_at timestamptz,
  completed_at timestamptz,
  UNIQUE (station_id, requested_at, message_id)
);
CREATE INDEX pnc_certificate_requests_by_station ON pnc_certificate_requests (station_id, pnc_request_id);
CREATE INDEX pnc_certificate_requests_by_command ON pnc_certificate_requests (command_id) WHERE command_id IS NOT NULL;
CREATE INDEX pnc_certificate_requests_waiting ON pnc_certificate_requests (pnc_request_id) WHERE state = 'requested';
