import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import { JOB_OUTCOMES } from './jobs.store.ts';
import type { JobKind } from './jobs.store.ts';

/** `reportedUploaded`: the station reported Uploaded, but no file has arrived. */
export const SHOWN_OUTCOMES = [...JOB_OUTCOMES, 'reportedUploaded'] as const;
export type ShownOutcome = (typeof SHOWN_OUTCOMES)[number];

/** A job as the API shows it. */
export interface JobRow {
  jobId: number;
  stationId: string;
  kind: JobKind;
  commandId: string;
  otherCommandId: string | null;
  requestId: number | null;
  logType: string | null;
  location: string;
  fileName: string | null;
  /** Null if files are not uploaded to Evander. */
  filesReceived: number | null;
  outcome: ShownOutcome;
  reason: string | null;
  status: string | null;
  statusAt: Date | null;
  requestedAt: Date;
  acceptedAt: Date | null;
  startedAt: Date | null;
  endedAt: Date | null;
  /** Time of the last report about a running job, once that is an hour ago. */
  silentSince: Date | null;
  firmwareVersionBefore: string | null;
  firmwareVersionAfter: string | null;
  /** Whether the station's SupportedFileTransferProtocols are known. */
  hasReportedProtocols: boolean;
}

export interface JobStatusRow {
  status: string;
  receivedAt: Date;
}

const LAST_REPORT = 'greatest(requested_at, accepted_at, status_at)';
const IS_SILENT = `(outcome = 'running' AND ${LAST_REPORT} < now() - interval '1 hour')`;
const OUTCOME = `(CASE WHEN outcome = 'succeeded' AND files_received = 0 THEN 'reportedUploaded' ELSE outcome END)`;
const COLUMNS = `job_id AS "jobId", station_id AS "stationId", kind, command_id AS "commandId", other_command_id AS "otherCommandId", request_id AS "requestId",
  log_type AS "logType", location, file_name AS "fileName", files_received AS "filesReceived", ${OUTCOME} AS outcome, reason, status, status_at AS "statusAt",
  requested_at AS "requestedAt", accepted_at AS "acceptedAt", started_at AS "startedAt", ended_at AS "endedAt",
  CASE WHEN ${IS_SILENT} THEN ${LAST_REPORT} END AS "silentSince",
  firmware_version_before AS "firmwareVersionBefore", firmware_version_after AS "firmwareVersionAfter",
  EXISTS (SELECT FROM configuration_keys c WHERE c.station_id = station_jobs.station_id
    AND key_lower = 'supportedfiletransferprotocols') AS "hasReportedProtocols"`;

const selectOne = statement('jobs.get', `SELECT ${COLUMNS} FROM station_jobs WHERE job_id = $1`);

export async function get(db: Db, jobId: number): Promise<JobRow | undefined> {
  const { rows } = await db.query<JobRow>(selectOne([jobId]));
  return rows[0];
}

const selectId = statement(
  'jobs.idByCommand',
  'SELECT job_id AS "jobId" FROM station_jobs WHERE command_id = $1',
);

/** The job that a command started; null for none. */
export async function idByCommand(db: Db, commandId: string): Promise<number | null> {
  const { rows } = await db.query<{ jobId: number }>(selectId([commandId]));
  return rows[0]?.jobId ?? null;
}

const selectHistory = statement(
  'jobs.history',
  `SELECT status, received_at AS "receivedAt" FROM status_notifications WHERE job_id = $1
   ORDER BY received_at DESC, message_id DESC LIMIT $2`,
);

/** The last statuses that a station reported for a job, newest first. */
export async function history(db: Db, jobId: number, rows: number): Promise<JobStatusRow[]> {
  return (await db.query<JobStatusRow>(selectHistory([jobId, rows]))).rows;
}

const selectPage = search(
  `SELECT ${COLUMNS} FROM station_jobs
   WHERE station_id = $1 AND ($2::bigint IS NULL OR job_id < $2) AND ($3::text IS NULL OR kind = $3)
     AND ($4::text IS NULL OR ${OUTCOME} = $4) AND ($5::boolean IS NULL OR ${IS_SILENT} = $5)
   ORDER BY job_id DESC LIMIT $6`,
);

export interface JobFilter {
  stationId: string;
  before: number | null;
  kind?: JobKind;
  outcome?: ShownOutcome;
  silent?: boolean;
  rows: number;
}

/** A station's jobs, newest first. */
export async function list(db: Db, filter: JobFilter): Promise<JobRow[]> {
  const { stationId, before, kind, outcome, silent, rows: limit } = filter;
  const { rows } = await db.query<JobRow>(
    selectPage([stationId, before, kind ?? null, outcome ?? null, silent ?? null, limit]),
  );
  return rows;
}
