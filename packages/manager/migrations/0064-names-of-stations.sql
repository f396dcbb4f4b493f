-- Up Migration

-- A name in a certificate belongs to one station: looked up at each handshake with a client certificate.
CREATE INDEX stations_serial_numbers ON stations USING gin (serial_numbers);
