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
  DROP COLUMN energy_wh;

-- Can a meter have risen so far in this time? At 1 MW it can, and by 100 kWh at any rate: clocks are not exact. Times in the wrong order
-- tell nothing.
CREATE FUNCTION is_plausible_rise(wh bigint, since timestamptz, until timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE
  RETURN until < since OR wh <= 100000 + extract(epoch FROM until - since) * 1000000 / 3600;

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

-- The reading that meterStop is compared with: two that fit each other are believed before a sample that fits neither. Null when none fits.
CREATE FUNCTION transaction_stop_baseline(
  baseline bigint, meter_start_wh bigint, started_at timestamptz, meter_stop_wh bigint, stopped_at timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE
  RETURN CASE
    WHEN meter_stop_wh >= baseline AND is_plausible_rise(meter_stop_wh - baseline, started_at, stopped_at) THEN baseline
    WHEN meter_stop_wh >= meter_start_wh AND is_plausible_rise(meter_stop_wh - meter_start_wh, started_at, stopped_at)
      THEN meter_start_wh END;

-- Where the energy is from: the first of these that can be.
CREATE FUNCTION transaction_energy_source(
  stop_baseline bigint, baseline bigint, started_at timestamptz, begin_wh bigint, end_wh bigint, high_wh bigint,
  last_at timestamptz, close_meter_stop_wh bigint) RETURNS text
LANGUAGE sql IMMUTABLE
  RETURN CASE
    WHEN stop_baseline IS NOT NULL THEN 'meterStop'
    WHEN end_wh >= coalesce(begin_wh, baseline)
      AND is_plausible_rise(end_wh - coalesce(begin_wh, baseline), started_at, last_at) THEN 'transactionEnd'
    WHEN close_meter_stop_wh >= baseline THEN 'closure'
    WHEN high_wh >= baseline THEN 'register' END;

ALTER TABLE transactions
  ADD COLUMN energy_source text GENERATED ALWAYS AS (transaction_energy_source(
    transaction_stop_baseline(
      transaction_baseline(meter_start_wh, started_at, begin_wh, first_wh, first_at),
      meter_start_wh, started_at, meter_stop_wh, stopped_at),
    transaction_baseline(meter_start_wh, started_at, begin_wh, first_wh, first_at), started_at, begin_wh, end_wh, high_wh,
    last_at, close_meter_stop_wh)) STORED,
  ADD COLUMN energy_wh bigint GENERATED ALWAYS AS (CASE transaction_energy_source(
      transaction_stop_baseline(
      transaction_baseline(meter_start_wh, started_at, begin_wh, first_wh, first_at),
      meter_start_wh, started_at, meter_stop_wh, stopped_at),
      transaction_baseline(meter_start_wh, started_at, begin_wh, first_wh, first_at), started_at, begin_wh, end_wh, high_wh,
      last_at, close_meter_stop_wh)
    WHEN 'meterStop' THEN meter_stop_wh - transaction_stop_baseline(
      transaction_baseline(meter_start_wh, started_at, begin_wh, first_wh, first_at),
      meter_start_wh, started_at, meter_stop_wh, stopped_at)
    WHEN 'transactionEnd' THEN
      end_wh - coalesce(begin_wh, transaction_baseline(meter_start_wh, started_at, begin_wh, first_wh, first_at))
    WHEN 'closure' THEN close_meter_stop_wh - transaction_baseline(meter_start_wh, started_at, begin_wh, first_wh, first_at)
    WHEN 'register' THEN high_wh - transaction_baseline(meter_start_wh, started_at, begin_wh, first_wh, first_at)
    END) STORED,
  -- What readings say of each other. Up to 1 kWh may be the rounding of stations that tell whole kWh.
  ADD COLUMN meter_flags text[] NOT NULL GENERATED ALWAYS AS (array_remove(ARRAY[
    CASE WHEN transaction_baseline(meter_start_wh, started_at, begin_wh, first_wh, first_at) <> meter_start_wh
      THEN 'meterStartImplausible' END,
    CASE WHEN NOT is_plausible_rise(
        meter_stop_wh - transaction_baseline(meter_start_wh, started_at, begin_wh, first_wh, first_at), started_at, stopped_at)
      THEN 'meterStopImplausible' END,
    CASE WHEN register_fell OR meter_stop_wh < high_wh - 1000 THEN 'registerBackwards' END,
    CASE WHEN register_jumped THEN 'registerImplausible' END,
    CASE WHEN least(meter_start_wh, meter_stop_wh, begin_wh, end_wh, first_wh, last_wh) < 0 THEN 'meterNegative' END
    ], NULL)) STORED;

-- Running transactions are written with each sample: room on the page keeps their indexes as they are.
ALTER TABLE transactions SET (fillfactor = 80);
CREATE INDEX transactions_open ON transactions (transaction_id) WHERE state = 'open';
CREATE INDEX transactions_lost ON transactions (transaction_id) WHERE state IN ('lost', 'closed');
CREATE INDEX transactions_by_flag ON transactions USING gin (flags) WHERE flags <> '{}';
CREATE INDEX transactions_by_meter_flag ON transactions USING gin (meter_flags) WHERE meter_flags <> '{}';
