-- Up Migration

CREATE TABLE reservations (
  reservation_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  station_id text NOT NULL,
  reservation_id integer NOT NULL,
  command_id uuid NOT NULL UNIQUE,
  connector_id integer NOT NULL,
  id_tag text NOT NULL,
  id_tag_key text NOT NULL,
  parent_id_tag text,
  expiry_date timestamptz NOT NULL,
  state text NOT NULL DEFAULT 'requested' CHECK (state IN
    ('requested', 'active', 'refused', 'used', 'cancelled', 'expired', 'lost', 'replaced', 'ended')),
  -- Why it was refused or lost.
  reason text,
  transaction_id integer,
  requested_at timestamptz NOT NULL,
  accepted_at timestamptz,
  -- When the connector's status became Reserved, by the station's clock.
  reserved_at timestamptz,
  ended_at timestamptz
);
CREATE INDEX reservations_by_station ON reservations (station_id, reservation_key);
CREATE INDEX reservations_by_id ON reservations (station_id, reservation_id);
CREATE INDEX reservations_live ON reservations (station_id) WHERE state IN ('requested', 'active');
