-- Up Migration

-- Two statuses of one second may differ in what the station says about them, and a status may be longer than an index can take.
ALTER TABLE connector_statuses
  ADD COLUMN digest uuid NOT NULL GENERATED ALWAYS AS (md5(status || chr(31) || error_code || chr(31) || coalesce(info, '') || chr(31)
    || coalesce(vendor_id, '') || chr(31) || coalesce(vendor_error_code, ''))::uuid) STORED,
  DROP CONSTRAINT connector_statuses_pkey,
  ADD PRIMARY KEY (station_id, connector_id, status_at, digest);
