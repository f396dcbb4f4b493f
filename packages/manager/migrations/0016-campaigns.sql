-- Up Migration

CREATE TABLE firmware_campaigns (
  campaign_id uuid PRIMARY KEY,
  name text NOT NULL,
  -- Not references: the campaign still shows which file it was after the file is deleted.
  file_id uuid NOT NULL,
  file_name text NOT NULL,
  rollback_file_id uuid,
  -- The version that stations report once they have installed it; null if unknown.
  firmware_version text,
  signed text NOT NULL CHECK (signed IN ('yes', 'no', 'auto')),
  state text NOT NULL DEFAULT 'draft'
    CHECK (state IN ('draft', 'running', 'paused', 'stopped', 'cancelled', 'done')),
  -- Why it stopped.
  reason text,
  waves integer NOT NULL,
  current_wave integer NOT NULL DEFAULT 0,
  max_failures integer,
  max_failure_percent real,
  -- The stations to roll back when the campaign stops because of failures.
  rollback_on_stop text NOT NULL CHECK (rollback_on_stop IN ('none', 'failed', 'updated', 'all')),
  progress_timeout_seconds integer NOT NULL,
  absence_timeout_seconds integer NOT NULL,
  created_by text,
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  ended_at timestamptz,
  -- Until then only the manager that holds the lease advances the campaign.
  leased_until timestamptz NOT NULL
);
CREATE INDEX firmware_campaigns_by_time ON firmware_campaigns (created_at, campaign_id);

CREATE TABLE firmware_campaign_stations (
  campaign_id uuid NOT NULL REFERENCES firmware_campaigns ON DELETE CASCADE,
  station_id text NOT NULL,
  wave integer NOT NULL,
  -- A rollback starts in the state 'waiting' again.
  phase text NOT NULL DEFAULT 'update' CHECK (phase IN ('update', 'rollback')),
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'downloading', 'downloaded', 'installing',
    'installed', 'failed', 'timedOut', 'skipped', 'rolledBack')),
  -- Why it failed, or a remark.
  reason text,
  -- How the update had ended when the rollback began.
  update_state text,
  update_reason text,
  -- A failure that does not count any more, because an operator has resumed the campaign since.
  is_forgiven boolean NOT NULL DEFAULT false,
  attempts integer NOT NULL DEFAULT 0,
  -- The campaign's last command to the station; the job of the command shows the progress.
  command_id uuid,
  -- Is the update sent as a signed one? And was the other command tried before, which the station did not know?
  is_signed boolean,
  other_way_tried boolean NOT NULL DEFAULT false,
  firmware_version_before text,
  -- When the station's turn came.
  waiting_since timestamptz,
  sent_at timestamptz,
  completed_at timestamptz,
  PRIMARY KEY (campaign_id, station_id)
);
CREATE INDEX firmware_campaign_stations_by_wave ON firmware_campaign_stations (campaign_id, wave, station_id);
CREATE INDEX firmware_campaign_stations_by_state ON firmware_campaign_stations (campaign_id, state);
CREATE INDEX firmware_campaign_stations_open ON firmware_campaign_stations (campaign_id, phase)
  WHERE state IN ('waiting', 'sent', 'downloading', 'downloaded', 'installing');
CREATE INDEX firmware_campaign_stations_busy ON firmware_campaign_stations (station_id)
  WHERE state IN ('sent', 'downloading', 'downloaded', 'installing');
