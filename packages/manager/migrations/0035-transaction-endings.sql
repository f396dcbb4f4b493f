-- Up Migration

ALTER TABLE transactions
  -- When the start came (by the station's clock) that left this one without its stop: see the flag supersededByStart.
  ADD COLUMN lost_at timestamptz,
  -- An operator's end of what its station has not ended. The station's own stop, should it come, stands beside it.
  ADD COLUMN closed_at timestamptz,
  ADD COLUMN closed_by text,
  ADD COLUMN close_reason text,
  ADD COLUMN close_meter_stop_wh bigint,
  ADD COLUMN close_stopped_at timestamptz,
  -- What samples tell of the register at the outlet: at Transaction.Begin and Transaction.End, first, last, highest.
  ADD COLUMN begin_wh bigint,
  ADD COLUMN end_wh bigint,
  ADD COLUMN first_wh bigint,
  ADD COLUMN first_at timestamptz,
  ADD COLUMN last_wh bigint,
  ADD COLUMN last_at timestamptz,
  ADD COLUMN high_wh bigint,
  ADD COLUMN register_fell boolean NOT NULL DEFAULT false,
  -- A sample told of more than a connector can give: it is not among the highest.
  ADD COLUMN register_jumped boolean NOT NULL DEFAULT false,
  ADD COLUMN state text NOT NULL GENERATED ALWAYS AS (CASE
    WHEN stopped_at IS NOT NULL THEN 'stopped'
    WHEN closed_at IS NOT NULL THEN 'closed'
    WHEN flags @> '{supersededByStart}' THEN 'lost'
    ELSE 'open' END) STORED,
  -- Told by the trigger below.
  ALTER COLUMN energy_wh DROP EXPRESSION,
  ADD COLUMN energy_source text,
  ADD COLUMN meter_flags text[] NOT NULL DEFAULT '{}';

-- Can a meter have risen so far in this time? At 1 MW it can, and by 100 kWh at any rate: clocks are not exact. Times in the wrong order
-- tell nothing.
CREATE FUNCTION is_plausible_rise(wh bigint, since timestamptz, until timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE
  RETURN until < since OR wh <= 100000 + date_part('epoch', until - since) * 1000000 / 3600;

-- The reading that energy counts from: meterStart, unless what was read after it says that it cannot be (a start that was told offline
-- as 0, of a meter that counts all that it ever measured).
CREATE FUNCTION transaction_baseline(
  meter_start_wh bigint, started_at timestamptz, begin_wh bigint, first_wh bigint, first_at timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE
  RETURN CASE
    WHEN begin_wh - meter_start_wh > 1000 THEN begin_wh
    WHEN NOT is_plausible_rise(first_wh - meter_start_wh, started_at, greatest(first_at, started_at))
      THEN coalesce(begin_wh, first_wh)
    ELSE meter_start_wh END;

-- The energy of a transaction from the first of its readings that can be, and what readings say of each other. A meterStop and a
-- meterStart that fit each other are believed before a sample that fits neither. Up to 1 kWh is no fall: some stations round to kWh.
CREATE FUNCTION tell_energy() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  baseline bigint := transaction_baseline(NEW.meter_start_wh, NEW.started_at, NEW.begin_wh, NEW.first_wh, NEW.first_at);
  begin_wh bigint := coalesce(NEW.begin_wh, baseline);
  can_stop boolean := is_plausible_rise(NEW.meter_stop_wh - baseline, NEW.started_at, NEW.stopped_at);
BEGIN
  IF NEW.meter_stop_wh >= baseline AND can_stop THEN
    NEW.energy_source := 'meterStop';
    NEW.energy_wh := NEW.meter_stop_wh - baseline;
  ELSIF NEW.meter_stop_wh >= NEW.meter_start_wh
    AND is_plausible_rise(NEW.meter_stop_wh - NEW.meter_start_wh, NEW.started_at, NEW.stopped_at) THEN
    NEW.energy_source := 'meterStop';
    NEW.energy_wh := NEW.meter_stop_wh - NEW.meter_start_wh;
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
    CASE WHEN baseline <> NEW.meter_start_wh THEN 'meterStartImplausible' END,
    CASE WHEN NOT can_stop THEN 'meterStopImplausible' END,
    CASE WHEN NEW.register_fell OR NEW.meter_stop_wh < NEW.high_wh - 1000 THEN 'registerBackwards' END,
    CASE WHEN NEW.register_jumped THEN 'registerImplausible' END,
    CASE WHEN least(NEW.meter_start_wh, NEW.meter_stop_wh, NEW.begin_wh, NEW.end_wh, NEW.first_wh, NEW.last_wh) < 0
      THEN 'meterNegative' END], NULL);
  RETURN NEW;
END $$;

CREATE TRIGGER transactions_energy BEFORE INSERT OR UPDATE OF meter_start_wh, started_at, meter_stop_wh, stopped_at, begin_wh,
  end_wh, first_wh, first_at, last_wh, last_at, high_wh, register_fell, register_jumped, close_meter_stop_wh
  ON transactions FOR EACH ROW EXECUTE FUNCTION tell_energy();
UPDATE transactions SET meter_start_wh = meter_start_wh;

-- Running transactions are written with each sample: room on the page keeps their indexes as they are.
ALTER TABLE transactions SET (fillfactor = 80);
CREATE INDEX transactions_open ON transactions (transaction_id) WHERE state = 'open';
CREATE INDEX transactions_lost ON transactions (transaction_id) WHERE state IN ('lost', 'closed');
CREATE INDEX transactions_by_flag ON transactions USING gin (flags) WHERE flags <> '{}';
CREATE INDEX transactions_by_meter_flag ON transactions USING gin (meter_flags) WHERE meter_flags <> '{}';
