-- Up Migration

-- Events are written by triggers, so each is committed together with the change that it describes, exactly once. The path of an event:
--   1. A trigger inserts it into event_intake. Transactions commit in any order, so the ids there do not become visible in order.
--   2. sequence_events moves it to events and gives it its final id. Readers and webhooks use only that table.
-- See docs/decisions/0006-events.md.

CREATE TABLE event_intake (
  intake_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- In whole milliseconds, as clients see it: so a client's value finds the event again.
  at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  kind text NOT NULL,
  station_id text NOT NULL,
  data jsonb NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- Once an id is visible, no lower id will appear.
CREATE TABLE events (
  id bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL,
  kind text NOT NULL,
  station_id text NOT NULL,
  data jsonb NOT NULL,
  PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE INDEX events_by_station ON events (station_id, id);
CREATE INDEX events_by_kind ON events (kind, id);
CREATE TABLE events_other PARTITION OF events DEFAULT;

-- Moves up to at_most events from event_intake to events and notifies listeners. Returns how many it moved, or null if another session is
-- doing this. That session holds the lock until it commits, so the next one sees all its ids.
CREATE FUNCTION sequence_events(at_most integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  newest bigint;
  added integer;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('evander'), hashtext('events')) THEN
    RETURN NULL;
  END IF;
  WITH taken AS (
    DELETE FROM event_intake
    WHERE intake_id IN (SELECT intake_id FROM event_intake ORDER BY intake_id LIMIT at_most)
    RETURNING *),
  put AS (
    INSERT INTO events (at, kind, station_id, data)
    SELECT at, kind, station_id, data FROM taken ORDER BY intake_id
    RETURNING id)
  SELECT max(id), count(*) INTO newest, added FROM put;
  IF newest IS NOT NULL THEN
    PERFORM pg_notify('evander_events', newest::text);
  END IF;
  RETURN added;
END $$;

-- Resources: the data of an event is the resource as the API shows it at that moment, with all its fields, also those that are null.
-- Each function below builds one; packages/manager/test/events/resources.test.ts compares it, field by field, with the response to GET.

-- A time as the API writes it.
CREATE FUNCTION event_time(at timestamptz) RETURNS text LANGUAGE sql STABLE
  RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

-- Many stations at once, because thousands may connect or boot in one statement. The settings make it use indexes and keep one plan per
-- session: when stations reconnect in a storm, the statistics are out of date.
CREATE FUNCTION station_resources(of_stations text[]) RETURNS TABLE (id text, data jsonb) LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  RETURN QUERY SELECT i.station_id, jsonb_build_object(
    'stationId', i.station_id,
    'adopted', s.station_id IS NOT NULL,
    -- 35 seconds: GATEWAY_LEASE_SECONDS in src/stations/connections.store.ts.
    'connected', coalesce(
      c.disconnected_at IS NULL AND NOT g.is_gone AND g.alive_at > now() - interval '35 seconds'
        AND (c.heard_until IS NULL OR c.heard_until > now()),
      false),
    'connectedAt', event_time(c.connected_at),
    'disconnectedAt', event_time(c.disconnected_at),
    'connectionId', c.connection_id,
    'gatewayId', c.gateway_id,
    'remoteAddress', c.remote_address,
    'securityProfile', s.security_profile,
    'pendingSecurityProfile', s.pending_security_profile,
    'connectionSecurityProfile', c.security_profile,
    'serialNumbers', s.serial_numbers,
    'certificateFingerprint', s.certificate_fingerprint,
    'userName', s.user_name,
    'assumedSubprotocol', s.assumed_subprotocol,
    'bootAnswer', s.boot_answer,
    'registrationStatus', s.registration_status,
    'bootedAt', event_time(s.booted_at),
    'vendor', s.vendor,
    'model', s.model,
    'chargePointSerialNumber', s.charge_point_serial_number,
    'chargeBoxSerialNumber', s.charge_box_serial_number,
    'firmwareVersion', s.firmware_version,
    'iccid', s.iccid,
    'imsi', s.imsi,
    'meterType', s.meter_type,
    'meterSerialNumber', s.meter_serial_number,
    'lastSeenAt', event_time(s.last_seen_at),
    'createdAt', event_time(s.created_at),
    'resetPendingSince', event_time(s.reset_pending_since),
    'availability', (
      SELECT jsonb_build_object(
        'requested', a.requested,
        'answer', a.answer,
        'requestedAt', event_time(a.requested_at))
      FROM availabilities a
      WHERE a.station_id = i.station_id AND a.connector_id = 0),
    'connectors', coalesce((
      SELECT jsonb_agg(jsonb_build_object(
        'connectorId', k.connector_id,
        'status', k.status,
        'errorCode', k.error_code,
        'info', k.info,
        'vendorId', k.vendor_id,
        'vendorErrorCode', k.vendor_error_code,
        'statusAt', event_time(k.status_at),
        'receivedAt', event_time(k.received_at),
        'availability', (
          SELECT jsonb_build_object(
            'requested', a.requested,
            'answer', a.answer,
            'requestedAt', event_time(a.requested_at))
          FROM availabilities a
          WHERE a.station_id = k.station_id AND a.connector_id = k.connector_id)) ORDER BY k.connector_id)
      FROM connectors k
      WHERE k.station_id = i.station_id), '[]'),
    'rejected', coalesce((
      SELECT jsonb_agg(jsonb_build_object(
        'reason', t.reason,
        'status', t.status,
        'remoteAddress', t.remote_address,
        'count', t.count,
        'firstAt', event_time(t.first_at),
        'lastAt', event_time(t.last_at)) ORDER BY t.last_at DESC)
      FROM rejected_handshakes t
      WHERE t.station_id = i.station_id), '[]'))
  FROM unnest(of_stations) AS i (station_id)
  LEFT JOIN stations s USING (station_id)
  LEFT JOIN connections c USING (station_id)
  LEFT JOIN gateways g USING (gateway_id);
END $$;

CREATE FUNCTION transaction_resource(t transactions) RETURNS jsonb LANGUAGE sql STABLE
RETURN jsonb_build_object(
  'transactionId', t.transaction_id,
  'stationId', t.station_id,
  'connectorId', t.connector_id,
  'state', t.state,
  'idTag', t.id_tag,
  'parentIdTag', t.parent_id_tag,
  'idTagStatus', t.id_tag_status,
  'startedAt', event_time(t.started_at),
  'meterStartWh', t.meter_start_wh,
  'reservationId', t.reservation_id,
  'remoteStartCommandId', t.remote_start_command_id,
  'stoppedAt', event_time(t.stopped_at),
  'meterStopWh', t.meter_stop_wh,
  'energyWh', t.energy_wh,
  'energySource', t.energy_source,
  'stopReason', t.stop_reason,
  'stopIdTag', t.stop_id_tag,
  'endedAt', event_time(coalesce(t.stopped_at, t.close_stopped_at, t.lost_at)),
  'flags', to_jsonb(t.flags || t.meter_flags),
  'closure', CASE WHEN t.closed_at IS NOT NULL THEN jsonb_build_object(
    'closedAt', event_time(t.closed_at),
    'closedBy', t.closed_by,
    'reason', t.close_reason,
    'meterStopWh', t.close_meter_stop_wh,
    'stoppedAt', event_time(t.close_stopped_at)) END,
  'startReceivedAt', event_time(t.start_received_at),
  'stopReceivedAt', event_time(t.stop_received_at));

CREATE FUNCTION unmatched_stop_resource(u unmatched_stops) RETURNS jsonb LANGUAGE sql STABLE
RETURN jsonb_build_object(
  'unmatchedStopId', u.unmatched_stop_id,
  'stationId', u.station_id,
  'transactionId', u.transaction_id,
  'idTag', u.id_tag,
  'meterStopWh', u.meter_stop_wh,
  'stoppedAt', event_time(u.stopped_at),
  'stopReason', u.stop_reason,
  'why', u.why,
  'state', u.state,
  'assignedTransactionId', u.assigned_transaction_id,
  'resolvedAt', event_time(u.resolved_at),
  'resolvedBy', u.resolved_by,
  'resolutionReason', u.resolution_reason,
  'request', u.request,
  'receivedAt', event_time(u.received_at));

CREATE FUNCTION command_resource(k commands) RETURNS jsonb LANGUAGE sql STABLE
RETURN jsonb_build_object(
  'commandId', k.command_id,
  'stationId', k.station_id,
  'action', k.action,
  'status', k.status,
  'request', k.request,
  'response', k.response,
  'error', CASE WHEN k.error_code IS NOT NULL THEN jsonb_build_object(
    'code', k.error_code,
    'description', k.error_description,
    'details', k.error_details) END,
  'hint', CASE WHEN k.action = 'UpdateFirmware' AND k.error_code IN ('NotSupported', 'NotImplemented')
    THEN 'the station may take signed firmware only; send SignedUpdateFirmware' END,
  'requestedBy', k.requested_by,
  'createdAt', event_time(k.created_at),
  'expiresAt', event_time(k.expires_at),
  'sentAt', event_time(k.sent_at),
  'completedAt', event_time(k.completed_at));

CREATE FUNCTION job_resource(of_job bigint) RETURNS jsonb LANGUAGE sql STABLE
RETURN (
  SELECT jsonb_build_object(
    'jobId', j.job_id,
    'stationId', j.station_id,
    'kind', j.kind,
    'commandId', j.command_id,
    'otherCommandId', j.other_command_id,
    'requestId', j.request_id,
    'logType', j.log_type,
    'location', j.location,
    'fileName', j.file_name,
    'filesReceived', j.files_received,
    -- The station reports 'Uploaded' when it has sent a file; none has arrived (src/jobs/job-list.store.ts).
    'outcome', CASE WHEN j.outcome = 'succeeded' AND j.files_received = 0 THEN 'reportedUploaded' ELSE j.outcome END,
    'reason', j.reason,
    'status', j.status,
    'statusAt', event_time(j.status_at),
    'requestedAt', event_time(j.requested_at),
    'acceptedAt', event_time(j.accepted_at),
    'startedAt', event_time(j.started_at),
    'endedAt', event_time(j.ended_at),
    -- Always null in an event, because the station has just reported a status.
    'silentSince', NULL,
    'firmwareVersionBefore', j.firmware_version_before,
    'firmwareVersionAfter', j.firmware_version_after)
  FROM station_jobs j
  WHERE j.job_id = of_job);

CREATE FUNCTION certificate_request_resource(r certificate_requests) RETURNS jsonb LANGUAGE sql STABLE
RETURN jsonb_build_object(
  'certificateRequestId', r.certificate_request_id,
  'stationId', r.station_id,
  'csr', r.csr,
  'state', r.state,
  'reason', r.reason,
  'commandId', r.command_id,
  'certificateChain', r.certificate_chain,
  'requestedAt', event_time(r.requested_at),
  'signedAt', event_time(r.signed_at),
  'completedAt', event_time(r.completed_at));

CREATE FUNCTION pnc_certificate_request_resource(r pnc_certificate_requests) RETURNS jsonb LANGUAGE sql STABLE
RETURN jsonb_build_object(
  'pncRequestId', r.pnc_request_id,
  'dialect', r.dialect,
  'stationId', r.station_id,
  'csr', r.csr,
  'state', r.state,
  'reason', r.reason,
  'commandId', r.command_id,
  'certificateChain', r.certificate_chain,
  'requestedAt', event_time(r.requested_at),
  'signedAt', event_time(r.signed_at),
  'completedAt', event_time(r.completed_at));

-- Triggers, by kind of event.

-- station.connected, station.disconnected: of connections. One run for all stations of a statement: in a storm of connections each row
-- would otherwise lock its gateway and start a query of its own.
CREATE FUNCTION events_of_connections() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  changed connections[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    changed := ARRAY(SELECT n FROM new_rows n);
  ELSE
    changed := ARRAY(
      SELECT n FROM new_rows n JOIN old_rows o USING (station_id)
      WHERE n.connection_id <> o.connection_id OR (n.disconnected_at IS NULL) <> (o.disconnected_at IS NULL));
  END IF;
  IF cardinality(changed) = 0 THEN
    RETURN NULL;
  END IF;
  -- An open connection at a gateway that is gone is not connected. The lock waits for a gateway that is just being marked as gone.
  PERFORM FROM gateways WHERE gateway_id IN (SELECT gateway_id FROM unnest(changed)) ORDER BY gateway_id FOR SHARE;
  INSERT INTO event_intake (kind, station_id, data)
  SELECT CASE WHEN c.disconnected_at IS NULL THEN 'station.connected' ELSE 'station.disconnected' END, c.station_id, r.data
  FROM unnest(changed) AS c
  JOIN station_resources(ARRAY(SELECT station_id FROM unnest(changed))) AS r ON r.id = c.station_id
  WHERE NOT EXISTS (SELECT FROM gateways g WHERE g.gateway_id = c.gateway_id AND g.is_gone)
  ORDER BY c.station_id;
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_new_connections AFTER INSERT ON connections
  REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION events_of_connections();
CREATE TRIGGER events_of_connections AFTER UPDATE ON connections
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION events_of_connections();

-- station.connected, station.disconnected: of all stations of a gateway. They are disconnected when it is gone, and connected again when it
-- is back, until it reports otherwise.
CREATE FUNCTION events_of_gateway() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  SELECT CASE WHEN NEW.is_gone THEN 'station.disconnected' ELSE 'station.connected' END, id, data
  FROM station_resources(ARRAY(
    SELECT station_id FROM connections WHERE gateway_id = NEW.gateway_id AND disconnected_at IS NULL));
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_gateway AFTER UPDATE OF is_gone ON gateways
  FOR EACH ROW WHEN (OLD.is_gone <> NEW.is_gone)
  EXECUTE FUNCTION events_of_gateway();

-- station.booted. A trigger with transition tables cannot name columns, so the function looks for updates that change booted_at.
CREATE FUNCTION events_of_boots() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  booted text[] := ARRAY(
    SELECT n.station_id FROM new_rows n JOIN old_rows o USING (station_id)
    WHERE n.booted_at IS NOT NULL AND n.booted_at IS DISTINCT FROM o.booted_at
    ORDER BY n.station_id);
BEGIN
  IF cardinality(booted) > 0 THEN
    INSERT INTO event_intake (kind, station_id, data) SELECT 'station.booted', id, data FROM station_resources(booted);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_boots AFTER UPDATE ON stations
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION events_of_boots();

-- connector.status. One event for each row of the history: several may come in one statement, and each status is reported.
CREATE FUNCTION events_of_statuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  SELECT 'connector.status', station_id, jsonb_build_object(
    'connectorId', connector_id,
    'status', status,
    'errorCode', error_code,
    'info', info,
    'vendorId', vendor_id,
    'vendorErrorCode', vendor_error_code,
    'statusAt', event_time(status_at),
    'receivedAt', event_time(received_at))
  FROM new_rows
  ORDER BY received_at, status_at;
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_statuses AFTER INSERT ON connector_statuses
  REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION events_of_statuses();

-- transaction.started, .stopped, .superseded, .closed. The triggers name the kind.
CREATE FUNCTION events_of_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data) VALUES (TG_ARGV[0], NEW.station_id, transaction_resource(NEW));
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_start AFTER INSERT ON transactions
  FOR EACH ROW EXECUTE FUNCTION events_of_transaction('transaction.started');
-- Also for a stop that replaces an inferred or assigned one.
CREATE TRIGGER events_of_stop AFTER UPDATE OF stopped_at ON transactions
  FOR EACH ROW WHEN (NEW.stopped_at IS NOT NULL AND (OLD.stopped_at IS NULL OR OLD.flags && '{stopInferred,stopAssigned}'))
  EXECUTE FUNCTION events_of_transaction('transaction.stopped');
-- The next start on the connector came before the stop, which is lost or late.
CREATE TRIGGER events_of_lost_stop AFTER UPDATE OF flags ON transactions
  FOR EACH ROW
  WHEN (NEW.stopped_at IS NULL AND NEW.flags @> '{supersededByStart}' AND NOT OLD.flags @> '{supersededByStart}')
  EXECUTE FUNCTION events_of_transaction('transaction.superseded');
CREATE TRIGGER events_of_closure AFTER UPDATE OF closed_at ON transactions
  FOR EACH ROW WHEN (OLD.closed_at IS NULL AND NEW.closed_at IS NOT NULL)
  EXECUTE FUNCTION events_of_transaction('transaction.closed');

-- transaction.unmatchedStop.
CREATE FUNCTION events_of_unmatched_stop() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES ('transaction.unmatchedStop', NEW.station_id, unmatched_stop_resource(NEW));
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_unmatched_stop AFTER INSERT ON unmatched_stops
  FOR EACH ROW EXECUTE FUNCTION events_of_unmatched_stop();
-- Another stop has replaced this one at the transaction that it was assigned to.
CREATE TRIGGER events_of_reopened_stop AFTER UPDATE OF state ON unmatched_stops
  FOR EACH ROW WHEN (NEW.state = 'open' AND OLD.state <> 'open')
  EXECUTE FUNCTION events_of_unmatched_stop();

-- transaction.stopAssigned, transaction.stopDismissed.
CREATE FUNCTION events_of_stop_resolution() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES (
    CASE NEW.state WHEN 'assigned' THEN 'transaction.stopAssigned' ELSE 'transaction.stopDismissed' END,
    NEW.station_id, unmatched_stop_resource(NEW));
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_stop_resolution AFTER UPDATE OF state ON unmatched_stops
  FOR EACH ROW WHEN (NEW.state <> 'open' AND NEW.state <> OLD.state)
  EXECUTE FUNCTION events_of_stop_resolution();

-- command.completed.
CREATE FUNCTION events_of_command() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data) VALUES ('command.completed', NEW.station_id, command_resource(NEW));
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_command AFTER UPDATE OF status ON commands
  FOR EACH ROW
  WHEN (NEW.status IN ('answered', 'failed', 'timedOut', 'connectionLost', 'expired') AND NEW.status <> OLD.status)
  EXECUTE FUNCTION events_of_command();

-- security.event.
CREATE FUNCTION events_of_security() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES ('security.event', NEW.station_id, jsonb_build_object(
    'stationId', NEW.station_id,
    'type', NEW.type,
    'occurredAt', event_time(NEW.occurred_at),
    'isCritical', NEW.is_critical,
    'techInfo', NEW.tech_info,
    'receivedAt', event_time(NEW.received_at)));
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_security AFTER INSERT ON security_events
  FOR EACH ROW EXECUTE FUNCTION events_of_security();

-- diagnostics.status, log.status, firmware.status: the reported status with its job. Deferred to the end of the database transaction, when
-- the job has been updated with the status.
CREATE FUNCTION events_of_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES (
    CASE NEW.kind WHEN 'diagnostics' THEN 'diagnostics.status' WHEN 'log' THEN 'log.status' ELSE 'firmware.status' END,
    NEW.station_id,
    jsonb_build_object(
      'stationId', NEW.station_id,
      'kind', NEW.kind,
      'status', NEW.status,
      'requestId', NEW.request_id,
      'receivedAt', event_time(NEW.received_at),
      'job', job_resource(NEW.job_id)));
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER events_of_job AFTER INSERT ON status_notifications DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION events_of_job();

-- certificate.requested and so on, by the state of the request: certificates of stations.
CREATE FUNCTION events_of_certificate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES ('certificate.' || NEW.state, NEW.station_id, certificate_request_resource(NEW));
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_new_certificate AFTER INSERT ON certificate_requests
  FOR EACH ROW EXECUTE FUNCTION events_of_certificate();
CREATE TRIGGER events_of_certificate AFTER UPDATE OF state ON certificate_requests
  FOR EACH ROW WHEN (NEW.state <> OLD.state)
  EXECUTE FUNCTION events_of_certificate();

-- The same kinds: certificates for Plug & Charge.
CREATE FUNCTION events_of_pnc_certificate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES ('certificate.' || NEW.state, NEW.station_id, pnc_certificate_request_resource(NEW));
  RETURN NULL;
END $$;
CREATE TRIGGER events_of_new_pnc_certificate AFTER INSERT ON pnc_certificate_requests
  FOR EACH ROW EXECUTE FUNCTION events_of_pnc_certificate();
CREATE TRIGGER events_of_pnc_certificate AFTER UPDATE OF state ON pnc_certificate_requests
  FOR EACH ROW WHEN (NEW.state <> OLD.state)
  EXECUTE FUNCTION events_of_pnc_certificate();
