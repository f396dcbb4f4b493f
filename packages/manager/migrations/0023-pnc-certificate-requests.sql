-- Up Migration

-- V2G leaf certificates that stations ask for: apart from those of the charging station itself.
CREATE TABLE pnc_certificate_requests (
  pnc_request_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  station_id text NOT NULL,
  message_id text NOT NULL,
  dialect text NOT NULL,
  -- PEM, whatever form it came in; what is no request is kept as it came.
  csr text NOT NULL,
  state text NOT NULL
    CHECK (state IN ('requested', 'rejected', 'signed', 'installed', 'refused', 'superseded')),
  -- Why it was rejected or refused, or why its certificate did not reach the station.
  reason text,
  command_id uuid,
  certificate_chain text,
  requested_at timestamptz NOT NULL,
  signed_at timestamptz,
  completed_at timestamptz,
  -- How often our own authority has been asked to sign it, and when last.
  attempts integer NOT NULL DEFAULT 0,
  attempted_at timestamptz,
  UNIQUE (station_id, requested_at, message_id)
);
CREATE INDEX pnc_certificate_requests_by_station ON pnc_certificate_requests (station_id, pnc_request_id);
CREATE INDEX pnc_certificate_requests_by_command ON pnc_certificate_requests (command_id) WHERE command_id IS NOT NULL;
CREATE INDEX pnc_certificate_requests_waiting ON pnc_certificate_requests (pnc_request_id) WHERE state = 'requested';

-- Of a V2GCertificateChain: the sub-CAs under it, as the station told of them.
ALTER TABLE installed_certificates ADD COLUMN child_hash_data jsonb;
