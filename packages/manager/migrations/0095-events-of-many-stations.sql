-- Up Migration

-- Thousands of stations that come back at once cost the start of a query each, for the data of their events: one query makes the data of all
-- stations of a statement now.

-- By index, and planned once per session, whatever the statistics say: they are of the moment before.
CREATE FUNCTION station_resources(of_stations text[]) RETURNS TABLE (id text, data jsonb) LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  RETURN QUERY SELECT i.station_id, jsonb_build_object(
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
  FROM unnest(of_stations) AS i (station_id) LEFT JOIN stations s USING (station_id) LEFT JOIN connections c USING (station_id)
    LEFT JOIN gateways g USING (gateway_id);
END $$;

-- What makes events of stations, as before (0084), but for where their data come from.

CREATE OR REPLACE FUNCTION events_of_connections() RETURNS trigger LANGUAGE plpgsql AS $$
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
  SELECT CASE WHEN c.disconnected_at IS NULL THEN 'station.connected' ELSE 'station.disconnected' END, c.station_id, r.data
  FROM unnest(changed) AS c JOIN station_resources(ARRAY(SELECT station_id FROM unnest(changed))) AS r ON r.id = c.station_id
  WHERE NOT EXISTS (SELECT FROM gateways g WHERE g.gateway_id = c.gateway_id AND g.is_gone)
  ORDER BY c.station_id;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION events_of_gateway() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_intake (kind, station_id, data)
  SELECT CASE WHEN NEW.is_gone THEN 'station.disconnected' ELSE 'station.connected' END, id, data
  FROM station_resources(ARRAY(SELECT station_id FROM connections WHERE gateway_id = NEW.gateway_id AND disconnected_at IS NULL));
  RETURN NULL;
END $$;

-- Of all updates of stations those are boots that change when they booted: a trigger that sees all rows of a statement cannot name columns.
CREATE FUNCTION events_of_boots() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  booted text[] := ARRAY(SELECT n.station_id FROM new_rows n JOIN old_rows o USING (station_id)
    WHERE n.booted_at IS NOT NULL AND n.booted_at IS DISTINCT FROM o.booted_at ORDER BY n.station_id);
BEGIN
  IF cardinality(booted) > 0 THEN
    INSERT INTO event_intake (kind, station_id, data) SELECT 'station.booted', id, data FROM station_resources(booted);
  END IF;
  RETURN NULL;
END $$;
DROP TRIGGER events_of_boot ON stations;
DROP FUNCTION events_of_boot();
CREATE TRIGGER events_of_boots AFTER UPDATE ON stations
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION events_of_boots();

DROP FUNCTION station_resource(text);
