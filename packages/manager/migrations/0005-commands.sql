-- Up Migration

-- Every call that we make, from the request to its outcome. Those that wait are the queue of their station.
CREATE TABLE commands (
  command_id uuid PRIMARY KEY,
  sequence bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  station_id text NOT NULL,
  action text NOT NULL,
  -- What may be shown; when it had secrets, all of it is in sealed_request until the command is completed.
  request json NOT NULL,
  sealed_request bytea,
  status text NOT NULL DEFAULT 'queued'
    CHECK (status IN ('queued', 'sent', 'answered', 'failed', 'timedOut', 'expired')),
  response json,
  error_code text,
  error_description text,
  error_details json,
  requested_by text,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  sent_at timestamptz,
  -- When it was handed to the broker last, and for which connection.
  published_at timestamptz,
  connection_id text COLLATE "C",
  completed_at timestamptz
);
CREATE INDEX commands_by_station ON commands (station_id, sequence);
CREATE INDEX commands_by_action ON commands (station_id, action, sequence);
CREATE INDEX commands_open ON commands (station_id, sequence) WHERE status IN ('queued', 'sent');
-- OCPP-J §4.1.1: the next call waits for the answer to the one before.
CREATE UNIQUE INDEX commands_one_sent ON commands (station_id) WHERE status = 'sent';

-- The highest id given out per station and kind: ids are never used twice.
CREATE TABLE issued_ids (
  station_id text NOT NULL,
  kind text NOT NULL,
  last_id integer NOT NULL,
  PRIMARY KEY (station_id, kind)
);

-- What was asked of a connector, and what the station said to it; its status tells what came of it.
CREATE TABLE availabilities (
  station_id text NOT NULL,
  connector_id integer NOT NULL,
  requested text NOT NULL CHECK (requested IN ('Operative', 'Inoperative')),
  answer text NOT NULL,
  requested_at timestamptz NOT NULL,
  PRIMARY KEY (station_id, connector_id)
);

-- A reset that was accepted and has not been followed by a BootNotification.
ALTER TABLE stations ADD COLUMN reset_pending_since timestamptz;

ALTER TABLE transactions ADD COLUMN remote_start_command_id uuid;
CREATE INDEX transactions_by_remote_start ON transactions (remote_start_command_id)
  WHERE remote_start_command_id IS NOT NULL;
