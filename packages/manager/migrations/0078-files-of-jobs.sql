-- Up Migration

-- How many files have come here for a job; null where they do not come here, or nobody counted.
ALTER TABLE station_jobs ADD COLUMN files_received integer,
  -- May a station that does not know the command of a signed update be sent the plain one? Which one was it?
  ADD COLUMN may_go_other_way boolean NOT NULL DEFAULT false,
  ADD COLUMN other_command_id uuid;

-- 'Uploaded' says that a station has sent a file, not that one has come: the event tells both.
CREATE OR REPLACE FUNCTION events_of_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES (CASE NEW.kind WHEN 'diagnostics' THEN 'diagnostics.status' WHEN 'log' THEN 'log.status' ELSE 'firmware.status' END,
    NEW.station_id, jsonb_strip_nulls(jsonb_build_object('status', NEW.status, 'jobId', NEW.job_id, 'requestId', NEW.request_id,
      'isSigned', CASE NEW.kind WHEN 'signedFirmware' THEN true WHEN 'firmware' THEN false END,
      'filesReceived', (SELECT files_received FROM station_jobs WHERE job_id = NEW.job_id))));
  RETURN NULL;
END $$;
