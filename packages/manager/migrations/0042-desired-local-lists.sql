-- Up Migration

-- Which tags the local authorization list is to have: of a station, or of a group of stations. Tags in lower case.
CREATE TABLE desired_local_lists (
  station_id text UNIQUE,
  group_name text UNIQUE REFERENCES station_groups ON DELETE CASCADE,
  all_tags boolean NOT NULL,
  id_tags text[] NOT NULL,
  parent_id_tags text[] NOT NULL,
  CHECK ((station_id IS NULL) <> (group_name IS NULL))
);

-- The list that counts for a station: its own, or else that of the first of its groups.
CREATE VIEW effective_local_lists AS
  SELECT DISTINCT ON (station_id) station_id, all_tags, id_tags, parent_id_tags, group_name FROM (
    SELECT station_id, all_tags, id_tags, parent_id_tags, NULL AS group_name, NULL::int AS rank
    FROM desired_local_lists WHERE station_id IS NOT NULL
    UNION ALL
    SELECT m.station_id, l.all_tags, l.id_tags, l.parent_id_tags, m.name, m.rank
    FROM station_group_members m JOIN desired_local_lists l ON l.group_name = m.name) AS said
  ORDER BY station_id, group_name IS NOT NULL, rank, group_name;

-- Full lists sent since the station last told the version that we know of, and when the last was tried.
ALTER TABLE local_lists ADD COLUMN full_attempts integer NOT NULL DEFAULT 0, ADD COLUMN full_tried_at timestamptz;

-- Tags whose entries in local lists are other ones from a time on: a manager takes them, and has the lists looked at.
CREATE TABLE tag_changes (
  id_tag_key text NOT NULL,
  parent_key text,
  due_at timestamptz NOT NULL
);
CREATE INDEX tag_changes_by_time ON tag_changes (due_at);

-- A trigger, for whoever writes tags.
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
INSERT INTO tag_changes SELECT id_tag_key, lower(parent_id_tag), expiry_date FROM tags WHERE expiry_date > now();
