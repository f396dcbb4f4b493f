-- Up Migration

-- Firmware that operators upload, and files that stations upload.
CREATE TABLE files (
  file_id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('firmware', 'diagnostics', 'log')),
  -- Never a path.
  name text NOT NULL,
  size_bytes bigint,
  sha256 bytea,
  created_at timestamptz NOT NULL,
  -- Null while the upload is in progress.
  completed_at timestamptz,
  note text,
  uploaded_by text,
  -- Firmware: the version that stations report once they have installed it, and its signature.
  firmware_version text,
  signature text,
  signing_certificate text,
  -- Null without a signature.
  signature_is_valid boolean,
  -- Uploads of stations.
  station_id text,
  command_id uuid
);
CREATE INDEX files_by_time ON files (created_at, file_id);
CREATE INDEX files_by_kind ON files (kind, created_at, file_id);
CREATE INDEX files_by_station ON files (station_id, created_at) WHERE station_id IS NOT NULL;
CREATE INDEX files_by_command ON files (command_id) WHERE command_id IS NOT NULL;

CREATE TABLE file_chunks (
  file_id uuid NOT NULL REFERENCES files ON DELETE CASCADE,
  chunk_number integer NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (file_id, chunk_number)
);
-- Without compression: firmware is compressed already, and a part of a chunk can be read without the rest.
ALTER TABLE file_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- Links for stations to download or upload a file without an API key. The token itself is not stored.
CREATE TABLE file_links (
  token_hash bytea PRIMARY KEY,
  station_id text NOT NULL,
  command_id uuid NOT NULL,
  -- Either the file to download, or the kind of upload.
  file_id uuid REFERENCES files ON DELETE CASCADE,
  upload_kind text CHECK (upload_kind IN ('diagnostics', 'log')),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  CHECK ((file_id IS NULL) <> (upload_kind IS NULL))
);
CREATE INDEX file_links_by_expiry ON file_links (expires_at);
CREATE INDEX file_links_by_file ON file_links (file_id) WHERE file_id IS NOT NULL;
