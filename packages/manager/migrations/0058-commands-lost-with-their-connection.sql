-- Up Migration

-- A command that may have been done, and must not be done twice, ends with the connection that it went out on.
ALTER TABLE commands DROP CONSTRAINT commands_status_check;
ALTER TABLE commands ADD CONSTRAINT commands_status_check
  CHECK (status IN ('queued', 'sent', 'answered', 'failed', 'timedOut', 'connectionLost', 'expired')) NOT VALID;

DROP TRIGGER events_of_command ON commands;
CREATE TRIGGER events_of_command AFTER UPDATE OF status ON commands FOR EACH ROW
  WHEN (NEW.status IN ('answered', 'failed', 'timedOut', 'connectionLost', 'expired') AND NEW.status <> OLD.status)
  EXECUTE FUNCTION events_of_command();
