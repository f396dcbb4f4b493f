-- Up Migration

-- Stations that are to be alike in something: those named, and those of a vendor, a model or a beginning of the identity.
CREATE TABLE station_groups (
  name text PRIMARY KEY,
  -- Where groups say different things the lowest rank counts; of equal ranks the first name.
  rank integer NOT NULL DEFAULT 100,
  station_ids text[] NOT NULL DEFAULT '{}',
  -- Together: a station must fit all that are set.
  vendor text,
  model text,
  prefix text,
  configuration_reset text CHECK (configuration_reset IN ('never', 'whenIdle')),
  updated_at timestamptz NOT NULL
);

CREATE VIEW station_group_members AS
  SELECT g.name, g.rank, s.station_id FROM station_groups g JOIN stations s ON s.station_id = ANY (g.station_ids)
    OR (coalesce(g.vendor, g.model, g.prefix) IS NOT NULL AND (g.vendor IS NULL OR s.vendor = g.vendor)
      AND (g.model IS NULL OR s.model = g.model) AND (g.prefix IS NULL OR starts_with(s.station_id, g.prefix)));
