import type { Requests } from '@evander/ocpp';

/** The statuses that a job of each kind reports. */
export type JobStatuses = {
  firmware: Requests['SignedFirmwareStatusNotification']['status'];
  diagnostics: Requests['DiagnosticsStatusNotification']['status'];
  log: Requests['LogStatusNotification']['status'];
};

/** The kinds of file jobs; at most one of each runs. */
export type JobKind = keyof JobStatuses;

/**
 * The course of a job: success; silence; this failure, which replaces the status that it prevents; or exactly these statuses without any
 * effect.
 */
export type JobOutcome<K extends JobKind> =
  'success' | 'silence' | JobStatuses[K] | readonly JobStatuses[K][];

/** The course of each kind of job; the default is success. */
export type JobOutcomes = { [K in JobKind]?: JobOutcome<K> };
