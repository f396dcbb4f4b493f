-- Up Migration

-- Work in progress to bring a station to a desired state: one reconciliation of each kind per station, continued by any manager.
CREATE TABLE reconciliations (
  station_id text NOT NULL,
  kind text NOT NULL,
  desired jsonb NOT NULL,
  -- Is it requeued when the station boots?
  permanent boolean NOT NULL DEFAULT false,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'succeeded', 'failed')),
  -- What is being done, or why it failed, as a text for people.
  doing text,
  -- The last command that was sent for it.
  command_id uuid,
  -- When it is checked next.
  look_at timestamptz NOT NULL,
  requested_by text,
  requested_at timestamptz NOT NULL,
  completed_at timestamptz,
  PRIMARY KEY (station_id, kind)
);
CREATE INDEX reconciliations_by_time ON reconciliations (look_at) WHERE state = 'open';

-- The desired values of configuration keys, of a station or of a group.
CREATE TABLE desired_values (
  station_id text,
  group_name text REFERENCES station_groups ON DELETE CASCADE,
  key_lower text NOT NULL,
  key text NOT NULL,
  value text NOT NULL,
  CHECK ((station_id IS NULL) <> (group_name IS NULL))
);
CREATE UNIQUE INDEX desired_values_of_stations ON desired_values (station_id, key_lower) WHERE station_id IS NOT NULL;
CREATE UNIQUE INDEX desired_values_of_groups ON desired_values (group_name, key_lower) WHERE group_name IS NOT NULL;

-- For each station and key the value that applies: the station's own, or else that of its first group.
CREATE VIEW effective_configuration AS
  SELECT DISTINCT ON (station_id, key_lower) station_id, key_lower, key, value, group_name
  FROM (
    SELECT station_id, key_lower, key, value, NULL AS group_name, NULL::int AS rank
    FROM desired_values
    WHERE station_id IS NOT NULL
    UNION ALL
    SELECT m.station_id, v.key_lower, v.key, v.value, m.name, m.rank
    FROM station_group_members m
    JOIN desired_values v ON v.group_name = m.name
  ) AS candidates
  ORDER BY station_id, key_lower, group_name IS NOT NULL, rank, group_name;

-- The result of the last attempt to set a desired value.
CREATE TABLE configuration_outcomes (
  station_id text NOT NULL,
  key_lower text NOT NULL,
  value text NOT NULL,
  outcome text NOT NULL,
  reason text,
  at timestamptz NOT NULL,
  -- When the station last had another value, although it had accepted this one.
  drifted_at timestamptz,
  PRIMARY KEY (station_id, key_lower)
);

-- The desired contents of local authorization lists, of a station or of a group. Tags are in lower case.
CREATE TABLE desired_local_lists (
  station_id text UNIQUE,
  group_name text UNIQUE REFERENCES station_groups ON DELETE CASCADE,
  all_tags boolean NOT NULL,
  id_tags text[] NOT NULL,
  parent_id_tags text[] NOT NULL,
  CHECK ((station_id IS NULL) <> (group_name IS NULL))
);

-- For each station the list that applies: its own, or else that of its first group.
CREATE VIEW effective_local_lists AS
  SELECT DISTINCT ON (station_id) station_id, all_tags, id_tags, parent_id_tags, group_name
  FROM (
    SELECT station_id, all_tags, id_tags, parent_id_tags, NULL AS group_name, NULL::int AS rank
    FROM desired_local_lists
    WHERE station_id IS NOT NULL
    UNION ALL
    SELECT m.station_id, l.all_tags, l.id_tags, l.parent_id_tags, m.name, m.rank
    FROM station_group_members m
    JOIN desired_local_lists l ON l.group_name = m.name
  ) AS candidates
  ORDER BY station_id, group_name IS NOT NULL, rank, group_name;

-- A queue of tags whose entries in local lists change at due_at. A manager takes the rows and requeues the lists.
CREATE TABLE tag_changes (
  id_tag_key text NOT NULL,
  parent_key text,
  due_at timestamptz NOT NULL
);
CREATE INDEX tag_changes_by_time ON tag_changes (due_at);

-- A tag's entries change now, under its old parent and its new one, and once more when it expires.
CREATE FUNCTION note_tag_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (OLD.id_tag, OLD.status, OLD.parent_id_tag, OLD.expiry_date)
      IS NOT DISTINCT FROM (NEW.id_tag, NEW.status, NEW.parent_id_tag, NEW.expiry_date) THEN
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO tag_changes VALUES (OLD.id_tag_key, lower(OLD.parent_id_tag), '-infinity');
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO tag_changes VALUES (NEW.id_tag_key, lower(NEW.parent_id_tag), '-infinity');
    IF NEW.expiry_date > now() THEN
      INSERT INTO tag_changes VALUES (NEW.id_tag_key, lower(NEW.parent_id_tag), NEW.expiry_date);
    END IF;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tag_changed AFTER INSERT OR UPDATE OR DELETE ON tags FOR EACH ROW EXECUTE FUNCTION note_tag_change();
