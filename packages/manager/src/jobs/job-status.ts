import { INT32_MAX } from '@evander/ocpp';
import type { Db } from '../database/database.ts';
import type { MessageContext } from '../stations/message-context.ts';
import * as jobs from './jobs.store.ts';
import type { JobKind, JobOutcome, JobState } from './jobs.store.ts';
import * as statusNotifications from './status-notifications.store.ts';
import type { StatusNotification } from './status-notifications.store.ts';

/** The words that end a job. Those of edition 1 of the security extension are among them (SignedFwStatus.2). */
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
/** What a station says when it is asked and has nothing to do. */
const IDLE = 'Idle';
const MAX_REQUEST_ID = INT32_MAX; // of ours
/** No status of OCPP is longer; what a station makes up need not be kept to the end. */
const MAX_LENGTH = 50;

/**
 * Keeps what a station says of an upload or an installation, once per envelope, and what follows from it for the job that it is
 * about. Statuses may come in any order, of jobs that nobody knows, before the answer and after the end.
 */
export async function noteJobStatus(
  { database, stationId, messageId, receivedAt }: MessageContext,
  told: { kind: JobKind; status: string; requestId?: number },
): Promise<void> {
  const { kind } = told;
  const status = told.status.slice(0, MAX_LENGTH);
  const requestId = told.requestId ?? null;
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
 * What a status makes of a job. The last word counts: a station may try again after a failure. Only what is under way cannot undo
 * a success, which the statuses around a reboot come after in some stations (TC_080).
 */
function outcomeAfter(outcome: JobOutcome, status: string): JobOutcome {
  const end = ENDS[status];
  if (status === IDLE) return outcome;
  if (end === 'succeeded') return 'succeeded';
  if (outcome === 'cancelled') return 'cancelled';
  if (end === 'failed') return 'failed';
  return outcome === 'succeeded' ? 'succeeded' : 'running';
}
