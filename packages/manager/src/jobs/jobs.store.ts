import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import { bootColumns } from '../stations/boots.store.ts';
import type { Boot } from '../stations/boots.store.ts';

/** Kinds of jobs, by command: GetDiagnostics, GetLog, UpdateFirmware, SignedUpdateFirmware. */
export const JOB_KINDS = ['diagnostics', 'log', 'firmware', 'signedFirmware'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

/** `requested`: the station has not answered; `nothingToDo`: it had nothing to upload. */
export const JOB_OUTCOMES = [
  'requested',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'nothingToDo',
] as const;
export type JobOutcome = (typeof JOB_OUTCOMES)[number];

export interface NewJob {
  stationId: string;
  kind: JobKind;
  commandId: string;
  requestId: number | null;
  logType: string | null;
  /** URL without its password. */
  location: string;
  requestedAt: Date;
}

const insert = statement(
  'jobs.add',
  `INSERT INTO station_jobs (station_id, kind, command_id, request_id, log_type, location, requested_at, firmware_version_before)
   VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $2 IN ('firmware', 'signedFirmware')
     THEN (SELECT firmware_version FROM stations WHERE station_id = $1) END)`,
);

/** Adds a job before its command is sent. */
export async function add(db: Db, job: NewJob): Promise<void> {
  const { stationId, kind, commandId, requestId, logType, location, requestedAt } = job;
  await db.query(insert([stationId, kind, commandId, requestId, logType, location, requestedAt]));
}

const countFromNone = statement(
  'jobs.expectFiles',
  'UPDATE station_jobs SET files_received = 0 WHERE command_id = $1',
);

/** Starts counting the files of a job, as they are uploaded to Evander. */
export async function expectFiles(db: Db, commandId: string): Promise<void> {
  await db.query(countFromNone([commandId]));
}

const allowOther = statement(
  'jobs.allowFallback',
  'UPDATE station_jobs SET may_go_other_way = true WHERE command_id = $1',
);

/** Allows the fallback command if the station does not know the command of a job. */
export async function allowFallback(db: Db, commandId: string): Promise<void> {
  await db.query(allowOther([commandId]));
}

const selectOther = statement(
  'jobs.otherWay',
  'SELECT may_go_other_way AS "isAllowed", other_command_id AS "otherCommandId" FROM station_jobs WHERE command_id = $1',
);

/** Whether the fallback command may be sent for a job: it must be allowed and not sent yet. */
export async function mayFallBack(db: Db, commandId: string): Promise<boolean> {
  const { rows } = await db.query<{ isAllowed: boolean; otherCommandId: string | null }>(
    selectOther([commandId]),
  );
  return rows[0]?.isAllowed === true && rows[0].otherCommandId === null;
}

/** The fallback command that was sent for a job; null for none. */
export async function otherCommand(db: Db, commandId: string): Promise<string | null> {
  const { rows } = await db.query<{ otherCommandId: string | null }>(selectOther([commandId]));
  return rows[0]?.otherCommandId ?? null;
}

const markOther = statement(
  'jobs.noteOtherCommand',
  'UPDATE station_jobs SET other_command_id = $2 WHERE command_id = $1',
);

export async function noteOtherCommand(db: Db, commandId: string, otherCommandId: string): Promise<void> {
  await db.query(markOther([commandId, otherCommandId]));
}

const markAccepted = statement(
  'jobs.accept',
  `UPDATE station_jobs SET accepted_at = $2, file_name = $3, outcome = CASE outcome WHEN 'requested' THEN $4 ELSE outcome END,
     ended_at = CASE WHEN outcome = 'requested' AND $4 = 'nothingToDo' THEN $2 ELSE ended_at END
   WHERE command_id = $1`,
);

/** The station accepted the command or has nothing to do. Statuses that it reported before this answer stay. */
export async function accept(
  db: Db,
  answer: { commandId: string; at: Date; fileName: string | null; outcome: 'running' | 'nothingToDo' },
): Promise<void> {
  await db.query(markAccepted([answer.commandId, answer.at, answer.fileName, answer.outcome]));
}

// Including a job that is accepted late, after a newer one.
const cancelOlder = statement(
  'jobs.cancelOlder',
  `UPDATE station_jobs SET outcome = 'cancelled', reason = 'superseded', ended_at = $3
   WHERE station_id = $1 AND kind = $2 AND outcome IN ('requested', 'running')
     AND job_id < (SELECT max(job_id) FROM station_jobs
       WHERE station_id = $1 AND kind = $2 AND accepted_at IS NOT NULL)`,
);

/** Cancels open jobs of a kind that are older than the newest accepted one: a station runs only one at a time. */
export async function supersede(
  db: Db,
  { stationId, kind, at }: { stationId: string; kind: JobKind; at: Date },
): Promise<void> {
  await db.query(cancelOlder([stationId, kind, at]));
}

const markFailed = statement(
  'jobs.fail',
  `UPDATE station_jobs SET outcome = 'failed', reason = $2, ended_at = $3
   WHERE command_id = $1 AND outcome IN ('requested', 'running')`,
);

/** Marks an open job as failed. */
export async function fail(db: Db, failure: { commandId: string; reason: string; at: Date }): Promise<void> {
  await db.query(markFailed([failure.commandId, failure.reason, failure.at]));
}

const selectRequest = statement(
  'jobs.hasRequest',
  'SELECT FROM station_jobs WHERE station_id = $1 AND request_id = $2 LIMIT 1',
);

/** Whether a request id was used for a station before. */
export async function hasRequest(db: Db, stationId: string, requestId: number): Promise<boolean> {
  const { rowCount } = await db.query(selectRequest([stationId, requestId]));
  return rowCount === 1;
}

/** The part of a job that a status may change. */
export interface JobState {
  jobId: number;
  outcome: JobOutcome;
  reason: string | null;
  statusAt: Date | null;
  startedAt: Date | null;
  endedAt: Date | null;
}

const STATE = `job_id AS "jobId", outcome, reason, status_at AS "statusAt", started_at AS "startedAt", ended_at AS "endedAt"`;

const selectByRequest = statement(
  'jobs.findByRequest',
  `SELECT ${STATE} FROM station_jobs WHERE station_id = $1 AND request_id = $2 AND kind = $3
   ORDER BY job_id DESC LIMIT 1 FOR UPDATE`,
);

/** The job with a request id; locks it until the database transaction ends. */
export async function findByRequest(
  db: Db,
  { stationId, kind, requestId }: { stationId: string; kind: JobKind; requestId: number },
): Promise<JobState | undefined> {
  const { rows } = await db.query<JobState>(selectByRequest([stationId, requestId, kind]));
  return rows[0];
}

// A queued command was not sent yet, so the status is not about it. Without an open job, a status may update one that has recently ended.
const selectByStation = statement(
  'jobs.findByStation',
  `SELECT ${STATE} FROM station_jobs j
   WHERE station_id = $1 AND kind = $2 AND (outcome = 'running'
     OR outcome = 'requested' AND NOT EXISTS (SELECT FROM commands k WHERE k.command_id = j.command_id AND k.status = 'queued')
     OR accepted_at IS NOT NULL AND ended_at > $3::timestamptz - interval '1 day')
   ORDER BY outcome IN ('requested', 'running') DESC, job_id DESC LIMIT 1 FOR UPDATE`,
);

/** The job for a status without a request id: the newest open one, otherwise the newest that ended within a day. Locks it. */
export async function findByStation(
  db: Db,
  { stationId, kind, at }: { stationId: string; kind: JobKind; at: Date },
): Promise<JobState | undefined> {
  const { rows } = await db.query<JobState>(selectByStation([stationId, kind, at]));
  return rows[0];
}

const updateState = statement(
  'jobs.setState',
  `UPDATE station_jobs SET outcome = $2, reason = $3, status = $4, status_at = $5, started_at = $6, ended_at = $7
   WHERE job_id = $1`,
);

/** Stores the state of a job after a status. */
export async function setState(db: Db, state: JobState & { status: string }): Promise<void> {
  const { jobId, outcome, reason, status, statusAt, startedAt, endedAt } = state;
  await db.query(updateState([jobId, outcome, reason, status, statusAt, startedAt, endedAt]));
}

// The boot may follow after the station has reported Installed.
const updateVersions = statement(
  'jobs.noteBoots',
  `UPDATE station_jobs j SET firmware_version_after = booted.firmware_version
   FROM unnest($1::text[], $2::timestamptz[], $3::text[]) AS booted (station_id, at, firmware_version)
   WHERE booted.firmware_version <> '' AND job_id = (SELECT max(job_id) FROM station_jobs o
     WHERE o.station_id = booted.station_id AND kind IN ('firmware', 'signedFirmware') AND (outcome = 'running'
       OR accepted_at IS NOT NULL AND ended_at > booted.at - interval '1 hour'))`,
);

/** Records the firmware version at a boot during an update or shortly after. */
export async function noteBoots(db: Db, boots: readonly Boot[]): Promise<void> {
  const versions = boots.map(({ request }) => request.firmwareVersion ?? null);
  await db.query(updateVersions([...bootColumns(boots), versions]));
}
