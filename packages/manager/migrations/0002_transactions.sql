-- Up Migration

-- idTags are compared without regard to case (CiString), and shown as they came.
CREATE TABLE tags (
  id_tag_key text PRIMARY KEY,
  id_tag text NOT NULL,
  status text NOT NULL DEFAULT 'Accepted' CHECK (status IN ('Accepted', 'Blocked')),
  parent_id_tag text,
  expiry_date timestamptz,
  concurrent_transaction_limit integer CHECK (concurrent_transaction_limit >= 1),
  note text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE authorizations (
  station_id text NOT NULL,
  id_tag text NOT NULL,
  status text NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (station_id, received_at, id_tag)
) PARTITION BY RANGE (received_at);

CREATE TABLE transactions (
  transaction_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  station_id text NOT NULL,
  connector_id integer NOT NULL,
  id_tag text NOT NULL,
  id_tag_key text NOT NULL,
  parent_id_tag text,
  id_tag_status text NOT NULL,
  meter_start_wh bigint NOT NULL,
  started_at timestamptz NOT NULL,
  reservation_id integer,
  start_message_id text NOT NULL,
  start_received_at timestamptz NOT NULL,
  start_id_tag_info json NOT NULL,
  meter_stop_wh bigint,
  stopped_at timestamptz,
  stop_reason text,
  stop_id_tag text,
  stop_message_id text,
  stop_received_at timestamptz,
  stop_id_tag_info json,
  energy_wh bigint GENERATED ALWAYS AS
    (CASE WHEN meter_stop_wh >= meter_start_wh THEN meter_stop_wh - meter_start_wh END) STORED,
  -- What an operator should look at: see store/transactions.ts.
  flags text[] NOT NULL DEFAULT '{}',
  -- A repeated StartTransaction is found by what it says, not by its message id.
  CONSTRAINT one_start UNIQUE (station_id, connector_id, id_tag_key, started_at, meter_start_wh)
);
CREATE INDEX transactions_open_by_station ON transactions (station_id, connector_id) WHERE stopped_at IS NULL;
CREATE INDEX transactions_by_tag ON transactions (id_tag_key, started_at);
CREATE INDEX transactions_by_station ON transactions (station_id, transaction_id);
CREATE INDEX transactions_by_start ON transactions (started_at);

-- StopTransactions that belong to no transaction: kept for an operator to reconcile.
CREATE TABLE unmatched_stops (
  unmatched_stop_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  station_id text NOT NULL,
  transaction_id bigint NOT NULL,
  id_tag text,
  meter_stop_wh bigint NOT NULL,
  stopped_at timestamptz NOT NULL,
  stop_reason text NOT NULL,
  why text NOT NULL,
  request json NOT NULL,
  received_at timestamptz NOT NULL,
  UNIQUE (station_id, transaction_id, stopped_at, meter_stop_wh)
);

-- One row per sampled value, as sent, with its defaults filled in. A transaction's rows have its station and its id; an id
-- that names no transaction of the station stays as it was sent.
CREATE TABLE meter_values (
  station_id text NOT NULL,
  connector_id integer NOT NULL,
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
  -- Hash of everything from context to value: the same sample sent twice, in whichever message, is one row.
  digest uuid NOT NULL,
  PRIMARY KEY (station_id, connector_id, measured_at, digest)
) PARTITION BY RANGE (measured_at);
CREATE INDEX meter_values_by_transaction ON meter_values (transaction_id, measured_at) WHERE transaction_id IS NOT NULL;
