-- Up Migration

-- POST requests with an Idempotency-Key, and their responses.
CREATE TABLE idempotency_keys (
  api_key_id uuid NOT NULL REFERENCES api_keys (key_id) ON DELETE CASCADE,
  key text NOT NULL,
  -- A hash of the request.
  fingerprint bytea NOT NULL,
  created_at timestamptz NOT NULL,
  -- Null while the first request is in progress.
  status smallint,
  -- Sealed, because it may hold a new API key or the secret of a webhook.
  sealed_answer bytea,
  PRIMARY KEY (api_key_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
