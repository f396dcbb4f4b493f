-- Up Migration

-- Connections that were rejected before they named a station: nobody can adopt them, and their address is all that there is to find them by.
CREATE TABLE rejected_connections (
  remote_address text NOT NULL,
  reason text NOT NULL,
  status smallint NOT NULL,
  count bigint NOT NULL DEFAULT 1,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (remote_address, reason)
);
CREATE INDEX rejected_connections_by_age ON rejected_connections (last_at, remote_address, reason);

INSERT INTO rejected_connections (remote_address, reason, status, count, first_at, last_at)
  SELECT coalesce(remote_address, ''), reason, status, count, first_at, last_at FROM rejected_handshakes WHERE station_id = '';
DELETE FROM rejected_handshakes WHERE station_id = '';
