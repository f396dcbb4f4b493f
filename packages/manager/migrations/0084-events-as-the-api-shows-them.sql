-- Up Migration

-- The data of an event is its resource as the API shows it at that moment: all fields, also those that are null. A function each, which
-- test/events/resources.test.ts compares with what GET answers, field by field.

-- In PL/pgSQL, which plans it once per session: thousands of stations may come at a time.
CREATE FUNCTION station_resource(of_station text) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT jsonb_build_object(
    'stationId', i.station_id, 'adopted', s.station_id IS NOT NULL,
    -- 35 seconds: the lease of gateways (store/connections.ts).
    'connected', coalesce(c.disconnected_at IS NULL AND NOT g.is_gone AND g.alive_at > now() - interval '35 seconds'
      AND (c.heard_until IS NULL OR c.heard_until > now()), false),
    'connectedAt', event_time(c.connected_at), 'disconnectedAt', event_time(c.disconnected_at), 'connectionId', c.connection_id,
    'gatewayId', c.gateway_id, 'remoteAddress', c.remote_address, 'securityProfile', s.security_profile,
    'pendingSecurityProfile', s.pending_security_profile, 'connectionSecurityProfile', c.security_profile,
    'serialNumbers', s.serial_numbers, 'certificateFingerprint', s.certificate_fingerprint, 'userName', s.user_name,
    'assumedSubprotocol', s.assumed_subprotocol, 'bootAnswer', s.boot_answer, 'registrationStatus', s.registration_status, 'bootedAt', event_time(s.booted_at),
    'vendor', s.vendor, 'model', s.model, 'chargePointSerialNumber', s.charge_point_serial_number,
    'chargeBoxSerialNumber', s.charge_box_serial_number, 'firmwareVersion', s.firmware_version, 'iccid', s.iccid, 'imsi', s.imsi,
    'meterType', s.meter_type, 'meterSerialNumber', s.meter_serial_number, 'lastSeenAt', event_time(s.last_seen_at),
    'createdAt', event_time(s.created_at), 'resetPendingSince', event_time(s.reset_pending_since),
    'availability', (SELECT jsonb_build_object('requested', a.requested, 'answer', a.answer,
        'requestedAt', event_time(a.requested_at)) FROM availabilities a WHERE a.station_id = i.station_id AND a.connector_id = 0),
    'connectors', coalesce((SELECT jsonb_agg(jsonb_build_object('connectorId', k.connector_id, 'status', k.status,
        'errorCode', k.error_code, 'info', k.info, 'vendorId', k.vendor_id, 'vendorErrorCode', k.vendor_error_code,
        'statusAt', event_time(k.status_at), 'receivedAt', event_time(k.received_at),
        'availability', (SELECT jsonb_build_object('requested', a.requested, 'answer', a.answer,
        'requestedAt', event_time(a.requested_at)) FROM availabilities a WHERE a.station_id = k.station_id AND a.connector_id = k.connector_id)) ORDER BY k.connector_id)
      FROM connectors k WHERE k.station_id = i.station_id), '[]'),
    'rejected', coalesce((SELECT jsonb_agg(jsonb_build_object('reason', t.reason, 'status', t.status,
        'remoteAddress', t.remote_address, 'count', t.count, 'firstAt', event_time(t.first_at),
        'lastAt', event_time(t.last_at)) ORDER BY t.last_at DESC)
      FROM rejected_handshakes t WHERE t.station_id = i.station_id), '[]'))
  FROM (SELECT of_station AS station_id) i LEFT JOIN stations s USING (station_id) LEFT JOIN connections c USING (station_id)
    LEFT JOIN gateways g USING (gateway_id));
END $$;

CREATE FUNCTION transaction_resource(t transactions) RETURNS jsonb LANGUAGE sql STABLE
RETURN jsonb_build_object(
  'transactionId', t.transaction_id, 'stationId', t.station_id, 'connectorId', t.connector_id, 'state', t.state, 'idTag', t.id_tag,
  'parentIdTag', t.parent_id_tag, 'idTagStatus', t.id_tag_status, 'startedAt', event_time(t.started_at),
  'meterStartWh', t.meter_start_wh, 'reservationId', t.reservation_id, 'remoteStartCommandId', t.remote_start_command_id,
  'stoppedAt', event_time(t.stopped_at), 'meterStopWh', t.meter_stop_wh, 'energyWh', t.energy_wh, 'energySource', t.energy_source,
  'stopReason', t.stop_reason, 'stopIdTag', t.stop_id_tag,
  'endedAt', event_time(coalesce(t.stopped_at, t.close_stopped_at, t.lost_at)), 'flags', to_jsonb(t.flags || t.meter_flags),
  'closure', CASE WHEN t.closed_at IS NOT NULL THEN jsonb_build_object('closedAt', event_time(t.closed_at), 'closedBy', t.closed_by,
    'reason', t.close_reason, 'meterStopWh', t.close_meter_stop_wh, 'stoppedAt', event_time(t.close_stopped_at)) END,
  'startReceivedAt', event_time(t.start_received_at), 'stopReceivedAt', event_time(t.stop_received_at));

CREATE FUNCTION unmatched_stop_resource(u unmatched_stops) RETURNS jsonb LANGUAGE sql STABLE
RETURN jsonb_build_object(
  'unmatchedStopId', u.unmatched_stop_id, 'stationId', u.station_id, 'transactionId', u.transaction_id, 'idTag', u.id_tag,
  'meterStopWh', u.meter_stop_wh, 'stoppedAt', event_time(u.stopped_at), 'stopReason', u.stop_reason, 'why', u.why, 'state', u.state,
  'assignedTransactionId', u.assigned_transaction_id, 'resolvedAt', event_time(u.resolved_at), 'resolvedBy', u.resolved_by,
  'resolutionReason', u.resolution_reason, 'request', u.request, 'receivedAt', event_time(u.received_at));

CREATE FUNCTION command_resource(k commands) RETURNS jsonb LANGUAGE sql STABLE
RETURN jsonb_build_object(
  'commandId', k.command_id, 'stationId', k.station_id, 'action', k.action, 'status', k.status, 'request', k.request,
  'response', k.response,
  'error', CASE WHEN k.error_code IS NOT NULL THEN jsonb_build_object('code', k.error_code, 'description', k.error_description,
    'details', k.error_details) END,
  'hint', CASE WHEN k.action = 'UpdateFirmware' AND k.error_code IN ('NotSupported', 'NotImplemented')
    THEN 'the station may take signed firmware only; send SignedUpdateFirmware' END,
  'requestedBy', k.requested_by, 'createdAt', event_time(k.created_at), 'expiresAt', event_time(k.expires_at),
  'sentAt', event_time(k.sent_at), 'completedAt', event_time(k.completed_at));

CREATE FUNCTION job_resource(of_job bigint) RETURNS jsonb LANGUAGE sql STABLE
RETURN (SELECT jsonb_build_object(
    'jobId', j.job_id, 'stationId', j.station_id, 'kind', j.kind, 'commandId', j.command_id, 'otherCommandId', j.other_command_id,
    'requestId', j.request_id, 'logType', j.log_type, 'location', j.location, 'fileName', j.file_name,
    'filesReceived', j.files_received,
    -- 'Uploaded' says that a station has sent a file, not that one has come (store/job-list.ts).
    'outcome', CASE WHEN j.outcome = 'succeeded' AND j.files_received = 0 THEN 'reportedUploaded' ELSE j.outcome END,
    'reason', j.reason,
    'status', j.status, 'statusAt', event_time(j.status_at), 'requestedAt', event_time(j.requested_at),
    'acceptedAt', event_time(j.accepted_at), 'startedAt', event_time(j.started_at), 'endedAt', event_time(j.ended_at),
    -- Something has just been said of it.
    'silentSince', NULL,
    'firmwareVersionBefore', j.firmware_version_before, 'firmwareVersionAfter', j.firmware_version_after)
  FROM station_jobs j WHERE j.job_id = of_job);

CREATE FUNCTION certificate_request_resource(r certificate_requests) RETURNS jsonb LANGUAGE sql STABLE
RETURN jsonb_build_object(
  'certificateRequestId', r.certificate_request_id, 'stationId', r.station_id, 'csr', r.csr, 'state', r.state, 'reason', r.reason,
  'commandId', r.command_id, 'certificateChain', r.certificate_chain, 'requestedAt', event_time(r.requested_at),
  'signedAt', event_time(r.signed_at), 'completedAt', event_time(r.completed_at));

CREATE FUNCTION pnc_certificate_request_resource(r pnc_certificate_requests) RETURNS jsonb LANGUAGE sql STABLE
RETURN jsonb_build_object(
  'pncRequestId', r.pnc_request_id, 'dialect', r.dialect, 'stationId', r.station_id, 'csr', r.csr, 'state', r.state,
  'reason', r.reason, 'commandId', r.command_id, 'certificateChain', r.certificate_chain,
  'requestedAt', event_time(r.requested_at), 'signedAt', event_time(r.signed_at), 'completedAt', event_time(r.completed_at));

-- What makes events, as before (0025, 0039, 0056), but for their data.

-- One look at the gateways for all stations of a statement: thousands that come at once would each lock the row of theirs.
CREATE FUNCTION events_of_connections() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  changed connections[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    changed := ARRAY(SELECT n FROM new_rows n);
  ELSE
    changed := ARRAY(SELECT n FROM new_rows n JOIN old_rows o USING (station_id)
      WHERE n.connection_id <> o.connection_id OR (n.disconnected_at IS NULL) <> (o.disconnected_at IS NULL));
  END IF;
  IF cardinality(changed) = 0 THEN
    RETURN NULL;
  END IF;
  -- What is open at a gateway that is gone is not connected; the lock lets a gateway that goes at this moment be seen.
  PERFORM FROM gateways WHERE gateway_id IN (SELECT gateway_id FROM unnest(changed)) ORDER BY gateway_id FOR SHARE;
  INSERT INTO event_intake (kind, station_id, data)
  SELECT CASE WHEN c.disconnected_at IS NULL THEN 'station.connected' ELSE 'station.disconnected' END, c.station_id,
    station_resource(c.station_id)
  FROM unnest(changed) AS c
  WHERE NOT EXISTS (SELECT FROM gateways g WHERE g.gateway_id = c.gateway_id AND g.is_gone)
  ORDER BY c.station_id;
  RETURN NULL;
END $$;
DROP TRIGGER events_of_new_connection ON connections;
DROP TRIGGER events_of_connection ON connections;
DROP FUNCTION events_of_connection();
CREATE TRIGGER events_of_new_connections AFTER INSERT ON connections
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION events_of_connections();
CREATE TRIGGER events_of_connections AFTER UPDATE ON connections
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION events_of_connections();

CREATE OR REPLACE FUNCTION events_of_gateway() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  SELECT CASE WHEN NEW.is_gone THEN 'station.disconnected' ELSE 'station.connected' END, station_id, station_resource(station_id)
  FROM connections WHERE gateway_id = NEW.gateway_id AND disconnected_at IS NULL;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION events_of_boot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data) VALUES ('station.booted', NEW.station_id, station_resource(NEW.station_id));
  RETURN NULL;
END $$;

-- One for each line of the history: several may come in one write, and no state that a connector was in is skipped.
CREATE OR REPLACE FUNCTION events_of_statuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  SELECT 'connector.status', station_id, jsonb_build_object('connectorId', connector_id, 'status', status, 'errorCode', error_code,
    'info', info, 'vendorId', vendor_id, 'vendorErrorCode', vendor_error_code, 'statusAt', event_time(status_at),
    'receivedAt', event_time(received_at))
  FROM told ORDER BY received_at, status_at;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION events_of_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data) VALUES (TG_ARGV[0], NEW.station_id, transaction_resource(NEW));
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER events_of_closure AFTER UPDATE OF closed_at ON transactions FOR EACH ROW
  WHEN (OLD.closed_at IS NULL AND NEW.closed_at IS NOT NULL) EXECUTE FUNCTION events_of_transaction('transaction.closed');
DROP FUNCTION events_of_closure();

CREATE OR REPLACE FUNCTION events_of_unmatched_stop() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES ('transaction.unmatchedStop', NEW.station_id, unmatched_stop_resource(NEW));
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION events_of_stop_resolution() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES (CASE NEW.state WHEN 'assigned' THEN 'transaction.stopAssigned' ELSE 'transaction.stopDismissed' END, NEW.station_id,
    unmatched_stop_resource(NEW));
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION events_of_command() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data) VALUES ('command.completed', NEW.station_id, command_resource(NEW));
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION events_of_security() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES ('security.event', NEW.station_id, jsonb_build_object(
    'stationId', NEW.station_id, 'type', NEW.type, 'occurredAt', event_time(NEW.occurred_at), 'isCritical', NEW.is_critical,
    'techInfo', NEW.tech_info, 'receivedAt', event_time(NEW.received_at)));
  RETURN NULL;
END $$;

-- What the station said, with the job that it is about: at the end of the database transaction, when the job says it too.
CREATE OR REPLACE FUNCTION events_of_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES (CASE NEW.kind WHEN 'diagnostics' THEN 'diagnostics.status' WHEN 'log' THEN 'log.status' ELSE 'firmware.status' END,
    NEW.station_id, jsonb_build_object('stationId', NEW.station_id, 'kind', NEW.kind, 'status', NEW.status,
      'requestId', NEW.request_id, 'receivedAt', event_time(NEW.received_at), 'job', job_resource(NEW.job_id)));
  RETURN NULL;
END $$;
DROP TRIGGER events_of_job ON status_notifications;
CREATE CONSTRAINT TRIGGER events_of_job AFTER INSERT ON status_notifications DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION events_of_job();

CREATE OR REPLACE FUNCTION events_of_certificate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES ('certificate.' || NEW.state, NEW.station_id, certificate_request_resource(NEW));
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION events_of_pnc_certificate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  VALUES ('certificate.' || NEW.state, NEW.station_id, pnc_certificate_request_resource(NEW));
  RETURN NULL;
END $$;
