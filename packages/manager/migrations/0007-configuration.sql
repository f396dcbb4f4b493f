-- Up Migration

-- Configuration keys as the station reported or accepted them.
CREATE TABLE configuration_keys (
  station_id text NOT NULL,
  -- Keys are case-insensitive (CiString).
  key_lower text NOT NULL,
  key text NOT NULL,
  -- Null: the station knows the key, and it has no value.
  value text,
  readonly boolean NOT NULL DEFAULT false,
  -- The station answered RebootRequired: the value takes effect at the next boot.
  reboot_required boolean NOT NULL DEFAULT false,
  -- The last value that the station accepted from us; null if we never changed it. Reading the configuration does not change this column,
  -- because a station may report the value that it booted with.
  accepted_value text,
  -- When the call was sent whose answer this row is from.
  read_at timestamptz NOT NULL,
  PRIMARY KEY (station_id, key_lower)
);
