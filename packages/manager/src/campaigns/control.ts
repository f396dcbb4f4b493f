import { randomUUID } from 'node:crypto';
import type { Database, Db } from '../database/database.ts';
import * as fileList from '../files/file-list.store.ts';
import * as campaignList from './campaign-list.store.ts';
import type { Choice } from './campaign-list.store.ts';
import * as campaignStations from './campaign-stations.store.ts';
import type { NewCampaignStation } from './campaign-stations.store.ts';
import * as turns from './campaign-turns.store.ts';
import * as campaigns from './firmware-campaigns.store.ts';
import type { Campaign, CampaignState, NewCampaign, Rollback } from './firmware-campaigns.store.ts';

/** A campaign cannot be created from this request, or its state does not allow the action. */
export class NotPossible extends Error {
  override name = 'NotPossible';
  readonly why: 'unknown' | 'state' | 'choice';

  constructor(why: NotPossible['why'], message: string) {
    super(message);
    this.why = why;
  }
}

/** Stations per wave; without either all are in one wave. */
export interface WaveSize {
  size?: number | undefined;
  percent?: number | undefined;
}

export interface Plan {
  campaign: Omit<NewCampaign, 'campaignId' | 'waves'>;
  choice: Choice;
  waveSize: WaveSize;
}

/** Creates a draft campaign and returns its id. Throws NotPossible if stations are unknown or none match. */
export async function create(database: Database, { campaign, choice, waveSize }: Plan): Promise<string> {
  const campaignId = randomUUID();
  const { firmwareVersion, createdAt: at } = campaign;
  await database.transaction(async (db) => {
    const found = await campaignList.candidates(db, choice);
    refuseUnknown(choice, found);
    const perWave = stationsPerWave(found.length, waveSize);
    const stations = found.map((station, i): NewCampaignStation => {
      const isUpToDate = firmwareVersion !== null && station.firmwareVersion === firmwareVersion;
      return {
        ...station,
        wave: Math.floor(i / perWave) + 1,
        reason: isUpToDate ? `already has ${firmwareVersion}` : null,
      };
    });
    await campaigns.add(db, { ...campaign, campaignId, waves: Math.ceil(found.length / perWave) });
    await campaignStations.addAll(db, campaignId, { stations, at });
  });
  return campaignId;
}

function refuseUnknown({ stationIds = [] }: Choice, found: { stationId: string }[]): void {
  const known = new Set(found.map(({ stationId }) => stationId));
  const unknown = stationIds.filter((stationId) => !known.has(stationId));
  if (unknown.length > 0)
    throw new NotPossible(
      'choice',
      `${unknown.length} of the stations are not known or do not match the filter: ${unknown.slice(0, 10).join(', ')}`,
    );
  if (found.length === 0) throw new NotPossible('choice', 'no station matches the filter');
}

function stationsPerWave(stations: number, { size, percent }: WaveSize): number {
  return size ?? Math.max(1, Math.ceil((stations * (percent ?? 100)) / 100));
}

/** What operators can do with an existing campaign. */
export type Action =
  | { action: 'start' | 'pause' | 'cancel' }
  | { action: 'resume'; retryFailed: boolean }
  | { action: 'rollback'; which: Rollback };

const FROM: Record<Action['action'], readonly CampaignState[]> = {
  start: ['draft'],
  pause: ['running'],
  resume: ['paused', 'stopped'],
  cancel: ['draft', 'running', 'paused', 'stopped'],
  rollback: ['stopped', 'cancelled', 'done'],
};

/** Performs an action. Throws NotPossible if the campaign is unknown or its state does not allow the action. */
export async function control(
  database: Database,
  campaignId: string,
  { order, now }: { order: Action; now: Date },
): Promise<void> {
  await database.transaction(async (db) => {
    const campaign = await campaigns.lock(db, campaignId);
    if (!campaign) throw new NotPossible('unknown', `campaign ${campaignId} is not known`);
    const allowed = FROM[order.action];
    if (!allowed.includes(campaign.state))
      throw new NotPossible(
        'state',
        `campaign ${campaignId} is ${campaign.state}; ${order.action} needs it to be ${allowed.join(' or ')}`,
      );
    await act(db, campaign, { order, now });
  });
}

async function act(
  db: Db,
  campaign: Campaign,
  { order, now: at }: { order: Action; now: Date },
): Promise<void> {
  const { campaignId, currentWave: wave } = campaign;
  const setState = (state: CampaignState, reason: string | null): Promise<void> =>
    campaigns.setState(db, campaignId, { state, reason, currentWave: wave, at });
  switch (order.action) {
    case 'pause':
      return setState('paused', null);
    case 'cancel':
      await turns.cancelWaiting(db, campaignId, at);
      return setState('cancelled', null);
    case 'rollback':
      return rollBack(db, campaign, { which: order.which, at });
    case 'start':
    case 'resume':
      await requireFile(db, campaign.fileId, campaign.fileName);
      if (order.action === 'resume') {
        await turns.forgive(db, campaignId);
        if (order.retryFailed) await turns.retryFailed(db, campaignId);
      }
      await turns.startWaitingFor(db, campaignId, { wave, at });
      return setState('running', null);
  }
}

async function rollBack(
  db: Db,
  { campaignId, rollbackFileId }: Campaign,
  { which, at }: { which: Rollback; at: Date },
): Promise<void> {
  if (rollbackFileId === null)
    throw new NotPossible(
      'state',
      `campaign ${campaignId} has no rollbackFileId; create a campaign with the previous file`,
    );
  await requireFile(db, rollbackFileId, 'for the rollback');
  await turns.beginRollback(db, campaignId, { which, at, again: true });
}

async function requireFile(db: Db, fileId: string, name: string): Promise<void> {
  if (await fileList.get(db, fileId)) return;
  throw new NotPossible(
    'state',
    `the file ${name} (${fileId}) was removed; create a campaign with another file`,
  );
}
