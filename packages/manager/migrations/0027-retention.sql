-- Up Migration

-- Work that one manager of the fleet does, and when it was begun last.
CREATE TABLE chores (
  name text PRIMARY KEY,
  begun_at timestamptz NOT NULL
);

-- What is too old is looked for by these.
CREATE INDEX security_events_by_receipt ON security_events (received_at);
CREATE INDEX status_notifications_by_receipt ON status_notifications (received_at);
