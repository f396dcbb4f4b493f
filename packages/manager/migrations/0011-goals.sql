-- Up Migration

-- What a station is to be brought to, step by step and by whichever manager is there: one reconciliation of each kind per station.
CREATE TABLE reconciliations (
  station_id text NOT NULL,
  kind text NOT NULL,
  desired jsonb NOT NULL,
  -- Is it looked at again when the station has booted?
  permanent boolean NOT NULL DEFAULT false,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'succeeded', 'failed')),
  -- What is done for it now, or why it failed, for people.
  doing text,
  -- The last command that was made for it; null before the first.
  command_id uuid,
  look_at timestamptz NOT NULL,
  requested_by text,
  requested_at timestamptz NOT NULL,
  completed_at timestamptz,
  PRIMARY KEY (station_id, kind)
);
CREATE INDEX reconciliations_by_time ON reconciliations (look_at) WHERE state = 'open';
