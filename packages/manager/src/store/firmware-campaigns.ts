import type { Db } from './db.ts';
import { statement } from './db.ts';

export const CAMPAIGN_STATES = ['draft', 'running', 'paused', 'stopped', 'cancelled', 'done'] as const;
export type CampaignState = (typeof CAMPAIGN_STATES)[number];

const selectUsing = statement(
  'firmwareCampaigns.using',
  `SELECT campaign_id AS "campaignId" FROM firmware_campaigns
   WHERE (file_id = $1 OR rollback_file_id = $1) AND state IN ('draft', 'running', 'paused', 'stopped') LIMIT 1`,
);

/** A campaign that is not over and needs a file; undefined when there is none. */
export async function using(db: Db, fileId: string): Promise<string | undefined> {
  const { rows } = await db.query<{ campaignId: string }>(selectUsing([fileId]));
  return rows[0]?.campaignId;
}
