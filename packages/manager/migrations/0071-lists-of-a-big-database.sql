-- Up Migration

-- What lists are read by, as pnpm bench:lists shows on a million transactions (docs/decisions/0020).
DROP INDEX transactions_by_start;
CREATE INDEX transactions_by_start ON transactions (started_at, transaction_id);
CREATE INDEX transactions_of_tag ON transactions (id_tag_key, transaction_id);
-- Each station has a connector 1.
CREATE INDEX transactions_by_connector ON transactions (connector_id, transaction_id) WHERE connector_id <> 1;

CREATE INDEX commands_by_time ON commands (created_at, sequence);
CREATE INDEX commands_of_action ON commands (action, created_at, sequence);
-- Most are answered, and those that wait have an index.
CREATE INDEX commands_without_answer ON commands (created_at, sequence, status)
  WHERE status IN ('failed', 'timedOut', 'connectionLost', 'expired');
-- Looked at once a second.
CREATE INDEX commands_with_secrets ON commands (completed_at) WHERE sealed_request IS NOT NULL;

CREATE INDEX events_by_kind ON events (kind, id);

-- As before, and in the order of a station's list.
ALTER TABLE security_events DROP CONSTRAINT security_events_pkey;
ALTER TABLE security_events ADD PRIMARY KEY (station_id, occurred_at, type);
CREATE INDEX security_events_by_type ON security_events (lower(type), occurred_at);
CREATE INDEX security_events_critical ON security_events (is_critical, occurred_at);

CREATE INDEX issued_certificates_by_time ON issued_certificates (issued_at, serial_number);
CREATE INDEX issued_certificates_by_usage ON issued_certificates (usage, issued_at, serial_number);

DROP INDEX tags_by_parent;
CREATE INDEX tags_by_parent ON tags (lower(parent_id_tag), (id_tag_key COLLATE "C")) WHERE parent_id_tag IS NOT NULL;
CREATE INDEX tags_by_key ON tags ((id_tag_key COLLATE "C"));
CREATE INDEX tags_by_status ON tags (status, (id_tag_key COLLATE "C"));

CREATE INDEX pnc_authorizations_by_certificate_status ON pnc_authorizations (certificate_status, received_at);
CREATE INDEX firmware_campaign_stations_by_state ON firmware_campaign_stations (campaign_id, state);

CREATE INDEX station_jobs_of_station ON station_jobs (station_id, job_id);
CREATE INDEX files_by_kind ON files (kind, created_at, file_id);
