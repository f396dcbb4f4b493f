-- Up Migration

ALTER TABLE transactions
  -- The station has sent the transaction's id in MeterValues: so it has learnt it.
  ADD COLUMN id_used boolean NOT NULL DEFAULT false,
  -- The StopTransaction that ended it, where that came without the id and was inferred to mean it (flag stopInferred).
  ADD COLUMN stop_request json;
UPDATE transactions t SET id_used = true
WHERE state = 'open' AND EXISTS (SELECT FROM meter_values m WHERE m.transaction_id = t.transaction_id AND m.station_id = t.station_id);

ALTER TABLE unmatched_stops
  ADD COLUMN message_id text,
  -- What the station was answered about the tag.
  ADD COLUMN id_tag_info json,
  ADD COLUMN state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'assigned', 'dismissed')),
  ADD COLUMN assigned_transaction_id integer UNIQUE,
  ADD COLUMN resolved_at timestamptz,
  ADD COLUMN resolved_by text,
  ADD COLUMN resolution_reason text,
  ADD CHECK ((state = 'assigned') = (assigned_transaction_id IS NOT NULL)),
  DROP CONSTRAINT unmatched_stops_station_id_transaction_id_stopped_at_meter__key;
-- Without an id, stops of the same time and reading by other tags are other stops.
CREATE UNIQUE INDEX one_unmatched_stop ON unmatched_stops
  (station_id, transaction_id, stopped_at, meter_stop_wh, (coalesce(lower(id_tag), '')));
CREATE INDEX unmatched_stops_by_state ON unmatched_stops (state, unmatched_stop_id);
