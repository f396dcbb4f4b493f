-- Up Migration

-- How many files have come here for a job; null where they do not come here, or nobody counted.
ALTER TABLE station_jobs ADD COLUMN files_received integer,
  -- May a station that does not know the command of a signed update be sent the plain one? Which one was it?
  ADD COLUMN may_go_other_way boolean NOT NULL DEFAULT false,
  ADD COLUMN other_command_id uuid;
