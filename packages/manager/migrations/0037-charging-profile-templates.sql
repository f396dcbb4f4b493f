-- Up Migration

-- Charging profiles without the ids that each station gives them.
CREATE TABLE charging_profile_templates (
  template_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL CONSTRAINT charging_profile_templates_name UNIQUE,
  definition json NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- Each time that a template was to be set at a station.
CREATE TABLE charging_profile_applications (
  application_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  template_id uuid NOT NULL REFERENCES charging_profile_templates ON DELETE CASCADE,
  station_id text NOT NULL,
  connector_id integer NOT NULL,
  transaction_id integer,
  -- Of the SetChargingProfile; null when it was refused before one was sent, and why then.
  command_id uuid,
  unit text,
  refused_rule text,
  refused_reason text,
  requested_by text,
  requested_at timestamptz NOT NULL
);
CREATE INDEX charging_profile_applications_by_template ON charging_profile_applications (template_id, application_id);
CREATE INDEX charging_profile_applications_by_station
  ON charging_profile_applications (template_id, station_id, application_id);
