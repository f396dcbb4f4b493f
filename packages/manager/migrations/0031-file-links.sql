-- Up Migration

-- Links that stations fetch a file by, or bring one by, without an API key. The token itself is not kept.
CREATE TABLE file_links (
  token_hash bytea PRIMARY KEY,
  station_id text NOT NULL,
  command_id uuid NOT NULL,
  -- The file that may be fetched; null for a link that takes uploads of the kind.
  file_id uuid REFERENCES files ON DELETE CASCADE,
  upload_kind text CHECK (upload_kind IN ('diagnostics', 'log')),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  CHECK ((file_id IS NULL) <> (upload_kind IS NULL))
);
CREATE INDEX file_links_by_expiry ON file_links (expires_at);
CREATE INDEX file_links_by_file ON file_links (file_id) WHERE file_id IS NOT NULL;
