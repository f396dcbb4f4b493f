import type { Db } from '../database/database.ts';
import * as fileList from '../files/file-list.store.ts';
import type { FileRow } from '../files/file-list.store.ts';
import { isSigned } from '../files/file-requests.ts';
import * as campaignStations from './campaign-stations.store.ts';
import type { Change, Phase } from './campaign-stations.store.ts';
import * as turns from './campaign-turns.store.ts';
import type { Tally } from './campaign-turns.store.ts';
import * as campaigns from './firmware-campaigns.store.ts';
import type { Campaign, CampaignState } from './firmware-campaigns.store.ts';
import { progressOf } from './progress.ts';

/** A campaign with its files; undefined where they were removed or there is none. */
export interface Round {
  campaign: Campaign;
  files: Record<Phase, FileRow | undefined>;
}

/**
 * Updates the state of a campaign's stations, then of the campaign: it starts the next wave, stops or is done. Locks the campaign
 * until the database transaction ends; undefined if the campaign no longer exists.
 */
export async function advance(db: Db, campaignId: string, now: Date): Promise<Round | undefined> {
  const campaign = await campaigns.lock(db, campaignId);
  if (!campaign) return undefined;
  const { fileId, rollbackFileId } = campaign;
  const files = {
    update: await fileList.get(db, fileId),
    rollback: rollbackFileId === null ? undefined : await fileList.get(db, rollbackFileId),
  };
  const changes = await changesOf(db, { campaign, files }, now);
  await campaignStations.change(db, campaignId, { changes, at: now });
  if (campaign.state !== 'paused') {
    const since = new Date(now.getTime() - campaign.absenceTimeoutSeconds * 1000);
    await turns.skipAbsent(db, campaignId, { since, at: now });
  }
  const state = campaign.state === 'running' ? await decide(db, { campaign, files }, now) : campaign.state;
  // Also includes stations that were under way at the stop, once they have ended.
  if (state === 'stopped' && campaign.rollbackOnStop !== 'none' && rollbackFileId !== null)
    await turns.beginRollback(db, campaignId, { which: campaign.rollbackOnStop, at: now, again: false });
  return { campaign, files };
}

async function changesOf(db: Db, { campaign, files }: Round, now: Date): Promise<Change[]> {
  const { firmwareVersion, signed, progressTimeoutSeconds } = campaign;
  const stations = await campaignStations.underWay(db, campaign.campaignId);
  return stations.flatMap((station) => {
    const file = files[station.phase];
    const version = station.phase === 'update' ? firmwareVersion : (file?.firmwareVersion ?? null);
    // From unsigned to signed only if the file is signed.
    const mayTryOtherWay = signed === 'auto' && (station.isSigned || (file !== undefined && isSigned(file)));
    const expected = { version, mayTryOtherWay, progressTimeoutMs: progressTimeoutSeconds * 1000, now };
    return progressOf(station, expected) ?? [];
  });
}

/** Applies and returns the campaign state that follows from the progress of its waves. */
async function decide(db: Db, { campaign, files }: Round, now: Date): Promise<CampaignState> {
  const { campaignId } = campaign;
  if (!files.update)
    return stop(db, campaign, { reason: `its file ${campaign.fileName} was removed`, at: now });
  let wave = campaign.currentWave;
  let tally = await turns.tally(db, campaignId, wave);
  const limit = exceededLimit(campaign, tally);
  if (limit !== undefined) {
    const found = await turns.reasons(db, campaignId);
    const why = found.map(({ reason, count }) => `${reason} (${count})`).join(', ');
    const reason = `${tally.failed} of ${tally.begun} stations failed or timed out (limit: ${limit}): ${why}`;
    return stop(db, campaign, { reason, at: now });
  }
  // A wave in which no station needs the update is over immediately.
  while (tally.open === 0 && wave < campaign.waves) {
    wave++;
    tally = await turns.tally(db, campaignId, wave);
  }
  if (wave > campaign.currentWave) await turns.startWaitingFor(db, campaignId, { wave, at: now });
  const state = tally.open === 0 ? 'done' : 'running';
  if (state === 'done' || wave > campaign.currentWave)
    await campaigns.setState(db, campaignId, { state, reason: null, currentWave: wave, at: now });
  return state;
}

/** The failure limit that a campaign has exceeded, as text; undefined if none. */
export function exceededLimit(
  { maxFailures, maxFailurePercent }: Pick<Campaign, 'maxFailures' | 'maxFailurePercent'>,
  { failed, begun }: Tally,
): string | undefined {
  if (maxFailures !== null && failed > maxFailures) return `${maxFailures}`;
  if (maxFailurePercent !== null && failed * 100 > maxFailurePercent * begun) return `${maxFailurePercent} %`;
  return undefined;
}

/** Stops a campaign: it sends no more updates, but rolls back if `rollbackOnStop` says so. */
export async function stop(
  db: Db,
  { campaignId, currentWave }: Campaign,
  { reason, at }: { reason: string; at: Date },
): Promise<'stopped'> {
  await campaigns.setState(db, campaignId, { state: 'stopped', reason, currentWave, at });
  return 'stopped';
}
