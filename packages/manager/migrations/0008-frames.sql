-- Up Migration

-- The record of all OCPP-J frames.
CREATE TABLE frames (
  station_id text NOT NULL,
  recorded_at timestamptz NOT NULL,
  direction text NOT NULL CHECK (direction IN ('in', 'out')),
  -- OCPP-J's message type: 2 call, 3 result, 4 error; 0 for text that is not a frame.
  type smallint NOT NULL,
  message_id text NOT NULL,
  action text,
  payload json,
  error_code text,
  error_description text,
  -- Text that is not a frame, truncated.
  raw text,
  connection_id text,
  PRIMARY KEY (station_id, recorded_at, direction, type, message_id)
) PARTITION BY RANGE (recorded_at);
CREATE TABLE frames_other PARTITION OF frames DEFAULT;
