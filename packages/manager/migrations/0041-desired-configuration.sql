-- Up Migration

-- What configuration keys are to be: of a station, or of a group of stations.
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

ALTER TABLE stations ADD COLUMN configuration_reset text CHECK (configuration_reset IN ('never', 'whenIdle')),
  -- When it was last asked for all its keys for the sake of these, whatever it answered.
  ADD COLUMN configuration_asked_at timestamptz;

-- The value that counts for each key of a station: its own, or else that of the first of its groups.
CREATE VIEW effective_configuration AS
  SELECT DISTINCT ON (station_id, key_lower) station_id, key_lower, key, value, group_name FROM (
    SELECT station_id, key_lower, key, value, NULL AS group_name, NULL::int AS rank FROM desired_values WHERE station_id IS NOT NULL
    UNION ALL
    SELECT m.station_id, v.key_lower, v.key, v.value, m.name, m.rank
    FROM station_group_members m JOIN desired_values v ON v.group_name = m.name) AS said
  ORDER BY station_id, key_lower, group_name IS NOT NULL, rank, group_name;

-- What became of a desired value at a station.
CREATE TABLE configuration_outcomes (
  station_id text NOT NULL,
  key_lower text NOT NULL,
  value text NOT NULL,
  outcome text NOT NULL,
  reason text,
  at timestamptz NOT NULL,
  -- When the station was last found with another value, though it had accepted ours.
  drifted_at timestamptz,
  PRIMARY KEY (station_id, key_lower)
);
