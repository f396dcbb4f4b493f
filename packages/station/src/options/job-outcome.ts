import type { Requests } from '@evander/ocpp';

/** The statuses that a job of each kind reports. */
export type JobStatuses = {
  firmware: Requests['SignedFirmwareStatusNotification']['status'];
  diagnostics: Requests['DiagnosticsStatusNotification']['status'];
  log: Requests['LogStatusNotification']['status'];
};

/** The kinds of jobs with files; at most one of each is running. */
export type JobKind = keyof JobStatuses;

/**
 * How a job goes: well; without a word; until this failure, which takes the place of the status it prevents; or with exactly
 * these statuses and no effect.
 */
export type JobOutcome<K extends JobKind> =
  'success' | 'silence' | JobStatuses[K] | readonly JobStatuses[K][];

/** How the jobs go; each goes well unless something else is said. */
export type JobOutcomes = { [K in JobKind]?: JobOutcome<K> };
