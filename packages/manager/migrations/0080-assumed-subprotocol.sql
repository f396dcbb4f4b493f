-- Up Migration

-- What is spoken with a station that offers no subprotocol in its handshake; null: such a handshake is rejected.
ALTER TABLE stations ADD COLUMN assumed_subprotocol text CHECK (assumed_subprotocol IN ('ocpp1.6'));
