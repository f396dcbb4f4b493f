-- Up Migration

CREATE TABLE firmware_campaigns (
  campaign_id uuid PRIMARY KEY,
  name text NOT NULL,
  -- No references: a file may be removed, and the campaign still tells which it was.
  file_id uuid NOT NULL,
  file_name text NOT NULL,
  -- What stations boot with once they have it; null where nobody knows.
  firmware_version text,
  rollback_file_id uuid,
  signed text NOT NULL CHECK (signed IN ('yes', 'no', 'auto')),
  state text NOT NULL DEFAULT 'draft'
    CHECK (state IN ('draft', 'running', 'paused', 'stopped', 'cancelled', 'done')),
  -- Why it stopped.
  reason text,
  waves integer NOT NULL,
  current_wave integer NOT NULL DEFAULT 0,
  max_failures integer,
  max_failure_percent real,
  -- Which stations are rolled back when it stops by itself.
  rollback_on_stop text NOT NULL CHECK (rollback_on_stop IN ('none', 'failed', 'updated', 'all')),
  progress_timeout_seconds integer NOT NULL,
  absence_timeout_seconds integer NOT NULL,
  created_by text,
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  ended_at timestamptz,
  -- The manager that looks after it may do so alone until then.
  leased_until timestamptz NOT NULL
);
CREATE INDEX firmware_campaigns_by_time ON firmware_campaigns (created_at, campaign_id);

CREATE TABLE firmware_campaign_stations (
  campaign_id uuid NOT NULL REFERENCES firmware_campaigns ON DELETE CASCADE,
  station_id text NOT NULL,
  wave integer NOT NULL,
  -- A rollback begins with waiting again.
  phase text NOT NULL DEFAULT 'update' CHECK (phase IN ('update', 'rollback')),
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'downloading', 'downloaded', 'installing',
    'installed', 'failed', 'timedOut', 'skipped', 'rolledBack')),
  -- Why it failed, or what is to be known.
  reason text,
  -- How the update had ended when a rollback began.
  update_state text,
  update_reason text,
  attempts integer NOT NULL DEFAULT 0,
  -- The last command of the campaign to it; its job tells how it goes.
  command_id uuid,
  -- Is it sent signed? And was the other way tried before, which the station did not know?
  is_signed boolean,
  other_way_tried boolean NOT NULL DEFAULT false,
  firmware_version_before text,
  -- When its turn came.
  waiting_since timestamptz,
  sent_at timestamptz,
  completed_at timestamptz,
  -- A failure that an operator has seen and resumed after no longer counts.
  is_forgiven boolean NOT NULL DEFAULT false,
  PRIMARY KEY (campaign_id, station_id)
);
CREATE INDEX firmware_campaign_stations_by_wave ON firmware_campaign_stations (campaign_id, wave, station_id);
CREATE INDEX firmware_campaign_stations_open ON firmware_campaign_stations (campaign_id, phase)
  WHERE state IN ('waiting', 'sent', 'downloading', 'downloaded', 'installing');
CREATE INDEX firmware_campaign_stations_busy ON firmware_campaign_stations (station_id)
  WHERE state IN ('sent', 'downloading', 'downloaded', 'installing');
