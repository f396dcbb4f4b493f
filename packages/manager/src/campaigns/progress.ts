import { isUnknownAction } from '../commands/command.ts';
import type { CampaignStationState, Change, UnderWay } from './campaign-stations.store.ts';

/** Campaign states by reported firmware status. Statuses that end a job are in its outcome instead. */
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
/** Maximum time from Installed to the boot, and from the boot to Installed. */
const CONFIRM_MS = 300_000;

export interface Expectation {
  /** The version that stations report after the update; null: unknown. */
  version: string | null;
  progressTimeoutMs: number;
  /** Whether a station that does not know one command may be sent the other (signed or unsigned). */
  mayTryOtherWay: boolean;
  now: Date;
}

/** A station's new state, derived from its command, its job and its boots; undefined if nothing changes. */
export function progressOf(station: UnderWay, expected: Expectation): Change | undefined {
  const { stationId, phase, state: before } = station;
  const current = evaluation(station, expected);
  const isRollback = phase === 'rollback';
  const state = current.state === 'installed' && isRollback ? 'rolledBack' : current.state;
  const isEnd = state === 'failed' || state === 'timedOut';
  // It was given up: only a success can change that.
  if ((before === 'failed' || before === 'timedOut') && current.state !== 'installed') return undefined;
  const reason =
    current.reason && isEnd && isRollback ? `rollback: ${current.reason}` : (current.reason ?? null);
  if (state === before && reason === station.reason) return undefined;
  return { stationId, state, reason, ...(current.otherWay && { otherWay: true }) };
}

interface Evaluation {
  state: CampaignStationState;
  reason?: string;
  otherWay?: true;
}

function evaluation(station: UnderWay, expected: Expectation): Evaluation {
  const { commandStatus, errorCode, jobOutcome, jobReason, otherWayTried } = station;
  if (commandStatus === 'expired') return { state: 'waiting' };
  if (commandStatus === 'failed' && expected.mayTryOtherWay && !otherWayTried)
    if (isUnknownAction(errorCode)) return { state: 'waiting', otherWay: true };
  switch (jobOutcome) {
    case 'succeeded':
      return afterSuccess(station, expected);
    case 'failed':
      return { state: 'failed', reason: jobReason ?? 'the station gave no reason' };
    case 'cancelled':
      return { state: 'failed', reason: 'another update replaced it' };
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
    return {
      state: 'failed',
      reason: `it reported Installed but boots with ${versionAfter}, not ${version}`,
    };
  return { state: 'installed', reason: `it has not booted since, so ${version} is not confirmed` };
}

function whileRunning(station: UnderWay, expected: Expectation): Evaluation {
  const { jobStatus, jobStatusAt, acceptedAt, sentAt, bootedAt, versionBefore, versionAfter } = station;
  const { version, now, progressTimeoutMs } = expected;
  const state = STATES[jobStatus ?? ''] ?? 'sent';
  const reports = [sentAt, acceptedAt, jobStatusAt];
  const hasNew = version !== null && versionAfter === version && versionBefore !== version;
  if (hasNew && !isWithin(confirmMs(expected), [...reports, bootedAt], now))
    return { state: 'installed', reason: `it boots with ${version} but did not report Installed` };
  if (isWithin(progressTimeoutMs, reports, now)) return { state };
  return { state: 'timedOut', reason: `it reported nothing after ${jobStatus ?? 'the command'}` };
}

function confirmMs({ progressTimeoutMs }: Expectation): number {
  return Math.min(CONFIRM_MS, progressTimeoutMs);
}

function isWithin(ms: number, times: (Date | null)[], now: Date): boolean {
  return now.getTime() - Math.max(...times.map((time) => time?.getTime() ?? 0)) <= ms;
}
