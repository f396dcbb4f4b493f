import { INT32_MAX } from '@evander/ocpp';
import type { Db } from '../database/database.ts';
import type { MessageContext } from '../stations/message-context.ts';
import * as jobs from './jobs.store.ts';
import type { JobKind, JobOutcome, JobState } from './jobs.store.ts';
import * as statusNotifications from './status-notifications.store.ts';
import type { StatusNotification } from './status-notifications.store.ts';

/** Statuses that end a job, including those of edition 1 of the security extension (SignedFwStatus.2). */
const ENDS: Partial<Record<string, 'succeeded' | 'failed'>> = {
  Uploaded: 'succeeded',
  Installed: 'succeeded',
  UploadFailed: 'failed',
  UploadFailure: 'failed',
  BadMessage: 'failed',
  PermissionDenied: 'failed',
  NotSupportedOperation: 'failed',
  DownloadFailed: 'failed',
  InstallationFailed: 'failed',
  InstallVerificationFailed: 'failed',
  InvalidSignature: 'failed',
  InvalidCertificate: 'failed',
  RevokedCertificate: 'failed',
};
/** Reported on a trigger when the station has nothing to do. */
const IDLE = 'Idle';
/** Highest id that Evander assigns. */
const MAX_REQUEST_ID = INT32_MAX;
/** No OCPP status is longer; invented ones are cut. */
const MAX_LENGTH = 50;

/**
 * Records a status of an upload or installation, once per envelope, and updates its job. Statuses may arrive in any order, for unknown
 * jobs, before the answer to the command and after the end of the job.
 */
export async function noteJobStatus(
  { database, stationId, messageId, receivedAt }: MessageContext,
  report: { kind: JobKind; status: string; requestId?: number },
): Promise<void> {
  const { kind } = report;
  const status = report.status.slice(0, MAX_LENGTH);
  const requestId = report.requestId ?? null;
  const notification = { stationId, kind, status, requestId, messageId, receivedAt };
  await database.transaction(async (db) => {
    const job = await findJob(db, notification);
    const isNew = await statusNotifications.record(db, notification, job?.jobId ?? null);
    if (!isNew || !job || (job.statusAt && job.statusAt > receivedAt)) return;
    await jobs.setState(db, { ...stateAfter(job, status, receivedAt), status });
  });
}

async function findJob(db: Db, notification: StatusNotification): Promise<JobState | undefined> {
  const { stationId, kind, requestId, receivedAt: at } = notification;
  if (kind === 'diagnostics' || kind === 'firmware') return jobs.findByStation(db, { stationId, kind, at });
  if (requestId === null || Math.abs(requestId) > MAX_REQUEST_ID) return undefined;
  return jobs.findByRequest(db, { stationId, kind, requestId });
}

function stateAfter(job: JobState, status: string, at: Date): JobState {
  const outcome = outcomeAfter(job.outcome, status);
  const startedAt = job.startedAt ?? (status === IDLE ? null : at);
  const state = { ...job, outcome, startedAt, statusAt: at };
  if (outcome === 'failed' && status !== IDLE) state.reason = status;
  if (outcome === job.outcome) return state;
  if (outcome !== 'failed') state.reason = null;
  return { ...state, endedAt: outcome === 'running' ? null : at };
}

/**
 * The outcome of a job after a status. The latest status counts, as a station may retry after a failure. But statuses of a job in
 * progress do not undo a success: some stations send them around a reboot, after Installed (TC_080).
 */
function outcomeAfter(outcome: JobOutcome, status: string): JobOutcome {
  const end = ENDS[status];
  if (status === IDLE) return outcome;
  if (end === 'succeeded') return 'succeeded';
  if (outcome === 'cancelled') return 'cancelled';
  if (end === 'failed') return 'failed';
  return outcome === 'succeeded' ? 'succeeded' : 'running';
}
