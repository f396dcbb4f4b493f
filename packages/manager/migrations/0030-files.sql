-- Up Migration

-- Firmware that operators bring, and what stations upload. The contents lie in file_chunks.
CREATE TABLE files (
  file_id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('firmware', 'diagnostics', 'log')),
  -- What it is called: never a path.
  name text NOT NULL,
  size_bytes bigint,
  sha256 bytea,
  -- Null while its contents are on their way.
  completed_at timestamptz,
  created_at timestamptz NOT NULL,
  -- Of firmware: what stations boot with once they have it, and what proves its origin.
  firmware_version text,
  signature text,
  signing_certificate text,
  -- Does the signature belong to the contents and the certificate? Null without a signature.
  signature_is_valid boolean,
  note text,
  uploaded_by text,
  -- Of uploads of stations.
  station_id text,
  command_id uuid
);
CREATE INDEX files_by_time ON files (created_at, file_id);
CREATE INDEX files_by_station ON files (station_id, created_at) WHERE station_id IS NOT NULL;
CREATE INDEX files_by_command ON files (command_id) WHERE command_id IS NOT NULL;

CREATE TABLE file_chunks (
  file_id uuid NOT NULL REFERENCES files ON DELETE CASCADE,
  chunk_number integer NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (file_id, chunk_number)
);
-- Firmware is compressed already; and a part of a chunk can be read without the rest.
ALTER TABLE file_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL;
