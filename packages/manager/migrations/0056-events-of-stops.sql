-- Up Migration

-- A stop that replaces an inferred or assigned one is reported as well.
DROP TRIGGER events_of_stop ON transactions;
CREATE TRIGGER events_of_stop AFTER UPDATE OF stopped_at ON transactions FOR EACH ROW
  WHEN (NEW.stopped_at IS NOT NULL AND (OLD.stopped_at IS NULL OR OLD.flags && '{stopInferred,stopAssigned}'))
  EXECUTE FUNCTION events_of_transaction('transaction.stopped');

-- Another stop has ended the transaction that this one was assigned to.
CREATE TRIGGER events_of_reopened_stop AFTER UPDATE OF state ON unmatched_stops FOR EACH ROW
  WHEN (NEW.state = 'open' AND OLD.state <> 'open') EXECUTE FUNCTION events_of_unmatched_stop();

CREATE FUNCTION events_of_stop_resolution() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES (CASE NEW.state WHEN 'assigned' THEN 'transaction.stopAssigned' ELSE 'transaction.stopDismissed' END, NEW.station_id,
    jsonb_strip_nulls(jsonb_build_object('unmatchedStopId', NEW.unmatched_stop_id, 'transactionId', NEW.assigned_transaction_id,
      'resolvedBy', NEW.resolved_by, 'reason', NEW.resolution_reason)));
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_stop_resolution AFTER UPDATE OF state ON unmatched_stops FOR EACH ROW
  WHEN (NEW.state <> 'open' AND NEW.state <> OLD.state) EXECUTE FUNCTION events_of_stop_resolution();
