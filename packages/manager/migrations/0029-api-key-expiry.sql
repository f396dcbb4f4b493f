-- Up Migration

-- A key is valid until then; null: until it is taken back.
ALTER TABLE api_keys ADD COLUMN expires_at timestamptz;
