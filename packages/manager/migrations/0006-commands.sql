-- Up Migration

-- Every call to a station, from the request to its outcome. Queued commands are the station's queue.
CREATE TABLE commands (
  command_id uuid PRIMARY KEY,
  sequence bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  station_id text NOT NULL,
  action text NOT NULL,
  -- Without secrets. If there are any, sealed_request holds the whole request until the command is completed.
  request json NOT NULL,
  sealed_request bytea,
  requested_by text,
  status text NOT NULL DEFAULT 'queued'
    CHECK (status IN ('queued', 'sent', 'answered', 'failed', 'timedOut', 'connectionLost', 'expired')),
  response json,
  error_code text,
  error_description text,
  error_details json,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  -- When the command was last handed to the broker, and for which connection.
  published_at timestamptz,
  connection_id text COLLATE "C",
  sent_at timestamptz,
  completed_at timestamptz
);
CREATE INDEX commands_by_station ON commands (station_id, sequence);
CREATE INDEX commands_by_action ON commands (station_id, action, sequence);
CREATE INDEX commands_open ON commands (station_id, sequence) WHERE status IN ('queued', 'sent');
-- One call at a time per station (OCPP-J 4.1.1).
CREATE UNIQUE INDEX commands_one_sent ON commands (station_id) WHERE status = 'sent';
CREATE INDEX commands_by_time ON commands (created_at, sequence);
CREATE INDEX commands_of_action ON commands (action, created_at, sequence);
-- Lists by a status that few commands have. commands_open covers queued and sent; answered is most of the table.
CREATE INDEX commands_without_answer ON commands (created_at, sequence, status)
  WHERE status IN ('failed', 'timedOut', 'connectionLost', 'expired');
-- Polled once a second.
CREATE INDEX commands_with_secrets ON commands (completed_at) WHERE sealed_request IS NOT NULL;
