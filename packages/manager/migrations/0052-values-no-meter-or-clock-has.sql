-- Up Migration

ALTER TABLE transactions
  -- The time of the start as it was sent, where nobody can read it; started_at is the time of receipt then.
  ADD COLUMN unreadable_start text,
  -- Where the register is that begin_wh to high_wh are readings of.
  ADD COLUMN register_location text;
UPDATE transactions SET register_location = 'Outlet' WHERE first_wh IS NOT NULL;

-- A repeat of such a start comes at another time. The station sends it again before the stop, if at all.
CREATE UNIQUE INDEX one_unreadable_start
  ON transactions (station_id, connector_id, id_tag_key, meter_start_wh, unreadable_start)
  WHERE unreadable_start IS NOT NULL AND stopped_at IS NULL;

-- No charging station's meter counts more than 1 TWh: what does is no reading (packages/ocpp reads 1e30 as the largest number that it
-- can, so that it may be kept).
CREATE FUNCTION is_meter_reading(wh bigint) RETURNS boolean LANGUAGE sql IMMUTABLE
  RETURN wh BETWEEN -1000000000000 AND 1000000000000;

-- As in 0035; a meterStart that is no reading is replaced by the first that is one.
CREATE OR REPLACE FUNCTION transaction_baseline(
  meter_start_wh bigint, started_at timestamptz, begin_wh bigint, first_wh bigint, first_at timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE
  RETURN CASE
    WHEN NOT is_meter_reading(meter_start_wh) THEN coalesce(begin_wh, first_wh)
    WHEN begin_wh - meter_start_wh > 1000 THEN begin_wh
    WHEN NOT is_plausible_rise(first_wh - meter_start_wh, started_at, greatest(first_at, started_at))
      THEN coalesce(begin_wh, first_wh)
    ELSE meter_start_wh END;

-- As in 0035; a meterStart or meterStop that is no reading counts for nothing but its flag.
CREATE OR REPLACE FUNCTION tell_energy() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  meter_start bigint := CASE WHEN is_meter_reading(NEW.meter_start_wh) THEN NEW.meter_start_wh END;
  meter_stop bigint := CASE WHEN is_meter_reading(NEW.meter_stop_wh) THEN NEW.meter_stop_wh END;
  baseline bigint := transaction_baseline(NEW.meter_start_wh, NEW.started_at, NEW.begin_wh, NEW.first_wh, NEW.first_at);
  begin_wh bigint := coalesce(NEW.begin_wh, baseline);
  can_stop boolean := is_plausible_rise(meter_stop - baseline, NEW.started_at, NEW.stopped_at);
BEGIN
  IF meter_stop >= baseline AND can_stop THEN
    NEW.energy_source := 'meterStop';
    NEW.energy_wh := meter_stop - baseline;
  ELSIF meter_stop >= meter_start AND is_plausible_rise(meter_stop - meter_start, NEW.started_at, NEW.stopped_at) THEN
    NEW.energy_source := 'meterStop';
    NEW.energy_wh := meter_stop - meter_start;
  ELSIF NEW.end_wh >= begin_wh AND is_plausible_rise(NEW.end_wh - begin_wh, NEW.started_at, NEW.last_at) THEN
    NEW.energy_source := 'transactionEnd';
    NEW.energy_wh := NEW.end_wh - begin_wh;
  ELSIF NEW.close_meter_stop_wh >= baseline THEN
    NEW.energy_source := 'closure';
    NEW.energy_wh := NEW.close_meter_stop_wh - baseline;
  ELSIF NEW.high_wh >= baseline THEN
    NEW.energy_source := 'register';
    NEW.energy_wh := NEW.high_wh - baseline;
  ELSE
    NEW.energy_source := NULL;
    NEW.energy_wh := NULL;
  END IF;
  NEW.meter_flags := array_remove(ARRAY[
    CASE WHEN baseline IS DISTINCT FROM NEW.meter_start_wh THEN 'meterStartImplausible' END,
    CASE WHEN NOT can_stop OR NOT is_meter_reading(NEW.meter_stop_wh) THEN 'meterStopImplausible' END,
    CASE WHEN NEW.register_fell OR meter_stop < NEW.high_wh - 1000 THEN 'registerBackwards' END,
    CASE WHEN NEW.register_jumped THEN 'registerImplausible' END,
    CASE WHEN least(NEW.meter_start_wh, NEW.meter_stop_wh, NEW.begin_wh, NEW.end_wh, NEW.first_wh, NEW.last_wh) < 0
      THEN 'meterNegative' END], NULL);
  RETURN NEW;
END $$;
