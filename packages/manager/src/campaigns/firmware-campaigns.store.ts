import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

export const CAMPAIGN_STATES = ['draft', 'running', 'paused', 'stopped', 'cancelled', 'done'] as const;
export type CampaignState = (typeof CAMPAIGN_STATES)[number];

/** Which stations get the previous firmware: those that failed, those that were updated, or both. */
export const ROLLBACKS = ['failed', 'updated', 'all'] as const;
export type Rollback = (typeof ROLLBACKS)[number];

export type Signed = 'yes' | 'no' | 'auto';

export interface NewCampaign {
  campaignId: string;
  name: string;
  fileId: string;
  fileName: string;
  /** The version that stations report after the update; null: unknown. */
  firmwareVersion: string | null;
  rollbackFileId: string | null;
  signed: Signed;
  waves: number;
  maxFailures: number | null;
  maxFailurePercent: number | null;
  rollbackOnStop: Rollback | 'none';
  progressTimeoutSeconds: number;
  absenceTimeoutSeconds: number;
  createdBy: string | null;
  createdAt: Date;
}

export interface Campaign extends NewCampaign {
  state: CampaignState;
  currentWave: number;
}

const insert = statement(
  'firmwareCampaigns.add',
  `INSERT INTO firmware_campaigns (campaign_id, name, file_id, file_name, firmware_version, rollback_file_id, signed, waves,
     max_failures, max_failure_percent, rollback_on_stop, progress_timeout_seconds, absence_timeout_seconds, created_by,
     created_at, leased_until)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)`,
);

export async function add(db: Db, campaign: NewCampaign): Promise<void> {
  await db.query(
    insert([
      campaign.campaignId,
      campaign.name,
      campaign.fileId,
      campaign.fileName,
      campaign.firmwareVersion,
      campaign.rollbackFileId,
      campaign.signed,
      campaign.waves,
      campaign.maxFailures,
      campaign.maxFailurePercent,
      campaign.rollbackOnStop,
      campaign.progressTimeoutSeconds,
      campaign.absenceTimeoutSeconds,
      campaign.createdBy,
      campaign.createdAt,
    ]),
  );
}

const COLUMNS = `campaign_id AS "campaignId", name, file_id AS "fileId", file_name AS "fileName",
  firmware_version AS "firmwareVersion", rollback_file_id AS "rollbackFileId", signed, waves, max_failures AS "maxFailures",
  max_failure_percent AS "maxFailurePercent", rollback_on_stop AS "rollbackOnStop",
  progress_timeout_seconds AS "progressTimeoutSeconds", absence_timeout_seconds AS "absenceTimeoutSeconds",
  created_by AS "createdBy", created_at AS "createdAt", state, current_wave AS "currentWave"`;

const selectLocked = statement(
  'firmwareCampaigns.lock',
  `SELECT ${COLUMNS} FROM firmware_campaigns WHERE campaign_id = $1 FOR UPDATE`,
);

/** A campaign, locked until the database transaction ends; undefined if there is none. */
export async function lock(db: Db, campaignId: string): Promise<Campaign | undefined> {
  const { rows } = await db.query<Campaign>(selectLocked([campaignId]));
  return rows[0];
}

const selectShared = statement(
  'firmwareCampaigns.state',
  'SELECT state FROM firmware_campaigns WHERE campaign_id = $1 FOR SHARE',
);

/** A campaign's state, which cannot change until the database transaction ends. */
export async function holdState(db: Db, campaignId: string): Promise<CampaignState | undefined> {
  const { rows } = await db.query<{ state: CampaignState }>(selectShared([campaignId]));
  return rows[0]?.state;
}

const updateState = statement(
  'firmwareCampaigns.setState',
  `UPDATE firmware_campaigns SET state = $2, reason = $3, current_wave = $4,
     started_at = CASE WHEN $2 = 'running' THEN coalesce(started_at, $5) ELSE started_at END,
     ended_at = CASE WHEN $2 IN ('done', 'cancelled') THEN $5::timestamptz END
   WHERE campaign_id = $1`,
);

export async function setState(
  db: Db,
  campaignId: string,
  to: { state: CampaignState; reason: string | null; currentWave: number; at: Date },
): Promise<void> {
  await db.query(updateState([campaignId, to.state, to.reason, to.currentWave, to.at]));
}

// Ended campaigns are processed too, until their last station has ended.
const claimOne = statement(
  'firmwareCampaigns.claim',
  `UPDATE firmware_campaigns SET leased_until = $2
   WHERE campaign_id = (SELECT campaign_id FROM firmware_campaigns c
     WHERE leased_until <= $1 AND (state = 'running' OR state <> 'draft' AND EXISTS (
       SELECT FROM firmware_campaign_stations s WHERE s.campaign_id = c.campaign_id
         AND s.state IN ('waiting', 'sent', 'downloading', 'downloaded', 'installing')
         AND (s.state <> 'waiting' OR s.phase = 'rollback')))
     ORDER BY leased_until LIMIT 1 FOR UPDATE SKIP LOCKED)
   RETURNING campaign_id AS "campaignId"`,
);

/** Leases the campaign that has waited longest, until `until`; undefined if none is due. */
export async function claim(db: Db, now: Date, until: Date): Promise<string | undefined> {
  const { rows } = await db.query<{ campaignId: string }>(claimOne([now, until]));
  return rows[0]?.campaignId;
}

const releaseOne = statement(
  'firmwareCampaigns.release',
  'UPDATE firmware_campaigns SET leased_until = $2 WHERE campaign_id = $1',
);

/** Ends the lease: any manager may claim the campaign from `from` on. */
export async function release(db: Db, campaignId: string, from: Date): Promise<void> {
  await db.query(releaseOne([campaignId, from]));
}

const selectUsing = statement(
  'firmwareCampaigns.using',
  `SELECT campaign_id AS "campaignId" FROM firmware_campaigns
   WHERE (file_id = $1 OR rollback_file_id = $1) AND state IN ('draft', 'running', 'paused', 'stopped') LIMIT 1`,
);

/** The id of a campaign that is not over and uses a file; undefined if there is none. */
export async function using(db: Db, fileId: string): Promise<string | undefined> {
  const { rows } = await db.query<{ campaignId: string }>(selectUsing([fileId]));
  return rows[0]?.campaignId;
}
