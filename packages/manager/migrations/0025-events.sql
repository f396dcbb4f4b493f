-- Up Migration

-- Events come here with their effects, in the same database transaction, in whatever order those are committed.
CREATE TABLE event_intake (
  intake_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- In whole milliseconds: what was read of it finds it again.
  at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  kind text NOT NULL,
  station_id text NOT NULL,
  data jsonb NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- And here they stand in the order that readers may rely on: an id that can be seen is followed by greater ones only.
CREATE TABLE events (
  id bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL,
  kind text NOT NULL,
  station_id text NOT NULL,
  data jsonb NOT NULL,
  PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE INDEX events_by_station ON events (station_id, id);
CREATE TABLE events_other PARTITION OF events DEFAULT;

-- Gives the events that have come their ids, and tells who listens; how many, or null while another session is at it. Each round sees
-- all that the one before has committed, as the lock is held until then.
CREATE FUNCTION sequence_events(at_most integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  newest bigint;
  added integer;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('evander'), hashtext('events')) THEN
    RETURN NULL;
  END IF;
  WITH taken AS (
    DELETE FROM event_intake WHERE intake_id IN (SELECT intake_id FROM event_intake ORDER BY intake_id LIMIT at_most) RETURNING *),
  put AS (
    INSERT INTO events (at, kind, station_id, data) SELECT at, kind, station_id, data FROM taken ORDER BY intake_id RETURNING id)
  SELECT max(id), count(*) INTO newest, added FROM put;
  IF newest IS NOT NULL THEN
    PERFORM pg_notify('evander_events', newest::text);
  END IF;
  RETURN added;
END $$;

CREATE FUNCTION event_time(at timestamptz) RETURNS text LANGUAGE sql STABLE
  RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

-- Below: what makes events. Fields that are null are left out.

-- What is open at a gateway that is gone is not connected; the lock lets a gateway that goes at this moment be seen.
CREATE FUNCTION events_of_connection() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  gateway_gone boolean;
BEGIN
  SELECT is_gone INTO gateway_gone FROM gateways WHERE gateway_id = NEW.gateway_id FOR SHARE;
  IF gateway_gone THEN
    RETURN NULL;
  END IF;
  INSERT INTO event_intake (kind, station_id, data)
  VALUES (CASE WHEN NEW.disconnected_at IS NULL THEN 'station.connected' ELSE 'station.disconnected' END, NEW.station_id,
    jsonb_strip_nulls(jsonb_build_object('connectionId', NEW.connection_id, 'gatewayId', NEW.gateway_id,
      'remoteAddress', NEW.remote_address, 'connectedAt', event_time(NEW.connected_at),
      'disconnectedAt', event_time(NEW.disconnected_at))));
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_new_connection AFTER INSERT ON connections FOR EACH ROW EXECUTE FUNCTION events_of_connection();
CREATE TRIGGER events_of_connection AFTER UPDATE OF connection_id, disconnected_at ON connections FOR EACH ROW
  WHEN (NEW.connection_id <> OLD.connection_id OR (NEW.disconnected_at IS NULL) <> (OLD.disconnected_at IS NULL))
  EXECUTE FUNCTION events_of_connection();

-- With a gateway go its stations, and with its return they are back until it says otherwise.
CREATE FUNCTION events_of_gateway() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  SELECT CASE WHEN NEW.is_gone THEN 'station.disconnected' ELSE 'station.connected' END, station_id,
    jsonb_strip_nulls(jsonb_build_object('connectionId', connection_id, 'gatewayId', gateway_id, 'remoteAddress', remote_address,
      'connectedAt', event_time(connected_at), 'reason', CASE WHEN NEW.is_gone THEN 'gatewayGone' ELSE 'gatewayBack' END))
  FROM connections WHERE gateway_id = NEW.gateway_id AND disconnected_at IS NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_gateway AFTER UPDATE OF is_gone ON gateways FOR EACH ROW
  WHEN (OLD.is_gone <> NEW.is_gone) EXECUTE FUNCTION events_of_gateway();

CREATE FUNCTION events_of_boot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES ('station.booted', NEW.station_id, jsonb_strip_nulls(jsonb_build_object(
    'registrationStatus', NEW.registration_status, 'bootedAt', event_time(NEW.booted_at), 'vendor', NEW.vendor,
    'model', NEW.model, 'firmwareVersion', NEW.firmware_version)));
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_boot AFTER UPDATE OF booted_at ON stations FOR EACH ROW
  WHEN (NEW.booted_at IS NOT NULL AND NEW.booted_at IS DISTINCT FROM OLD.booted_at) EXECUTE FUNCTION events_of_boot();

-- One for each line of the history: several may come in one write, and no state that a connector was in is ignored.
CREATE FUNCTION events_of_statuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  SELECT 'connector.status', station_id, jsonb_strip_nulls(jsonb_build_object('connectorId', connector_id, 'status', status,
    'errorCode', error_code, 'info', info, 'vendorId', vendor_id, 'vendorErrorCode', vendor_error_code,
    'statusAt', event_time(status_at)))
  FROM told ORDER BY received_at, status_at;
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_statuses AFTER INSERT ON connector_statuses
  REFERENCING NEW TABLE AS told FOR EACH STATEMENT EXECUTE FUNCTION events_of_statuses();

CREATE FUNCTION events_of_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES (TG_ARGV[0], NEW.station_id, jsonb_strip_nulls(jsonb_build_object(
    'transactionId', NEW.transaction_id, 'connectorId', NEW.connector_id, 'idTag', NEW.id_tag, 'idTagStatus', NEW.id_tag_status,
    'meterStartWh', NEW.meter_start_wh, 'startedAt', event_time(NEW.started_at), 'reservationId', NEW.reservation_id,
    'meterStopWh', NEW.meter_stop_wh, 'stoppedAt', event_time(NEW.stopped_at), 'stopReason', NEW.stop_reason,
    'stopIdTag', NEW.stop_id_tag, 'energyWh', NEW.energy_wh, 'flags', to_jsonb(nullif(NEW.flags, '{}')))));
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_start AFTER INSERT ON transactions FOR EACH ROW
  EXECUTE FUNCTION events_of_transaction('transaction.started');
CREATE TRIGGER events_of_stop AFTER UPDATE OF stopped_at ON transactions FOR EACH ROW
  WHEN (OLD.stopped_at IS NULL AND NEW.stopped_at IS NOT NULL) EXECUTE FUNCTION events_of_transaction('transaction.stopped');
-- A start came on its connector before its stop did: it has ended, and the stop is lost or late.
CREATE TRIGGER events_of_lost_stop AFTER UPDATE OF flags ON transactions FOR EACH ROW
  WHEN (NEW.stopped_at IS NULL AND NEW.flags @> '{supersededByStart}' AND NOT OLD.flags @> '{supersededByStart}')
  EXECUTE FUNCTION events_of_transaction('transaction.superseded');

CREATE FUNCTION events_of_unmatched_stop() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES ('transaction.unmatchedStop', NEW.station_id, jsonb_strip_nulls(jsonb_build_object(
    'unmatchedStopId', NEW.unmatched_stop_id, 'transactionId', NEW.transaction_id, 'idTag', NEW.id_tag,
    'stoppedAt', event_time(NEW.stopped_at), 'meterStopWh', NEW.meter_stop_wh, 'stopReason', NEW.stop_reason, 'why', NEW.why)));
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_unmatched_stop AFTER INSERT ON unmatched_stops FOR EACH ROW EXECUTE FUNCTION events_of_unmatched_stop();

-- The response stays with the command: a station's whole configuration would be no news.
CREATE FUNCTION events_of_command() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES ('command.completed', NEW.station_id, jsonb_strip_nulls(jsonb_build_object(
    'commandId', NEW.command_id, 'action', NEW.action, 'status', NEW.status, 'responseStatus', left(NEW.response ->> 'status', 50),
    'errorCode', NEW.error_code, 'errorDescription', NEW.error_description, 'requestedBy', NEW.requested_by,
    'createdAt', event_time(NEW.created_at), 'completedAt', event_time(NEW.completed_at))));
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_command AFTER UPDATE OF status ON commands FOR EACH ROW
  WHEN (NEW.status IN ('answered', 'failed', 'timedOut', 'expired') AND NEW.status <> OLD.status)
  EXECUTE FUNCTION events_of_command();

CREATE FUNCTION events_of_security() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES ('security.event', NEW.station_id, jsonb_strip_nulls(jsonb_build_object(
    'type', NEW.type, 'isCritical', NEW.is_critical, 'occurredAt', event_time(NEW.occurred_at), 'techInfo', NEW.tech_info)));
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_security AFTER INSERT ON security_events FOR EACH ROW EXECUTE FUNCTION events_of_security();

CREATE FUNCTION events_of_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES (CASE NEW.kind WHEN 'diagnostics' THEN 'diagnostics.status' WHEN 'log' THEN 'log.status' ELSE 'firmware.status' END,
    NEW.station_id, jsonb_strip_nulls(jsonb_build_object('status', NEW.status, 'jobId', NEW.job_id, 'requestId', NEW.request_id,
      'isSigned', CASE NEW.kind WHEN 'signedFirmware' THEN true WHEN 'firmware' THEN false END)));
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_job AFTER INSERT ON status_notifications FOR EACH ROW EXECUTE FUNCTION events_of_job();

CREATE FUNCTION events_of_certificate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES ('certificate.' || NEW.state, NEW.station_id, jsonb_strip_nulls(jsonb_build_object(
    'certificateRequestId', NEW.certificate_request_id, 'reason', NEW.reason, 'commandId', NEW.command_id)));
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_new_certificate AFTER INSERT ON certificate_requests FOR EACH ROW EXECUTE FUNCTION events_of_certificate();
CREATE TRIGGER events_of_certificate AFTER UPDATE OF state ON certificate_requests FOR EACH ROW
  WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION events_of_certificate();
