-- Up Migration

-- Every authorization by contract certificate.
CREATE TABLE pnc_authorizations (
  station_id text NOT NULL,
  received_at timestamptz NOT NULL,
  message_id text NOT NULL,
  dialect text NOT NULL,
  -- As the station sent it, and as it is compared.
  emaid text NOT NULL,
  emaid_key text NOT NULL,
  -- The tag that decided; null when there is none.
  id_tag text,
  status text NOT NULL,
  -- Null when the station sent nothing to check.
  certificate_status text,
  -- Why the certificate was not accepted.
  reason text,
  -- A repeat of an envelope has its time of receipt and its message id.
  PRIMARY KEY (received_at, station_id, message_id)
);
CREATE INDEX pnc_authorizations_by_station ON pnc_authorizations (station_id, received_at);
CREATE INDEX pnc_authorizations_by_emaid ON pnc_authorizations (emaid_key, received_at);
