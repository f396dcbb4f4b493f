-- Up Migration

-- Uploads and firmware updates: they continue long after their command was answered.
CREATE TABLE station_jobs (
  job_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  station_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('diagnostics', 'log', 'firmware', 'signedFirmware')),
  command_id uuid NOT NULL UNIQUE,
  -- May a station that does not know the command for signed updates get the plain one? And which command was that?
  may_go_other_way boolean NOT NULL DEFAULT false,
  other_command_id uuid,
  -- Null for kinds without a request id.
  request_id integer,
  log_type text,
  -- Without the password.
  location text NOT NULL,
  file_name text,
  -- The number of files that arrived for an upload; null if it does not go to Evander.
  files_received integer,
  outcome text NOT NULL DEFAULT 'requested'
    CHECK (outcome IN ('requested', 'running', 'succeeded', 'failed', 'cancelled', 'nothingToDo')),
  -- Why it failed or was cancelled.
  reason text,
  -- The last status that the station reported.
  status text,
  status_at timestamptz,
  requested_at timestamptz NOT NULL,
  accepted_at timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  firmware_version_before text,
  firmware_version_after text
);
CREATE INDEX station_jobs_of_station ON station_jobs (station_id, job_id);
CREATE INDEX station_jobs_by_station ON station_jobs (station_id, kind, job_id);
CREATE INDEX station_jobs_by_request ON station_jobs (station_id, request_id) WHERE request_id IS NOT NULL;

-- Every job status that stations reported, including those of jobs that we did not request.
CREATE TABLE status_notifications (
  station_id text NOT NULL,
  kind text NOT NULL,
  received_at timestamptz NOT NULL,
  message_id text NOT NULL,
  status text NOT NULL,
  -- As sent.
  request_id bigint,
  job_id bigint,
  -- A redelivered envelope has the same time of receipt and message id.
  PRIMARY KEY (station_id, kind, received_at, message_id)
);
CREATE INDEX status_notifications_by_job ON status_notifications (job_id, received_at) WHERE job_id IS NOT NULL;
-- For retention.
CREATE INDEX status_notifications_by_receipt ON status_notifications (received_at);
