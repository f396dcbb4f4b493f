-- Up Migration

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
    jsonb_strip_nulls(jsonb_build_object('connectionId', c.connection_id, 'gatewayId', c.gateway_id,
      'remoteAddress', c.remote_address, 'connectedAt', event_time(c.connected_at),
      'disconnectedAt', event_time(c.disconnected_at)))
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
