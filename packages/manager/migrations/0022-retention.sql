-- Up Migration

-- Recurring work that one manager does for all, and when it last began.
CREATE TABLE chores (
  name text PRIMARY KEY,
  begun_at timestamptz NOT NULL
);
