-- Up Migration

-- As in 0009, but a partition is made apart and attached: readers and writers of the table go on. Only the default partition is locked,
-- as its rows are checked; what has come before its time moves from there to its own.
CREATE OR REPLACE FUNCTION create_partitions(parent text, step interval, since timestamptz, ahead integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  unit text := CASE WHEN step >= interval '1 month' THEN 'month' ELSE 'day' END;
  lower timestamptz := date_trunc(unit, since, 'UTC');
  upper timestamptz;
  child text;
  other text := parent || '_other';
  key text := (regexp_match(pg_get_partkeydef(parent::regclass), '\((\w+)\)'))[1];
  -- Without those that the database fills in.
  columns text := (SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
    WHERE attrelid = parent::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '');
BEGIN
  FOR i IN 0 .. ahead LOOP
    upper := date_trunc(unit, lower AT TIME ZONE 'UTC' + step) AT TIME ZONE 'UTC';
    child := parent || '_' || to_char(lower AT TIME ZONE 'UTC', CASE unit WHEN 'month' THEN 'YYYYMM' ELSE 'YYYYMMDD' END);
    IF to_regclass(quote_ident(child)) IS NULL THEN
      EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', other);
      -- Numbers come from the sequence of the table itself.
      EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL EXCLUDING IDENTITY)', child, parent);
      EXECUTE format('WITH moved AS (DELETE FROM %I WHERE %I >= $1 AND %I < $2 RETURNING *) INSERT INTO %I (%s) SELECT %s FROM moved',
        other, key, key, child, columns, columns) USING lower, upper;
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, child, lower, upper);
    END IF;
    lower := upper;
  END LOOP;
END $$;
