-- Up Migration

-- The receivers of events, and how far each of them is.
CREATE TABLE webhooks (
  webhook_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  url text NOT NULL,
  -- Null: all kinds, all stations.
  kinds text[],
  station_ids text[],
  active boolean NOT NULL DEFAULT true,
  -- Why it was deactivated, unless an operator did it.
  inactive_reason text,
  sealed_secret bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  -- Events up to this id are completed: delivered, or in webhook_deliveries. Above it, those in handled_ids are completed.
  last_event_id bigint NOT NULL,
  handled_ids bigint[] NOT NULL DEFAULT '{}',
  -- Held by the manager that posts. If it dies, another takes over when the lease ends.
  lease uuid,
  leased_until timestamptz NOT NULL DEFAULT '-infinity',
  -- While every delivery fails: consecutive failures, since when, and when to try again.
  failures integer NOT NULL DEFAULT 0,
  failing_since timestamptz,
  next_attempt_at timestamptz NOT NULL DEFAULT '-infinity',
  last_delivered_at timestamptz,
  last_error text,
  last_error_at timestamptz
);

-- Events that could not be delivered. The first of each station is retried, the others wait behind it. Dead ones have been given up.
CREATE TABLE webhook_deliveries (
  webhook_id uuid NOT NULL REFERENCES webhooks ON DELETE CASCADE,
  event_id bigint NOT NULL,
  event_at timestamptz NOT NULL,
  station_id text NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  -- Null: dead, or waiting behind another delivery of the station.
  next_attempt_at timestamptz,
  first_failed_at timestamptz,
  last_error text,
  dead_at timestamptz,
  PRIMARY KEY (webhook_id, event_id)
);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook_id, station_id, event_id) WHERE dead_at IS NULL;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX webhook_deliveries_dead ON webhook_deliveries (webhook_id, event_id) WHERE dead_at IS NOT NULL;
