-- Up Migration

-- An operator's end of a transaction.
CREATE FUNCTION events_of_closure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES ('transaction.closed', NEW.station_id, jsonb_strip_nulls(jsonb_build_object(
    'transactionId', NEW.transaction_id, 'connectorId', NEW.connector_id, 'idTag', NEW.id_tag, 'idTagStatus', NEW.id_tag_status,
    'meterStartWh', NEW.meter_start_wh, 'startedAt', event_time(NEW.started_at), 'meterStopWh', NEW.close_meter_stop_wh,
    'stoppedAt', event_time(NEW.close_stopped_at), 'closedBy', NEW.closed_by, 'reason', NEW.close_reason,
    'energyWh', NEW.energy_wh, 'flags', to_jsonb(nullif(NEW.flags, '{}')))));
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_closure AFTER UPDATE OF closed_at ON transactions FOR EACH ROW
  WHEN (OLD.closed_at IS NULL AND NEW.closed_at IS NOT NULL) EXECUTE FUNCTION events_of_closure();

-- Certificates for Plug & Charge go the same way as those of the station itself.
CREATE FUNCTION events_of_pnc_certificate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES ('certificate.' || NEW.state, NEW.station_id, jsonb_strip_nulls(jsonb_build_object(
    'pncRequestId', NEW.pnc_request_id, 'reason', NEW.reason, 'commandId', NEW.command_id)));
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_new_pnc_certificate AFTER INSERT ON pnc_certificate_requests FOR EACH ROW
  EXECUTE FUNCTION events_of_pnc_certificate();
CREATE TRIGGER events_of_pnc_certificate AFTER UPDATE OF state ON pnc_certificate_requests FOR EACH ROW
  WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION events_of_pnc_certificate();
