-- Up Migration

-- Configuration keys as the station told of them, or accepted them. Keys are compared without regard to case (CiString).
CREATE TABLE configuration_keys (
  station_id text NOT NULL,
  key_lower text NOT NULL,
  key text NOT NULL,
  -- Null: known to the station, and not set.
  value text,
  readonly boolean NOT NULL DEFAULT false,
  -- Answered RebootRequired: the value is in force after the next boot.
  reboot_required boolean NOT NULL DEFAULT false,
  -- When the call was sent whose answer told it.
  read_at timestamptz NOT NULL,
  PRIMARY KEY (station_id, key_lower)
);

-- When the last GetConfiguration for all keys was sent that has been answered.
ALTER TABLE stations ADD COLUMN configuration_read_at timestamptz;
