import type { CommandStatus } from '../commands/commands.store.ts';
import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { JobOutcome } from '../jobs/jobs.store.ts';
import { IS_CONNECTED } from '../stations/connections.store.ts';

/** `waiting`: for its wave, or for the station to connect. The last five are final. */
export const CAMPAIGN_STATION_STATES = [
  'waiting',
  'sent',
  'downloading',
  'downloaded',
  'installing',
  'installed',
  'failed',
  'timedOut',
  'skipped',
  'rolledBack',
] as const;
export type CampaignStationState = (typeof CAMPAIGN_STATION_STATES)[number];
export type Phase = 'update' | 'rollback';

const UNDER_WAY = "('sent', 'downloading', 'downloaded', 'installing')";

const insertAll = statement(
  'campaignStations.add',
  `INSERT INTO firmware_campaign_stations (campaign_id, station_id, wave, firmware_version_before, state, reason, completed_at)
   SELECT $1, station_id, wave, version, CASE WHEN reason IS NULL THEN 'waiting' ELSE 'skipped' END, reason,
     CASE WHEN reason IS NOT NULL THEN $6::timestamptz END
   FROM unnest($2::text[], $3::int[], $4::text[], $5::text[]) AS added (station_id, wave, version, reason)`,
);

export interface NewCampaignStation {
  stationId: string;
  wave: number;
  firmwareVersion: string | null;
  /** Why it needs no update; null if it needs one. */
  reason: string | null;
}

export async function addAll(
  db: Db,
  campaignId: string,
  { stations, at }: { stations: NewCampaignStation[]; at: Date },
): Promise<void> {
  await db.query(
    insertAll([
      campaignId,
      stations.map(({ stationId }) => stationId),
      stations.map(({ wave }) => wave),
      stations.map(({ firmwareVersion }) => firmwareVersion),
      stations.map(({ reason }) => reason),
      at,
    ]),
  );
}

/** A station to which the campaign has sent a command, with all that its progress is derived from. */
export interface UnderWay {
  stationId: string;
  phase: Phase;
  state: CampaignStationState;
  reason: string | null;
  isSigned: boolean;
  otherWayTried: boolean;
  sentAt: Date;
  commandStatus: CommandStatus | null;
  errorCode: string | null;
  jobOutcome: JobOutcome | null;
  jobReason: string | null;
  jobStatus: string | null;
  jobStatusAt: Date | null;
  acceptedAt: Date | null;
  endedAt: Date | null;
  versionBefore: string | null;
  /** The firmware version of its last boot during or after the update. */
  versionAfter: string | null;
  bootedAt: Date | null;
}

// Includes stations that were given up but whose job succeeded later.
const selectUnderWay = statement(
  'campaignStations.underWay',
  `SELECT s.station_id AS "stationId", s.phase, s.state, s.reason, s.is_signed AS "isSigned",
     s.other_way_tried AS "otherWayTried", s.sent_at AS "sentAt", k.status AS "commandStatus", k.error_code AS "errorCode",
     j.outcome AS "jobOutcome", j.reason AS "jobReason", j.status AS "jobStatus", j.status_at AS "jobStatusAt",
     j.accepted_at AS "acceptedAt", j.ended_at AS "endedAt", j.firmware_version_before AS "versionBefore",
     j.firmware_version_after AS "versionAfter", t.booted_at AS "bootedAt"
   FROM firmware_campaign_stations s LEFT JOIN commands k USING (command_id) LEFT JOIN station_jobs j USING (command_id)
     LEFT JOIN stations t ON t.station_id = s.station_id
   WHERE s.campaign_id = $1
     AND (s.state IN ${UNDER_WAY} OR s.state IN ('failed', 'timedOut') AND j.outcome = 'succeeded')`,
);

export async function underWay(db: Db, campaignId: string): Promise<UnderWay[]> {
  return (await db.query<UnderWay>(selectUnderWay([campaignId]))).rows;
}

/** A station's new state. */
export interface Change {
  stationId: string;
  state: CampaignStationState;
  reason: string | null;
  /** Send it the other command: signed instead of unsigned, or vice versa. */
  otherWay?: boolean;
}

const updateAll = statement(
  'campaignStations.change',
  `UPDATE firmware_campaign_stations s SET state = change.state, reason = change.reason,
     is_signed = CASE WHEN change.other_way THEN NOT s.is_signed ELSE s.is_signed END,
     other_way_tried = s.other_way_tried OR change.other_way,
     completed_at = CASE WHEN change.state IN ('installed', 'failed', 'timedOut', 'skipped', 'rolledBack') THEN $6::timestamptz END
   FROM unnest($2::text[], $3::text[], $4::text[], $5::boolean[]) AS change (station_id, state, reason, other_way)
   WHERE s.campaign_id = $1 AND s.station_id = change.station_id`,
);

export async function change(
  db: Db,
  campaignId: string,
  { changes, at }: { changes: Change[]; at: Date },
): Promise<void> {
  if (changes.length === 0) return;
  await db.query(
    updateAll([
      campaignId,
      changes.map(({ stationId }) => stationId),
      changes.map(({ state }) => state),
      changes.map(({ reason }) => reason),
      changes.map(({ otherWay }) => otherWay ?? false),
      at,
    ]),
  );
}

const selectReady = search(
  `SELECT s.station_id AS "stationId", s.phase, s.is_signed AS "isSigned", t.firmware_version AS "firmwareVersion"
   FROM firmware_campaign_stations s JOIN firmware_campaigns f USING (campaign_id)
     JOIN stations t ON t.station_id = s.station_id
     JOIN connections c ON c.station_id = s.station_id JOIN gateways g USING (gateway_id)
   WHERE s.campaign_id = $1 AND s.state = 'waiting' AND ${IS_CONNECTED}
     AND (s.phase = 'update' AND f.state = 'running' AND s.wave <= f.current_wave
       OR s.phase = 'rollback' AND f.state <> 'paused')
     AND NOT EXISTS (SELECT FROM firmware_campaign_stations o
       WHERE o.station_id = s.station_id AND o.campaign_id <> $1 AND o.state IN ${UNDER_WAY})
   ORDER BY s.wave, s.station_id LIMIT $2`,
);

export interface Ready {
  stationId: string;
  phase: Phase;
  /** Null until it is decided. */
  isSigned: boolean | null;
  firmwareVersion: string | null;
}

/** Connected stations whose turn it is and that no other campaign is updating. */
export async function ready(db: Db, campaignId: string, rows: number): Promise<Ready[]> {
  return (await db.query<Ready>(selectReady([campaignId, rows]))).rows;
}

const markOneSent = statement(
  'campaignStations.markSent',
  `UPDATE firmware_campaign_stations SET state = 'sent', reason = NULL, command_id = $4, is_signed = $5, sent_at = $6,
     attempts = attempts + 1
   WHERE campaign_id = $1 AND station_id = $2 AND phase = $3 AND state = 'waiting'`,
);

/** Records the command that was sent to a station; false if the station no longer waits for one. */
export async function markSent(
  db: Db,
  campaignId: string,
  sent: { stationId: string; phase: Phase; commandId: string; isSigned: boolean; at: Date },
): Promise<boolean> {
  const { stationId, phase, commandId, isSigned, at } = sent;
  const { rowCount } = await db.query(markOneSent([campaignId, stationId, phase, commandId, isSigned, at]));
  return rowCount === 1;
}
