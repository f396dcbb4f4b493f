import type { AnswerHooks, StationContext } from '../context/station-context.ts';
import type { JobKind, JobOutcome, JobOutcomes, JobStatuses } from '../options/job-outcome.ts';
import { FileJob, JobOver } from './file-job.ts';

/** Parts of the station that file jobs use. */
export type FileJobsContext = StationContext & AnswerHooks;

type RunningJobs = { [K in JobKind]?: FileJob<K> };

/** A job: its reports and its work. */
export type JobPlan<K extends JobKind> = {
  send: (status: JobStatuses[K]) => Promise<unknown>;
  run: (job: FileJob<K>) => Promise<void>;
};

/** The station's file jobs: firmware updates, and uploads of diagnostics and logs. */
export class FileJobs {
  readonly #station: FileJobsContext;
  readonly #outcomes: JobOutcomes;
  readonly #running: RunningJobs = {};

  constructor(station: FileJobsContext) {
    this.#station = station;
    this.#outcomes = { ...station.options.jobs };
  }

  /** Sets the course of the next jobs of this kind. */
  setOutcome<K extends JobKind>(kind: K, outcome: JobOutcome<K>): void {
    this.#outcomes[kind] = outcome as JobOutcomes[K];
  }

  /** The running job of this kind. */
  running<K extends JobKind>(kind: K): RunningJobs[K] {
    return this.#running[kind];
  }

  /** Starts a job once the current command is answered; returns true if it replaced a running one. */
  start<K extends JobKind>(kind: K, plan: JobPlan<K>): boolean {
    const before = this.#running[kind];
    before?.cancel();
    const outcome = (this.#outcomes[kind] ?? 'success') as JobOutcome<K>;
    const job = new FileJob<K>({ station: this.#station, outcome, send: plan.send });
    this.#running[kind] = job as RunningJobs[K];
    this.#station.afterAnswer(() => this.#run(kind, job, plan));
    return before !== undefined;
  }

  async #run<K extends JobKind>(kind: K, job: FileJob<K>, { run }: JobPlan<K>): Promise<void> {
    const { outcome } = job;
    try {
      if (outcome === 'silence') return;
      if (typeof outcome === 'string') await run(job);
      else for (const status of outcome) await job.report(status);
    } catch (error) {
      if (!(error instanceof JobOver)) throw error;
    } finally {
      if (this.#running[kind] === (job as RunningJobs[K])) delete this.#running[kind];
    }
  }
}
