-- Up Migration

CREATE TABLE tags (
  -- In lower case: idTags are case-insensitive (CiString).
  id_tag_key text PRIMARY KEY,
  id_tag text NOT NULL,
  status text NOT NULL DEFAULT 'Accepted' CHECK (status IN ('Accepted', 'Blocked')),
  parent_id_tag text,
  expiry_date timestamptz,
  concurrent_transaction_limit integer CHECK (concurrent_transaction_limit >= 1),
  -- The tag as an eMAID in the form that is compared: without hyphens and check digit. A tag is an eMAID if it has hyphens in the right
  -- places, or the C of a contract id; any other tag of 14 or 15 characters is not.
  emaid_key text GENERATED ALWAYS AS (
    CASE WHEN id_tag_key ~ '^[a-z]{2}-[a-z0-9]{3}-[a-z0-9]{9}(-?[a-z0-9])?$|^[a-z]{2}-?[a-z0-9]{3}-?c[a-z0-9]{8}(-?[a-z0-9])?$'
      THEN left(replace(id_tag_key, '-', ''), 14) END) STORED,
  note text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
-- The order of lists.
CREATE INDEX tags_by_key ON tags ((id_tag_key COLLATE "C"));
CREATE INDEX tags_by_status ON tags (status, (id_tag_key COLLATE "C"));
CREATE INDEX tags_by_parent ON tags (lower(parent_id_tag), (id_tag_key COLLATE "C")) WHERE parent_id_tag IS NOT NULL;
CREATE INDEX tags_by_emaid ON tags (emaid_key) WHERE emaid_key IS NOT NULL;

-- Every Authorize request and its status.
CREATE TABLE authorizations (
  station_id text NOT NULL,
  id_tag text NOT NULL,
  status text NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (station_id, received_at, id_tag)
) PARTITION BY RANGE (received_at);
CREATE TABLE authorizations_other PARTITION OF authorizations DEFAULT;
