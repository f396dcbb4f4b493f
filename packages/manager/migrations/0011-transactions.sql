-- Up Migration

CREATE TABLE transactions (
  transaction_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  station_id text NOT NULL,
  connector_id integer NOT NULL,
  state text NOT NULL GENERATED ALWAYS AS (CASE
    WHEN stopped_at IS NOT NULL THEN 'stopped'
    WHEN closed_at IS NOT NULL THEN 'closed'
    WHEN flags @> '{supersededByStart}' THEN 'lost'
    ELSE 'open' END) STORED,
  -- What an operator should look at: TRANSACTION_FLAGS in src/transactions/transaction-state.store.ts. Those about the meter are in
  -- meter_flags.
  flags text[] NOT NULL DEFAULT '{}',

  -- The StartTransaction.
  id_tag text NOT NULL,
  id_tag_key text NOT NULL,
  parent_id_tag text,
  id_tag_status text NOT NULL,
  meter_start_wh bigint NOT NULL,
  started_at timestamptz NOT NULL,
  -- The timestamp as sent, if it is not a date. started_at is then the time of receipt.
  unreadable_start text,
  reservation_id integer,
  remote_start_command_id uuid,
  start_message_id text NOT NULL,
  start_received_at timestamptz NOT NULL,
  start_id_tag_info json NOT NULL,
  -- The station has sent the transaction id in MeterValues, so it has received our response.
  id_used boolean NOT NULL DEFAULT false,

  -- The StopTransaction.
  meter_stop_wh bigint,
  stopped_at timestamptz,
  stop_reason text,
  stop_id_tag text,
  stop_message_id text,
  stop_received_at timestamptz,
  stop_id_tag_info json,
  -- The whole request, if it came without a transaction id and was inferred to mean this one (flag stopInferred).
  stop_request json,

  -- The time of the next start on the connector, if that came before the stop (flag supersededByStart).
  lost_at timestamptz,
  -- An operator closed the transaction. If the station's stop arrives later, both are kept.
  closed_at timestamptz,
  closed_by text,
  close_reason text,
  close_meter_stop_wh bigint,
  close_stopped_at timestamptz,

  -- What meter values say about the energy register, at this location: the readings at Transaction.Begin and Transaction.End, the first,
  -- the last and the highest one.
  register_location text,
  begin_wh bigint,
  end_wh bigint,
  first_wh bigint,
  first_at timestamptz,
  last_wh bigint,
  last_at timestamptz,
  high_wh bigint,
  register_fell boolean NOT NULL DEFAULT false,
  -- A reading rose faster than a connector can charge. It is not used for high_wh.
  register_jumped boolean NOT NULL DEFAULT false,

  -- Set by the trigger transactions_energy.
  energy_wh bigint,
  energy_source text,
  meter_flags text[] NOT NULL DEFAULT '{}',

  -- A repeated StartTransaction is recognised by its contents: its message id may differ.
  CONSTRAINT one_start UNIQUE (station_id, connector_id, id_tag_key, started_at, meter_start_wh)
) WITH (fillfactor = 80); -- Each sample updates a running transaction; with free space on the page its indexes need no update (HOT).
-- The same for starts without a readable timestamp. Stations repeat a start before the stop, if at all.
CREATE UNIQUE INDEX one_unreadable_start
  ON transactions (station_id, connector_id, id_tag_key, meter_start_wh, unreadable_start)
  WHERE unreadable_start IS NOT NULL AND stopped_at IS NULL;
CREATE INDEX transactions_open_by_station ON transactions (station_id, connector_id) WHERE stopped_at IS NULL;
CREATE INDEX transactions_by_tag ON transactions (id_tag_key, started_at);
CREATE INDEX transactions_by_remote_start ON transactions (remote_start_command_id)
  WHERE remote_start_command_id IS NOT NULL;
-- For lists: by each filter, in the order of the list (docs/decisions/0020).
CREATE INDEX transactions_by_station ON transactions (station_id, transaction_id);
CREATE INDEX transactions_by_start ON transactions (started_at, transaction_id);
CREATE INDEX transactions_of_tag ON transactions (id_tag_key, transaction_id);
CREATE INDEX transactions_by_connector ON transactions (connector_id, transaction_id)
  WHERE connector_id <> 1; -- Nearly every station has a connector 1.
CREATE INDEX transactions_open ON transactions (transaction_id) WHERE state = 'open';
CREATE INDEX transactions_lost ON transactions (transaction_id) WHERE state IN ('lost', 'closed');
CREATE INDEX transactions_by_flag ON transactions USING gin (flags) WHERE flags <> '{}';
CREATE INDEX transactions_by_meter_flag ON transactions USING gin (meter_flags) WHERE meter_flags <> '{}';

-- One row per sampled value, as sent, with the defaults of OCPP filled in.
CREATE TABLE meter_values (
  station_id text NOT NULL,
  connector_id integer NOT NULL,
  -- As sent, even if the station has no such transaction.
  transaction_id integer,
  measured_at timestamptz NOT NULL,
  context text NOT NULL,
  measurand text NOT NULL,
  phase text,
  location text NOT NULL,
  format text NOT NULL,
  unit text,
  value text NOT NULL,
  received_at timestamptz NOT NULL,
  -- A hash of the columns from context to value: a sample that is sent twice, in any message, is stored once.
  digest uuid NOT NULL,
  PRIMARY KEY (station_id, connector_id, measured_at, digest)
) PARTITION BY RANGE (measured_at);
CREATE INDEX meter_values_by_transaction ON meter_values (transaction_id, measured_at) WHERE transaction_id IS NOT NULL;
CREATE TABLE meter_values_other PARTITION OF meter_values DEFAULT;

-- StopTransactions that match no transaction, for an operator to assign or dismiss.
CREATE TABLE unmatched_stops (
  unmatched_stop_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  station_id text NOT NULL,
  transaction_id bigint NOT NULL,
  id_tag text,
  meter_stop_wh bigint NOT NULL,
  stopped_at timestamptz NOT NULL,
  stop_reason text NOT NULL,
  message_id text,
  request json NOT NULL,
  received_at timestamptz NOT NULL,
  -- The idTagInfo of our response.
  id_tag_info json,
  -- Why it matched none.
  why text NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'assigned', 'dismissed')),
  assigned_transaction_id integer UNIQUE,
  resolved_at timestamptz,
  resolved_by text,
  resolution_reason text,
  CHECK ((state = 'assigned') = (assigned_transaction_id IS NOT NULL))
);
-- A repeated stop is stored once. The tag is part of it, because stops without a transaction id may agree in everything else.
CREATE UNIQUE INDEX one_unmatched_stop ON unmatched_stops
  (station_id, transaction_id, stopped_at, meter_stop_wh, (coalesce(lower(id_tag), '')));
CREATE INDEX unmatched_stops_by_state ON unmatched_stops (state, unmatched_stop_id);

-- Energy: which readings of a transaction are plausible, and which of them its energy is computed from.

-- No charging station's meter counts more than 1 TWh. (Larger numbers do occur: packages/ocpp stores 1e30 as the largest bigint.)
CREATE FUNCTION is_meter_reading(wh bigint) RETURNS boolean LANGUAGE sql IMMUTABLE
  RETURN wh BETWEEN -1000000000000 AND 1000000000000;

-- Can a meter have risen by this much in this time? 1 MW at most, and 100 kWh on top, because clocks are not exact. If the times are in
-- the wrong order, nothing can be concluded.
CREATE FUNCTION is_plausible_rise(wh bigint, since timestamptz, until timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE
  RETURN until < since
    OR wh <= 100000 + date_part('epoch', until - since) * 1000000 / 3600;

-- The reading from which energy is counted: meterStart, unless later readings contradict it. (Some stations that were offline send 0 as
-- meterStart, although their meter counts all energy since it was made.) Differences up to 1 kWh do not count: stations round to kWh.
CREATE FUNCTION transaction_baseline(
  meter_start_wh bigint, started_at timestamptz, begin_wh bigint, first_wh bigint, first_at timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE
  RETURN CASE
    WHEN NOT is_meter_reading(meter_start_wh)
      THEN coalesce(begin_wh, first_wh)
    WHEN begin_wh - meter_start_wh > 1000
      THEN begin_wh
    WHEN NOT is_plausible_rise(first_wh - meter_start_wh, started_at, greatest(first_at, started_at))
      THEN coalesce(begin_wh, first_wh)
    ELSE meter_start_wh
  END;

-- Sets energy_wh and energy_source from the first plausible source in the order below, and meter_flags. Conditions with missing readings
-- are null, and the next source is tried.
CREATE FUNCTION set_energy() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  -- Null if they are no meter readings.
  meter_start bigint := CASE WHEN is_meter_reading(NEW.meter_start_wh) THEN NEW.meter_start_wh END;
  meter_stop bigint := CASE WHEN is_meter_reading(NEW.meter_stop_wh) THEN NEW.meter_stop_wh END;
  baseline bigint := transaction_baseline(NEW.meter_start_wh, NEW.started_at, NEW.begin_wh, NEW.first_wh, NEW.first_at);
  begin_wh bigint := coalesce(NEW.begin_wh, baseline);
  can_stop boolean := is_plausible_rise(meter_stop - baseline, NEW.started_at, NEW.stopped_at);
BEGIN
  -- 1. From the baseline to meterStop.
  IF meter_stop >= baseline AND can_stop THEN
    NEW.energy_source := 'meterStop';
    NEW.energy_wh := meter_stop - baseline;
  -- From meterStart to meterStop: if they agree with each other, the sample that moved the baseline is wrong.
  ELSIF meter_stop >= meter_start AND is_plausible_rise(meter_stop - meter_start, NEW.started_at, NEW.stopped_at) THEN
    NEW.energy_source := 'meterStop';
    NEW.energy_wh := meter_stop - meter_start;
  -- 2. From Transaction.Begin, or else the baseline, to Transaction.End.
  ELSIF NEW.end_wh >= begin_wh AND is_plausible_rise(NEW.end_wh - begin_wh, NEW.started_at, NEW.last_at) THEN
    NEW.energy_source := 'transactionEnd';
    NEW.energy_wh := NEW.end_wh - begin_wh;
  -- 3. To the reading of the operator who closed the transaction.
  ELSIF NEW.close_meter_stop_wh >= baseline THEN
    NEW.energy_source := 'closure';
    NEW.energy_wh := NEW.close_meter_stop_wh - baseline;
  -- 4. To the highest plausible reading so far.
  ELSIF NEW.high_wh >= baseline THEN
    NEW.energy_source := 'register';
    NEW.energy_wh := NEW.high_wh - baseline;
  ELSE
    NEW.energy_source := NULL;
    NEW.energy_wh := NULL;
  END IF;

  NEW.meter_flags := array_remove(ARRAY[
    CASE WHEN baseline IS DISTINCT FROM NEW.meter_start_wh
      THEN 'meterStartImplausible' END,
    CASE WHEN NOT can_stop OR NOT is_meter_reading(NEW.meter_stop_wh)
      THEN 'meterStopImplausible' END,
    CASE WHEN NEW.register_fell OR meter_stop < NEW.high_wh - 1000
      THEN 'registerBackwards' END,
    CASE WHEN NEW.register_jumped
      THEN 'registerImplausible' END,
    CASE WHEN least(NEW.meter_start_wh, NEW.meter_stop_wh, NEW.begin_wh, NEW.end_wh, NEW.first_wh, NEW.last_wh) < 0
      THEN 'meterNegative' END
  ], NULL);
  RETURN NEW;
END $$;

-- On all columns that set_energy reads.
CREATE TRIGGER transactions_energy
  BEFORE INSERT OR UPDATE OF meter_start_wh, started_at, meter_stop_wh, stopped_at, begin_wh, end_wh, first_wh, first_at, last_wh,
    last_at, high_wh, register_fell, register_jumped, close_meter_stop_wh
  ON transactions FOR EACH ROW EXECUTE FUNCTION set_energy();
