import { isUnknownAction } from '../commands/command.ts';
import type { CampaignStationState, Change, UnderWay } from './campaign-stations.store.ts';

/** How the words of stations read in a campaign. Those that end a job are its outcome. */
const STATES: Partial<Record<string, CampaignStationState>> = {
  DownloadScheduled: 'downloading',
  Downloading: 'downloading',
  DownloadPaused: 'downloading',
  Downloaded: 'downloaded',
  SignatureVerified: 'downloaded',
  InstallScheduled: 'downloaded',
  Installing: 'installing',
  InstallRebooting: 'installing',
};
/** A station that has said Installed boots within so long, and one that has booted says Installed. */
const CONFIRM_MS = 300_000;

export interface Expectation {
  /** What the stations boot with at the end; null where nobody knows. */
  version: string | null;
  progressTimeoutMs: number;
  /** May a station that does not know the one command be sent the other? */
  mayGoOtherWay: boolean;
  now: Date;
}

/** What becomes of a station, from its command, its job and its boots; undefined when nothing does. */
export function progressOf(station: UnderWay, expected: Expectation): Change | undefined {
  const { stationId, phase, state: before } = station;
  const told = evaluation(station, expected);
  const isRollback = phase === 'rollback';
  const state = told.state === 'installed' && isRollback ? 'rolledBack' : told.state;
  const isEnd = state === 'failed' || state === 'timedOut';
  // It had ended for us: only a success can change that.
  if ((before === 'failed' || before === 'timedOut') && told.state !== 'installed') return undefined;
  const reason = told.reason && isEnd && isRollback ? `rollback: ${told.reason}` : (told.reason ?? null);
  if (state === before && reason === station.reason) return undefined;
  return { stationId, state, reason, ...(told.otherWay && { otherWay: true }) };
}

interface Evaluation {
  state: CampaignStationState;
  reason?: string;
  otherWay?: true;
}

function evaluation(station: UnderWay, expected: Expectation): Evaluation {
  const { commandStatus, errorCode, jobOutcome, jobReason, otherWayTried } = station;
  if (commandStatus === 'expired') return { state: 'waiting' };
  if (commandStatus === 'failed' && expected.mayGoOtherWay && !otherWayTried)
    if (isUnknownAction(errorCode)) return { state: 'waiting', otherWay: true };
  switch (jobOutcome) {
    case 'succeeded':
      return afterSuccess(station, expected);
    case 'failed':
      return { state: 'failed', reason: jobReason ?? 'the station gave no reason' };
    case 'cancelled':
      return { state: 'failed', reason: 'another update took its place' };
    default:
      return whileRunning(station, expected);
  }
}

function afterSuccess(station: UnderWay, expected: Expectation): Evaluation {
  const { versionAfter, endedAt, bootedAt } = station;
  const { version } = expected;
  if (version === null || versionAfter === version) return { state: 'installed' };
  if (isWithin(confirmMs(expected), [endedAt, bootedAt], expected.now)) return { state: 'installing' };
  if (versionAfter !== null)
    return { state: 'failed', reason: `it said Installed and boots with ${versionAfter}, not ${version}` };
  return { state: 'installed', reason: `it has not booted since, so nothing confirms ${version}` };
}

function whileRunning(station: UnderWay, expected: Expectation): Evaluation {
  const { jobStatus, jobStatusAt, acceptedAt, sentAt, bootedAt, versionBefore, versionAfter } = station;
  const { version, now, progressTimeoutMs } = expected;
  const state = STATES[jobStatus ?? ''] ?? 'sent';
  const signs = [sentAt, acceptedAt, jobStatusAt];
  const hasNew = version !== null && versionAfter === version && versionBefore !== version;
  if (hasNew && !isWithin(confirmMs(expected), [...signs, bootedAt], now))
    return { state: 'installed', reason: `it boots with ${version}, and has not said Installed` };
  if (isWithin(progressTimeoutMs, signs, now)) return { state };
  return { state: 'timedOut', reason: `it has said nothing since ${jobStatus ?? 'the command'}` };
}

function confirmMs({ progressTimeoutMs }: Expectation): number {
  return Math.min(CONFIRM_MS, progressTimeoutMs);
}

function isWithin(ms: number, times: (Date | null)[], now: Date): boolean {
  return now.getTime() - Math.max(...times.map((time) => time?.getTime() ?? 0)) <= ms;
}
