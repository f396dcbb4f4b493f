-- Up Migration

-- Makes the partitions of a table from the given day on, `ahead` of them; what falls outside goes to the default partition.
CREATE FUNCTION create_partitions(parent text, step interval, since timestamptz, ahead integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  unit text := CASE WHEN step >= interval '1 month' THEN 'month' ELSE 'day' END;
  lower timestamptz := date_trunc(unit, since, 'UTC');
  upper timestamptz;
  child text;
BEGIN
  FOR i IN 0 .. ahead LOOP
    upper := date_trunc(unit, lower AT TIME ZONE 'UTC' + step) AT TIME ZONE 'UTC';
    child := parent || '_' || to_char(lower AT TIME ZONE 'UTC', CASE unit WHEN 'month' THEN 'YYYYMM' ELSE 'YYYYMMDD' END);
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', child, parent, lower, upper);
    lower := upper;
  END LOOP;
END $$;

CREATE TABLE connector_statuses_other PARTITION OF connector_statuses DEFAULT;
CREATE TABLE authorizations_other PARTITION OF authorizations DEFAULT;
CREATE TABLE meter_values_other PARTITION OF meter_values DEFAULT;
CREATE TABLE frames_other PARTITION OF frames DEFAULT;
