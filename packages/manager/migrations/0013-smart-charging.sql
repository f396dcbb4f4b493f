-- Up Migration

-- The profiles that stations accepted and, as far as we know, still have: OCPP 1.6 cannot list them.
CREATE TABLE charging_profiles (
  station_id text NOT NULL,
  charging_profile_id integer NOT NULL,
  connector_id integer NOT NULL,
  purpose text NOT NULL,
  stack_level integer NOT NULL,
  -- For a TxProfile: it ends with its transaction.
  transaction_id integer,
  profile json NOT NULL,
  set_at timestamptz NOT NULL,
  PRIMARY KEY (station_id, charging_profile_id)
);

-- The last answer to GetCompositeSchedule.
CREATE TABLE composite_schedules (
  station_id text NOT NULL,
  connector_id integer NOT NULL,
  -- The requested unit, or else the one that the station chose; empty if there is neither.
  charging_rate_unit text NOT NULL,
  status text NOT NULL,
  duration_seconds integer NOT NULL,
  schedule_start timestamptz,
  charging_schedule json,
  asked_at timestamptz NOT NULL,
  PRIMARY KEY (station_id, connector_id, charging_rate_unit)
);

-- Charging profiles without the ids that differ between stations.
CREATE TABLE charging_profile_templates (
  template_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL CONSTRAINT charging_profile_templates_name UNIQUE,
  definition json NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- Each attempt to set a template at a station.
CREATE TABLE charging_profile_applications (
  application_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  template_id uuid NOT NULL REFERENCES charging_profile_templates ON DELETE CASCADE,
  station_id text NOT NULL,
  connector_id integer NOT NULL,
  transaction_id integer,
  unit text,
  -- The SetChargingProfile; null if it was refused before it was sent.
  command_id uuid,
  refused_rule text,
  refused_reason text,
  requested_by text,
  requested_at timestamptz NOT NULL,
  -- Set by the triggers below.
  outcome text NOT NULL
);
CREATE INDEX charging_profile_applications_by_template ON charging_profile_applications (template_id, application_id);
CREATE INDEX charging_profile_applications_by_station
  ON charging_profile_applications (template_id, station_id, application_id);
CREATE INDEX charging_profile_applications_by_outcome ON charging_profile_applications (template_id, outcome, application_id);
CREATE INDEX charging_profile_applications_of_command ON charging_profile_applications (command_id) WHERE command_id IS NOT NULL;

-- The outcome follows from the command. It is stored, so that a list filtered by outcome reads only its own rows (docs/decisions/0020).

CREATE FUNCTION application_outcome(status text, response json) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN status <> 'answered' THEN status
    ELSE CASE response ->> 'status'
      WHEN 'Accepted' THEN 'accepted'
      WHEN 'Rejected' THEN 'rejected'
      WHEN 'NotSupported' THEN 'notSupported'
      ELSE 'answered' END END;
$$;

-- An application may be inserted after its command, and the command may change at that moment. The lock on the command makes sure that
-- either this function or update_application_outcome sees the change.
CREATE FUNCTION set_application_outcome() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.command_id IS NULL THEN
    NEW.outcome := 'refused';
  ELSE
    SELECT application_outcome(status, response) INTO NEW.outcome FROM commands WHERE command_id = NEW.command_id FOR SHARE;
    NEW.outcome := coalesce(NEW.outcome, 'forgotten');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER outcome_of_application BEFORE INSERT ON charging_profile_applications
  FOR EACH ROW EXECUTE FUNCTION set_application_outcome();

CREATE FUNCTION update_application_outcome() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE charging_profile_applications
  SET outcome = CASE TG_OP WHEN 'DELETE' THEN 'forgotten' ELSE application_outcome(NEW.status, NEW.response) END
  WHERE command_id = OLD.command_id;
  RETURN NULL;
END $$;
CREATE TRIGGER outcome_of_changed_command AFTER UPDATE OF status, response ON commands
  FOR EACH ROW WHEN (NEW.action = 'SetChargingProfile') EXECUTE FUNCTION update_application_outcome();
CREATE TRIGGER outcome_of_deleted_command AFTER DELETE ON commands
  FOR EACH ROW WHEN (OLD.action = 'SetChargingProfile') EXECUTE FUNCTION update_application_outcome();
