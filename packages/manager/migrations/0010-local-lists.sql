-- Up Migration

-- The state of each station's local authorization list.
CREATE TABLE local_lists (
  station_id text PRIMARY KEY,
  -- The version that the station reported or accepted. -1: it does not support local lists.
  version integer,
  version_at timestamptz,
  -- The version that local_list_entries correspond to.
  mirrored_version integer,
  -- The last answered SendLocalList, and the last accepted Full one.
  sent_at timestamptz,
  last_status text,
  last_update_type text,
  full_at timestamptz,
  -- Set while only a Full list can bring both sides in sync.
  needs_full_since timestamptz,
  -- Full lists sent since the station last reported the version that we expect.
  full_attempts integer NOT NULL DEFAULT 0,
  full_tried_at timestamptz
);

-- The entries that the station has accepted.
CREATE TABLE local_list_entries (
  station_id text NOT NULL,
  id_tag_key text NOT NULL,
  id_tag text NOT NULL,
  id_tag_info json NOT NULL,
  PRIMARY KEY (station_id, id_tag_key)
);
