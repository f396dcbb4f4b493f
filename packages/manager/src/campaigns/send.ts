import { OcppError } from '@evander/ocpp';
import type { Log } from '@evander/process';
import type { CallMaker } from '../commands/call-maker.ts';
import { CommandNotSent, RuleViolation } from '../commands/command.ts';
import type { Database, Db } from '../database/database.ts';
import type { FileRow } from '../files/file-list.store.ts';
import { firmwareRequest, isSigned } from '../files/file-requests.ts';
import { NoPublicUrl } from '../files/links.ts';
import type { FileLinks } from '../files/links.ts';
import * as signedUpdates from '../jobs/signed-updates.store.ts';
import { stop } from './advance.ts';
import type { Round } from './advance.ts';
import * as campaignStations from './campaign-stations.store.ts';
import type { Ready } from './campaign-stations.store.ts';
import * as campaigns from './firmware-campaigns.store.ts';

const STATIONS_PER_ROUND = 100;

export interface SenderOptions {
  database: Database;
  callMaker: CallMaker;
  links: FileLinks;
  now(): Date;
  log: Log;
}

/** Another manager was faster, or the campaign has just been stopped. */
class TurnIsOver extends Error {}

/** Sends the command to the stations of a campaign whose turn it is. Each gets it once, even if a manager dies. */
export async function sendRound(round: Round, options: SenderOptions): Promise<void> {
  const { campaignId, firmwareVersion } = round.campaign;
  for (const station of await campaignStations.ready(options.database, campaignId, STATIONS_PER_ROUND)) {
    const file = round.files[station.phase];
    const isUpToDate = station.firmwareVersion !== null && station.firmwareVersion === firmwareVersion;
    if (isUpToDate && station.phase === 'update')
      await complete(round, station, {
        options,
        state: 'skipped',
        reason: `already has ${firmwareVersion}`,
      });
    else if (!file)
      await complete(round, station, { options, state: 'failed', reason: 'the file was removed' });
    else if (!(await sendOne(round, { station, file }, options))) return;
  }
}

/** False if nothing can be sent to any station. */
async function sendOne(
  round: Round,
  { station, file }: { station: Ready; file: FileRow },
  options: SenderOptions,
): Promise<boolean> {
  const { database, now, log } = options;
  const { campaignId } = round.campaign;
  const { stationId } = station;
  try {
    await request(round, { station, file }, options);
  } catch (error) {
    if (error instanceof NoPublicUrl) {
      await database.transaction(async (db) => {
        const campaign = await campaigns.lock(db, campaignId);
        if (campaign?.state === 'running') await stop(db, campaign, { reason: error.message, at: now() });
      });
      return false;
    }
    // Stations that are offline or have too many commands are tried again in the next round.
    if (error instanceof TurnIsOver || error instanceof CommandNotSent) return true;
    if (!(error instanceof RuleViolation || error instanceof OcppError)) throw error;
    log.info({ campaignId, stationId, fault: error.message }, 'firmware cannot be sent to a station');
    await complete(round, station, { options, state: 'failed', reason: error.message });
  }
  return true;
}

async function request(
  { campaign }: Round,
  { station, file }: { station: Ready; file: FileRow },
  { database, callMaker, links, now }: SenderOptions,
): Promise<void> {
  const { campaignId, name, signed } = campaign;
  const { stationId, phase } = station;
  const sendSigned =
    station.isSigned ??
    (signed === 'yes' ||
      (signed === 'auto' && isSigned(file) && (await signedUpdates.areKnown(database, stationId))));
  const at = now();
  const transport = await links.transportOf(database, stationId);
  const fileRequest = firmwareRequest(file, { signed: sendSigned, retrieveAt: at, transport }, links);
  const alongside = async (db: Db, commandId: string): Promise<void> => {
    const state = await campaigns.holdState(db, campaignId);
    const isActive = phase === 'update' ? state === 'running' : state !== 'paused' && state !== undefined;
    const sent = { stationId, phase, commandId, isSigned: sendSigned, at };
    if (!isActive || !(await campaignStations.markSent(db, campaignId, sent))) throw new TurnIsOver();
    await fileRequest.keepLink(db, { stationId, commandId });
  };
  const { action, request: body } = fileRequest;
  await callMaker.request({
    stationId,
    action,
    request: body,
    requestedBy: `campaign ${name}`,
    alongside,
  });
}

async function complete(
  { campaign: { campaignId } }: Round,
  { stationId, phase }: Ready,
  { options, state, reason }: { options: SenderOptions; state: 'failed' | 'skipped'; reason: string },
): Promise<void> {
  const text = phase === 'rollback' ? `rollback: ${reason}` : reason;
  const changes = [{ stationId, state, reason: text }];
  await campaignStations.change(options.database, campaignId, { changes, at: options.now() });
}
