-- Up Migration

-- As before, and what has come before its time (a station whose clock is ahead) moves from the default partition to its own.
CREATE OR REPLACE FUNCTION create_partitions(parent text, step interval, since timestamptz, ahead integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  unit text := CASE WHEN step >= interval '1 month' THEN 'month' ELSE 'day' END;
  lower timestamptz := date_trunc(unit, since, 'UTC');
  upper timestamptz;
  child text;
  other text := parent || '_other';
  key text := (regexp_match(pg_get_partkeydef(parent::regclass), '\((\w+)\)'))[1];
  has_strays boolean;
BEGIN
  FOR i IN 0 .. ahead LOOP
    upper := date_trunc(unit, lower AT TIME ZONE 'UTC' + step) AT TIME ZONE 'UTC';
    child := parent || '_' || to_char(lower AT TIME ZONE 'UTC', CASE unit WHEN 'month' THEN 'YYYYMM' ELSE 'YYYYMMDD' END);
    IF to_regclass(quote_ident(child)) IS NULL THEN
      EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE %I >= $1 AND %I < $2)', other, key, key)
        INTO has_strays USING lower, upper;
      IF has_strays THEN
        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', other);
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', child, parent);
        EXECUTE format('WITH moved AS (DELETE FROM %I WHERE %I >= $1 AND %I < $2 RETURNING *) INSERT INTO %I SELECT * FROM moved',
          other, key, key, child) USING lower, upper;
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, child, lower, upper);
      ELSE
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', child, parent, lower, upper);
      END IF;
    END IF;
    lower := upper;
  END LOOP;
END $$;
