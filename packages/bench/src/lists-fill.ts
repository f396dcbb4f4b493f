import type pg from 'pg';

/** A year of a fleet by scale: 1 is 20,000 stations, 1 M transactions, 20 M meter values, 1 M events, 300,000 commands. */
export interface Fleet {
  stations: number;
  transactions: number;
  /** Meter values per transaction. */
  samples: number;
}

/** The fleet for a scale. */
export function fleetOf(scale: number): Fleet {
  return {
    stations: Math.round(20_000 * scale),
    transactions: Math.round(1_000_000 * scale),
    samples: 20,
  };
}

/** A station with far more data than the others. */
export const BUSY = 'S00001';

// Each table contains rare values, and values that were frequent only long ago: cases that mislead a plan based on averages.
const STATION = `CASE WHEN i % 200 = 0 THEN '${BUSY}' ELSE 'S' || lpad((1 + i::bigint * 7919 % $STATIONS)::text, 5, '0') END`;
const YEAR_AGO = `now() - interval '365 days'`;
const SPREAD = (count: string): string =>
  `date_trunc('milliseconds', ${YEAR_AGO} + i * interval '365 days' / ${count})`;
const months = (table: string): string =>
  `SELECT create_partitions('${table}', '1 month', month, 0) FROM generate_series(${YEAR_AGO}, now(), interval '1 month') AS month`;
const days = (table: string, count: number): string =>
  `SELECT create_partitions('${table}', '1 day', day, 0) FROM generate_series(now() - interval '${count} days', now(), interval '1 day') AS day`;

const STATIONS = [
  `INSERT INTO stations (station_id, registration_status, vendor, model, firmware_version, booted_at, last_seen_at)
   SELECT 'S' || lpad(i::text, 5, '0'), CASE WHEN i % 4001 = 7 THEN 'Pending' WHEN i % 3001 = 5 THEN 'Rejected' ELSE 'Accepted' END,
     'Vendor ' || i % 5, 'Model ' || i % 20, '1.' || i % 9, now() - interval '3 days', now()
   FROM generate_series(1, $STATIONS) AS i`,
  `INSERT INTO gateways VALUES ('bench', 'infinity', false)`,
  `INSERT INTO connections (station_id, connection_id, gateway_id, connected_at, disconnected_at)
   SELECT station_id, '1', 'bench', now() - interval '1 day', CASE WHEN right(station_id, 1) = '7' THEN now() END FROM stations`,
  `INSERT INTO connectors (station_id, connector_id, status, error_code, status_at, received_at)
   SELECT station_id, c, 'Available', 'NoError', now(), now() FROM stations, generate_series(0, 2) AS c`,
  `INSERT INTO rejected_handshakes SELECT 'X' || i, 'unknownStation', 404, '203.0.113.7', 1 + i, now(), now() FROM generate_series(1, 1000) AS i`,
  `INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at)
   SELECT station_id, 'key' || k, 'Key' || k, 'value', now() FROM stations, generate_series(1, 40) AS k`,
  `INSERT INTO station_groups (name, vendor, prefix, updated_at)
   SELECT 'group ' || i, CASE WHEN i < 10 THEN 'Vendor ' || i % 5 END, CASE WHEN i >= 10 THEN 'S0' || i % 10 END, now()
   FROM generate_series(0, 19) AS i`,
  `INSERT INTO reconciliations (station_id, kind, desired, state, look_at, requested_at)
   SELECT station_id, kind, '{}', CASE WHEN right(station_id, 4) = '0777' THEN 'failed' ELSE 'succeeded' END, now(), now()
   FROM stations, (VALUES ('configuration'), ('localList')) AS k (kind)`,
  `INSERT INTO charging_profiles (station_id, charging_profile_id, connector_id, purpose, stack_level, profile, set_at)
   SELECT station_id, p, 1, 'TxDefaultProfile', p, '{}', now() FROM stations, generate_series(1, 3) AS p`,
];

const TAGS = [
  `INSERT INTO tags (id_tag_key, id_tag, parent_id_tag, status)
   SELECT 'tag' || lpad(i::text, 7, '0'), 'TAG' || lpad(i::text, 7, '0'),
     CASE WHEN i % 20000 = 19999 THEN 'FLEET' WHEN i % 3 = 0 THEN 'GROUP' || i % 5000 END,
     CASE WHEN i % 30000 = 29999 THEN 'Blocked' ELSE 'Accepted' END
   FROM generate_series(1, $TRANSACTIONS / 5) AS i`,
  `INSERT INTO local_list_entries
   SELECT '${BUSY}', id_tag_key, id_tag, '{"status":"Accepted"}' FROM tags ORDER BY id_tag_key LIMIT 10000`,
];

const TRANSACTIONS = [
  `INSERT INTO transactions (station_id, connector_id, id_tag, id_tag_key, id_tag_status, meter_start_wh, started_at, start_message_id,
     start_received_at, start_id_tag_info, meter_stop_wh, stopped_at, stop_reason, stop_message_id, stop_received_at, flags, closed_at,
     close_reason, close_stopped_at)
   SELECT ${STATION}, CASE WHEN i % 50000 = 333 THEN 7 ELSE 1 + i % 2 END, upper(tag), tag, 'Accepted', i % 1000000, at, i::text, at,
     '{"status":"Accepted"}', CASE WHEN ended THEN i % 1000000 + 14400 END, CASE WHEN ended THEN at + interval '2 hours' END,
     CASE WHEN ended THEN 'Local' END, CASE WHEN ended THEN i::text END, CASE WHEN ended THEN at + interval '2 hours' END,
     CASE WHEN i % 4001 = 9 THEN '{supersededByStart}' WHEN i % 1501 = 11 THEN '{clockImplausible}' WHEN i % 30011 = 5 THEN '{stopInferred}'
       ELSE '{}' END::text[], CASE WHEN i % 5003 = 17 THEN at + interval '1 day' END, CASE WHEN i % 5003 = 17 THEN 'lost' END,
     CASE WHEN i % 5003 = 17 THEN at + interval '2 hours' END
   FROM generate_series(1, $TRANSACTIONS) AS i, LATERAL (SELECT ${SPREAD('$TRANSACTIONS')} AS at,
     i < $TRANSACTIONS * 0.999 AND i % 5003 <> 17 AND i % 4001 <> 9 AS ended,
     CASE WHEN i % 10 = 0 AND i < $TRANSACTIONS / 2 THEN 'free' ELSE 'tag' || lpad((1 + i * 31 % 20000)::text, 7, '0') END AS tag) AS x`,
  months('meter_values'),
  `INSERT INTO meter_values (station_id, connector_id, transaction_id, measured_at, context, measurand, location, format, unit, value,
     received_at, digest)
   SELECT station_id, connector_id, transaction_id, started_at + m * interval '12 minutes', CASE m WHEN 0 THEN 'Transaction.Begin' ELSE 'Sample.Periodic' END,
     measurand, 'Outlet', 'Raw', 'Wh', (meter_start_wh + m * 600)::text, started_at + m * interval '12 minutes',
     (lpad(to_hex(transaction_id), 8, '0') || lpad(to_hex(m * 2 + k), 24, '0'))::uuid
   FROM transactions, generate_series(0, $SAMPLES / 2 - 1) AS m, (VALUES (0, 'Energy.Active.Import.Register'), (1, 'Power.Active.Import')) AS k (k, measurand)`,
  `INSERT INTO unmatched_stops (station_id, transaction_id, id_tag, meter_stop_wh, stopped_at, stop_reason, why, request, received_at, state)
   SELECT ${STATION}, -1, 'TAG' || i, i, ${SPREAD('$TRANSACTIONS * 50')}, 'Local', 'unknownTransaction', '{}', ${SPREAD('$TRANSACTIONS * 50')},
     CASE WHEN i % 500 = 499 THEN 'open' ELSE 'dismissed' END
   FROM generate_series(1, $TRANSACTIONS / 50) AS i`,
  `INSERT INTO reservations (station_id, reservation_id, command_id, connector_id, id_tag, id_tag_key, expiry_date, state, requested_at, ended_at)
   SELECT ${STATION}, i, gen_random_uuid(), 1, 'TAG', 'tag', now(), 'used', now(), now() FROM generate_series(1, $TRANSACTIONS / 20) AS i`,
];

const MESSAGES = [
  days('events', 30),
  // Firmware was updated a month ago.
  `INSERT INTO events (at, kind, station_id, data)
   SELECT date_trunc('milliseconds', now() - interval '30 days' + i * interval '30 days' / $TRANSACTIONS),
     CASE WHEN i < $TRANSACTIONS / 10 AND i % 2 = 0 THEN 'firmware.status' WHEN i < 50 THEN 'certificate.signed'
       WHEN i % 100 < 60 THEN 'connector.status' WHEN i % 100 < 72 THEN 'transaction.started' WHEN i % 100 < 84 THEN 'transaction.stopped'
       WHEN i % 100 < 95 THEN 'station.connected' WHEN i % 5000 = 99 THEN 'security.event' ELSE 'command.completed' END,
     ${STATION}, jsonb_build_object('number', i)
   FROM generate_series(1, $TRANSACTIONS) AS i`,
  days('frames', 7),
  `INSERT INTO frames (station_id, recorded_at, direction, type, message_id, action, payload)
   SELECT ${STATION}, date_trunc('milliseconds', now() - interval '7 days' + i * interval '7 days' / $TRANSACTIONS),
     CASE i % 2 WHEN 0 THEN 'in' ELSE 'out' END, 2 + i % 2, i::text, CASE WHEN i % 20000 = 19999 THEN 'BootNotification' ELSE 'Heartbeat' END, '{}'
   FROM generate_series(1, $TRANSACTIONS) AS i`,
  months('connector_statuses'),
  `INSERT INTO connector_statuses (station_id, connector_id, status, error_code, status_at, received_at)
   SELECT ${STATION}, 1, CASE i % 2 WHEN 0 THEN 'Available' ELSE 'Charging' END, 'NoError', at, at
   FROM generate_series(1, $TRANSACTIONS) AS i, LATERAL (SELECT ${SPREAD('$TRANSACTIONS')} AS at) AS x`,
  `INSERT INTO commands (command_id, station_id, action, request, status, created_at, expires_at, sent_at, completed_at)
   SELECT gen_random_uuid(), ${STATION}, CASE WHEN i % 30000 = 29999 THEN 'ClearCache' WHEN i % 10 = 0 AND i < $TRANSACTIONS / 10 THEN 'UpdateFirmware'
       WHEN i % 3 = 0 THEN 'RemoteStartTransaction' ELSE 'GetConfiguration' END, '{}',
     CASE WHEN i % 10 = 1 AND i < $TRANSACTIONS / 20 THEN 'failed' WHEN i % 3001 = 8 THEN 'timedOut' WHEN i % 5003 = 7 THEN 'expired'
       WHEN i > $TRANSACTIONS * 3 / 10 - 20 THEN 'queued' ELSE 'answered' END, at, at, at, at
   FROM generate_series(1, $TRANSACTIONS * 3 / 10) AS i, LATERAL (SELECT ${SPREAD('($TRANSACTIONS * 3 / 10)')} AS at) AS x`,
  `INSERT INTO station_jobs (station_id, kind, command_id, location, outcome, requested_at)
   SELECT station_id, CASE WHEN sequence % 50 = 0 THEN 'log' ELSE 'firmware' END, command_id, 'https://x/y',
     CASE WHEN sequence % 100 = 0 THEN 'running' ELSE 'succeeded' END, created_at
   FROM commands WHERE action IN ('UpdateFirmware', 'RemoteStartTransaction')`,
  `INSERT INTO status_notifications SELECT station_id, kind, requested_at, job_id::text, 'Downloaded', NULL, job_id FROM station_jobs`,
  `INSERT INTO files (file_id, kind, name, size_bytes, sha256, completed_at, created_at, station_id, command_id)
   SELECT gen_random_uuid(), CASE WHEN job_id % 20000 = 1 THEN 'firmware' WHEN job_id % 50 = 0 THEN 'diagnostics' ELSE 'log' END, 'f', 1, '', requested_at, requested_at,
     station_id, command_id FROM station_jobs WHERE job_id % 2 = 0`,
  `INSERT INTO firmware_campaigns (campaign_id, name, file_id, file_name, signed, state, waves, rollback_on_stop, progress_timeout_seconds,
     absence_timeout_seconds, created_at, leased_until)
   SELECT gen_random_uuid(), 'campaign ' || i, gen_random_uuid(), 'f', 'no', CASE i WHEN 20 THEN 'draft' ELSE 'done' END, 3, 'none', 60, 60,
     now() - i * interval '1 day', now() FROM generate_series(1, 20) AS i`,
  `INSERT INTO firmware_campaign_stations (campaign_id, station_id, wave, state)
   SELECT campaign_id, station_id, 1 + right(station_id, 1)::int % 3, CASE WHEN right(station_id, 4) = '0777' THEN 'failed' ELSE 'installed' END
   FROM firmware_campaigns, stations WHERE name = 'campaign 1' OR right(name, 2) = right(station_id, 2)`,
];

const SECURITY = [
  `INSERT INTO security_events (station_id, type, occurred_at, is_critical, received_at)
   SELECT ${STATION}, CASE WHEN i % 50000 = 49999 THEN 'TamperDetectionActivated' ELSE 'SettingSystemTime' END, at, i % 50000 = 49999, at
   FROM generate_series(1, $TRANSACTIONS / 2) AS i, LATERAL (SELECT ${SPREAD('($TRANSACTIONS / 2)')} AS at) AS x`,
  `INSERT INTO issued_certificates (serial_number, authority, usage, station_id, subject, fingerprint, certificate, valid_from, valid_to, issued_at, revoked_at)
   SELECT lpad(i::text, 16, '0'), 'station', CASE WHEN i % 10000 = 9999 THEN 'server' ELSE 'station' END, ${STATION}, 'CN=x', i::text,
     repeat('x', 1500), at, at + interval '1 year', at, CASE WHEN i % 1000 = 999 THEN now() END
   FROM generate_series(1, $TRANSACTIONS / 10) AS i, LATERAL (SELECT ${SPREAD('($TRANSACTIONS / 10)')} AS at) AS x`,
  `INSERT INTO certificate_requests (station_id, message_id, csr, state, requested_at)
   SELECT ${STATION}, i::text, repeat('x', 1000), 'installed', ${SPREAD('($TRANSACTIONS / 10)')} FROM generate_series(1, $TRANSACTIONS / 10) AS i`,
  `INSERT INTO pnc_certificate_requests (station_id, message_id, dialect, csr, state, requested_at)
   SELECT ${STATION}, i::text, 'oca', repeat('x', 1000), 'installed', ${SPREAD('($TRANSACTIONS / 10)')} FROM generate_series(1, $TRANSACTIONS / 10) AS i`,
  `INSERT INTO pnc_authorizations (station_id, received_at, message_id, dialect, emaid, emaid_key, status, certificate_status)
   SELECT ${STATION}, ${SPREAD('($TRANSACTIONS / 5)')}, i::text, 'oca', 'DE8AA1A2B3C4D59', 'de8aac' || lpad((i % 5000)::text, 8, '0'), 'Accepted',
     CASE WHEN i % 50000 = 49999 THEN 'CertificateExpired' ELSE 'Accepted' END FROM generate_series(1, $TRANSACTIONS / 5) AS i`,
  `INSERT INTO installed_certificates (station_id, certificate_type, serial_key, serial_number, pem)
   SELECT station_id, 'CentralSystemRootCertificate', c::text, c::text, 'x' FROM stations, generate_series(1, 2) AS c`,
  `INSERT INTO charging_profile_templates (name, definition) SELECT 'template ' || i, '{"purpose":"TxDefaultProfile","stackLevel":0,"kind":"Absolute","unit":"W","schedule":{"periods":[]}}' FROM generate_series(1, 50) AS i`,
  `INSERT INTO charging_profile_applications (template_id, station_id, connector_id, command_id, outcome, requested_at)
   SELECT t.template_id, k.station_id, 1, k.command_id, application_outcome(k.status, k.response), k.created_at FROM charging_profile_templates t, commands k
   WHERE t.name = 'template 1' AND k.action = 'RemoteStartTransaction'`,
  `INSERT INTO webhooks (url, sealed_secret, last_event_id, active) VALUES ('https://x.example', '', 0, false)`,
  `INSERT INTO webhook_deliveries (webhook_id, event_id, event_at, station_id, dead_at)
   SELECT webhook_id, id, at, station_id, now() FROM webhooks, LATERAL (SELECT * FROM events ORDER BY id LIMIT $TRANSACTIONS / 200) AS e`,
];

/** Fills an empty database with the current schema; `report` receives the time of slow statements. */
export async function fill(client: pg.Client, fleet: Fleet, report: (text: string) => void): Promise<void> {
  // Triggers would create events for all of this.
  await client.query(`SET session_replication_role = replica`);
  await client.query(`SET synchronous_commit = off`);
  for (const sql of [...STATIONS, ...TAGS, ...TRANSACTIONS, ...MESSAGES, ...SECURITY]) {
    const startedMs = performance.now();
    await client.query(
      sql
        .replaceAll('$STATIONS', String(fleet.stations))
        .replaceAll('$TRANSACTIONS', String(fleet.transactions))
        .replaceAll('$SAMPLES', String(fleet.samples)),
    );
    const seconds = (performance.now() - startedMs) / 1000;
    if (seconds > 5) report(`${sql.slice(0, 40).replace(/\s+/g, ' ')}…: ${seconds.toFixed(0)} s`);
  }
  await client.query('VACUUM ANALYZE');
  await client.query(`SET session_replication_role = origin`);
}
