-- Up Migration

-- The profiles that stations have accepted and still have, as far as we know: 1.6 has no way to ask them.
CREATE TABLE charging_profiles (
  station_id text NOT NULL,
  charging_profile_id integer NOT NULL,
  connector_id integer NOT NULL,
  purpose text NOT NULL,
  stack_level integer NOT NULL,
  -- Of a TxProfile: it goes with its transaction.
  transaction_id integer,
  profile json NOT NULL,
  set_at timestamptz NOT NULL,
  PRIMARY KEY (station_id, charging_profile_id)
);

-- What stations answered last to GetCompositeSchedule.
CREATE TABLE composite_schedules (
  station_id text NOT NULL,
  connector_id integer NOT NULL,
  -- Asked for, or chosen by the station; empty when neither said one.
  charging_rate_unit text NOT NULL,
  status text NOT NULL,
  duration_seconds integer NOT NULL,
  schedule_start timestamptz,
  charging_schedule json,
  asked_at timestamptz NOT NULL,
  PRIMARY KEY (station_id, connector_id, charging_rate_unit)
);

-- Local authorization lists as stations have accepted them.
CREATE TABLE local_lists (
  station_id text PRIMARY KEY,
  -- What the station has: as it told, or accepted. -1: it has no local lists.
  version integer,
  version_at timestamptz,
  -- The version that local_list_entries stand for.
  mirrored_version integer,
  -- When the last SendLocalList with an answer was sent, its answer, and the last Full one that was accepted.
  sent_at timestamptz,
  last_status text,
  last_update_type text,
  full_at timestamptz,
  -- Since when only a Full list brings both sides together again.
  needs_full_since timestamptz
);

CREATE TABLE local_list_entries (
  station_id text NOT NULL,
  id_tag_key text NOT NULL,
  id_tag text NOT NULL,
  id_tag_info json NOT NULL,
  PRIMARY KEY (station_id, id_tag_key)
);

-- AuthorizationKeys on their way to stations: good beside the password that the station has, until one of them is certain.
CREATE TABLE password_changes (
  command_id uuid PRIMARY KEY,
  sequence bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  station_id text NOT NULL,
  password_hashes text[] NOT NULL,
  -- When one was sent that was answered RebootRequired: it is the password after the next boot.
  awaits_boot_since timestamptz
);
CREATE INDEX password_changes_by_station ON password_changes (station_id, sequence);
