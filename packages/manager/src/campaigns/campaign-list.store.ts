import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { CampaignStationState, Phase } from './campaign-stations.store.ts';
import type { CampaignState, NewCampaign } from './firmware-campaigns.store.ts';

/** A campaign as the API shows it. */
export interface CampaignRow extends NewCampaign {
  state: CampaignState;
  reason: string | null;
  currentWave: number;
  startedAt: Date | null;
  endedAt: Date | null;
  stations: Partial<Record<CampaignStationState, number>>;
}

const SELECT = `SELECT campaign_id AS "campaignId", name, file_id AS "fileId", file_name AS "fileName",
    firmware_version AS "firmwareVersion", rollback_file_id AS "rollbackFileId", signed, waves,
    max_failures AS "maxFailures", max_failure_percent AS "maxFailurePercent", rollback_on_stop AS "rollbackOnStop",
    progress_timeout_seconds AS "progressTimeoutSeconds", absence_timeout_seconds AS "absenceTimeoutSeconds",
    created_by AS "createdBy", created_at AS "createdAt", state, reason, current_wave AS "currentWave",
    started_at AS "startedAt", ended_at AS "endedAt",
    (SELECT coalesce(json_object_agg(t.state, t.count), '{}') FROM (
      SELECT s.state, count(*) FROM firmware_campaign_stations s WHERE s.campaign_id = c.campaign_id GROUP BY 1) t) AS stations
  FROM firmware_campaigns c`;

const selectOne = statement('campaignList.get', `${SELECT} WHERE campaign_id = $1`);

export async function get(db: Db, campaignId: string): Promise<CampaignRow | undefined> {
  const { rows } = await db.query<CampaignRow>(selectOne([campaignId]));
  return rows[0];
}

const selectPage = search(
  `${SELECT} WHERE ($1::timestamptz IS NULL OR (created_at, campaign_id) < ($1, $2::uuid)) AND ($3::text IS NULL OR state = $3)
   ORDER BY created_at DESC, campaign_id DESC LIMIT $4`,
);

export interface CampaignFilter {
  after: readonly [createdAt: string, campaignId: string] | null;
  state?: CampaignState;
  rows: number;
}

/** Campaigns, newest first. */
export async function list(db: Db, { after, state, rows: limit }: CampaignFilter): Promise<CampaignRow[]> {
  const values = [after?.[0] ?? null, after?.[1] ?? null, state ?? null, limit];
  return (await db.query<CampaignRow>(selectPage(values))).rows;
}

/** A station of a campaign as the API shows it. */
export interface CampaignStationRow {
  stationId: string;
  wave: number;
  phase: Phase;
  state: CampaignStationState;
  reason: string | null;
  updateState: string | null;
  updateReason: string | null;
  attempts: number;
  commandId: string | null;
  jobId: number | null;
  firmwareVersionBefore: string | null;
  firmwareVersion: string | null;
  waitingSince: Date | null;
  sentAt: Date | null;
  downloadingAt: Date | null;
  downloadedAt: Date | null;
  installingAt: Date | null;
  completedAt: Date | null;
}

const selectStations = search(
  `SELECT s.station_id AS "stationId", s.wave, s.phase, s.state, s.reason, s.update_state AS "updateState",
     s.update_reason AS "updateReason", s.attempts, s.command_id AS "commandId", j.job_id AS "jobId",
     s.firmware_version_before AS "firmwareVersionBefore", t.firmware_version AS "firmwareVersion",
     s.waiting_since AS "waitingSince", s.sent_at AS "sentAt", n.downloading AS "downloadingAt",
     n.downloaded AS "downloadedAt", n.installing AS "installingAt", s.completed_at AS "completedAt"
   FROM firmware_campaign_stations s LEFT JOIN station_jobs j USING (command_id)
     LEFT JOIN stations t ON t.station_id = s.station_id
     LEFT JOIN LATERAL (SELECT min(received_at) FILTER (WHERE status = 'Downloading') AS downloading,
         min(received_at) FILTER (WHERE status = 'Downloaded') AS downloaded,
         min(received_at) FILTER (WHERE status = 'Installing') AS installing
       FROM status_notifications WHERE job_id = j.job_id) n ON true
   WHERE s.campaign_id = $1 AND ($2::int IS NULL OR (s.wave, s.station_id) > ($2, $3::text))
     AND ($4::text IS NULL OR s.state = $4) AND ($5::int IS NULL OR s.wave = $5)
   ORDER BY s.wave, s.station_id LIMIT $6`,
);

export interface CampaignStationFilter {
  campaignId: string;
  after: readonly [wave: number, stationId: string] | null;
  state?: CampaignStationState;
  wave?: number;
  rows: number;
}

/** The stations of a campaign, wave by wave. */
export async function stations(db: Db, filter: CampaignStationFilter): Promise<CampaignStationRow[]> {
  const { campaignId, after, state, wave, rows: limit } = filter;
  const values = [campaignId, after?.[0] ?? null, after?.[1] ?? null, state ?? null, wave ?? null, limit];
  return (await db.query<CampaignStationRow>(selectStations(values))).rows;
}

const selectCandidates = search(
  `SELECT station_id AS "stationId", firmware_version AS "firmwareVersion" FROM stations
   WHERE ($1::text[] IS NULL OR station_id = ANY ($1)) AND ($2::text IS NULL OR vendor = $2)
     AND ($3::text IS NULL OR model = $3) AND ($4::text IS NULL OR firmware_version = $4)
   ORDER BY station_id`,
);

export interface Choice {
  stationIds?: string[] | undefined;
  vendor?: string | undefined;
  model?: string | undefined;
  firmwareVersion?: string | undefined;
}

/** The stations that match all given criteria. */
export async function candidates(
  db: Db,
  choice: Choice,
): Promise<{ stationId: string; firmwareVersion: string | null }[]> {
  const { stationIds, vendor, model, firmwareVersion } = choice;
  const values = [stationIds ?? null, vendor ?? null, model ?? null, firmwareVersion ?? null];
  return (await db.query<{ stationId: string; firmwareVersion: string | null }>(selectCandidates(values)))
    .rows;
}
