-- Up Migration

-- The outcome of an application, stored with it: a list of one outcome reads only its own rows (docs/decisions/0020).
CREATE FUNCTION application_outcome(status text, response json) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN status <> 'answered' THEN status
    ELSE CASE response ->> 'status' WHEN 'Accepted' THEN 'accepted' WHEN 'Rejected' THEN 'rejected'
      WHEN 'NotSupported' THEN 'notSupported' ELSE 'answered' END END;
$$;

ALTER TABLE charging_profile_applications ADD COLUMN outcome text;

-- The command is locked, so it changes before this or sees this: an older manager records an application after its command.
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

UPDATE charging_profile_applications a SET outcome = CASE WHEN command_id IS NULL THEN 'refused'
  ELSE coalesce((SELECT application_outcome(k.status, k.response) FROM commands k WHERE k.command_id = a.command_id), 'forgotten') END;
ALTER TABLE charging_profile_applications ALTER COLUMN outcome SET NOT NULL;

CREATE INDEX charging_profile_applications_by_outcome ON charging_profile_applications (template_id, outcome, application_id);
CREATE INDEX charging_profile_applications_of_command ON charging_profile_applications (command_id) WHERE command_id IS NOT NULL;
