-- Up Migration

-- Makes the partition that holds `since`, and `ahead` more after it, of a table with a default partition `<table>_other`. A partition is
-- created on its own and attached, so that readers and writers of the table continue. Only the default partition is locked: rows that came
-- before their partition existed (from a station whose clock is ahead) move out of it.
CREATE FUNCTION create_partitions(parent text, step interval, since timestamptz, ahead integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  unit text := CASE WHEN step >= interval '1 month' THEN 'month' ELSE 'day' END;
  lower timestamptz := date_trunc(unit, since, 'UTC');
  upper timestamptz;
  child text;
  other text := parent || '_other';
  key text := (regexp_match(pg_get_partkeydef(parent::regclass), '\((\w+)\)'))[1];
  -- Generated columns cannot be inserted.
  columns text := (
    SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
    WHERE attrelid = parent::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '');
BEGIN
  FOR i IN 0 .. ahead LOOP
    upper := date_trunc(unit, lower AT TIME ZONE 'UTC' + step) AT TIME ZONE 'UTC';
    child := parent || '_' || to_char(lower AT TIME ZONE 'UTC', CASE unit WHEN 'month' THEN 'YYYYMM' ELSE 'YYYYMMDD' END);
    IF to_regclass(quote_ident(child)) IS NULL THEN
      EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', other);
      -- Identity values come from the sequence of the parent.
      EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL EXCLUDING IDENTITY)', child, parent);
      EXECUTE format(
        'WITH moved AS (DELETE FROM %I WHERE %I >= $1 AND %I < $2 RETURNING *) INSERT INTO %I (%s) SELECT %s FROM moved',
        other, key, key, child, columns, columns) USING lower, upper;
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, child, lower, upper);
    END IF;
    lower := upper;
  END LOOP;
END $$;

-- The highest id issued for each station and kind: no id is used twice.
CREATE TABLE issued_ids (
  station_id text NOT NULL,
  kind text NOT NULL,
  last_id integer NOT NULL,
  PRIMARY KEY (station_id, kind)
);
