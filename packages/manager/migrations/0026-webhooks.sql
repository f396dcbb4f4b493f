-- Up Migration

-- Where events are posted to, and how far this has come.
CREATE TABLE webhooks (
  webhook_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  url text NOT NULL,
  -- Null: all kinds, all stations.
  kinds text[],
  station_ids text[],
  active boolean NOT NULL DEFAULT true,
  -- Why it was made inactive, where it was not by a person.
  inactive_reason text,
  sealed_secret bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  -- Events up to this one are completed: delivered, or kept in webhook_deliveries. Beyond it, those in handled_ids.
  last_event_id bigint NOT NULL,
  handled_ids bigint[] NOT NULL DEFAULT '{}',
  -- The manager that is at it, until when. One that dies is followed by another.
  lease uuid,
  leased_until timestamptz NOT NULL DEFAULT '-infinity',
  -- While its receiver takes nothing from anybody: rounds in a row, since when, and when it is tried again.
  failures integer NOT NULL DEFAULT 0,
  failing_since timestamptz,
  next_attempt_at timestamptz NOT NULL DEFAULT '-infinity',
  last_delivered_at timestamptz,
  last_error text,
  last_error_at timestamptz
);

-- Events that could not be delivered: the first of each station is tried again, the others wait behind it. The dead are given up.
CREATE TABLE webhook_deliveries (
  webhook_id uuid NOT NULL REFERENCES webhooks ON DELETE CASCADE,
  event_id bigint NOT NULL,
  event_at timestamptz NOT NULL,
  station_id text NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  -- Null: waits behind another of its station, or is dead.
  next_attempt_at timestamptz,
  first_failed_at timestamptz,
  last_error text,
  dead_at timestamptz,
  PRIMARY KEY (webhook_id, event_id)
);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook_id, station_id, event_id) WHERE dead_at IS NULL;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX webhook_deliveries_dead ON webhook_deliveries (webhook_id, event_id) WHERE dead_at IS NOT NULL;
