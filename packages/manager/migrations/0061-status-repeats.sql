-- Up Migration

-- Two faults of one second are two: whatever a status says makes it another.
ALTER TABLE connector_statuses ADD COLUMN digest uuid GENERATED ALWAYS AS (md5(
  status || E'\x1f' || error_code || E'\x1f' || coalesce(info, E'\x1e') || E'\x1f' || coalesce(vendor_id, E'\x1e') || E'\x1f'
  || coalesce(vendor_error_code, E'\x1e'))::uuid) STORED;
ALTER TABLE connector_statuses DROP CONSTRAINT connector_statuses_pkey;
-- A repeated message has one effect.
ALTER TABLE connector_statuses ADD PRIMARY KEY (station_id, connector_id, status_at, digest);

-- The time that the station gave, as it wrote it, where that is ahead or cannot be. status_at is then the time of receipt, of which each
-- repeat has another: it is found by this one.
ALTER TABLE connector_statuses ADD COLUMN station_time text;
CREATE INDEX connector_statuses_by_station_time ON connector_statuses (station_id, connector_id, station_time)
  WHERE station_time IS NOT NULL;
