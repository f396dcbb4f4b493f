-- Up Migration

-- Another implementation's gateway announces no connections: a station that is heard through one counts as connected until then.
ALTER TABLE connections ADD COLUMN heard_until timestamptz;
CREATE INDEX connections_heard ON connections (heard_until) WHERE heard_until IS NOT NULL AND disconnected_at IS NULL;
INSERT INTO gateways (gateway_id, alive_at, is_gone) VALUES ('unannounced', 'infinity', false) ON CONFLICT DO NOTHING;
