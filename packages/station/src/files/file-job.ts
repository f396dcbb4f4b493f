import type { StationContext } from '../context/station-context.ts';
import type { JobKind, JobOutcome, JobStatuses } from '../options/job-outcome.ts';
import { wait } from '../runtime/wait.ts';

/** Thrown inside a job that has failed or been cancelled: nothing is left to do. */
export class JobOver extends Error {}

/** A job that reports its progress. */
export class FileJob<K extends JobKind> {
  status: JobStatuses[K] | undefined;
  readonly outcome: JobOutcome<K>;
  readonly #station: StationContext;
  readonly #send: (status: JobStatuses[K]) => Promise<unknown>;
  readonly #cancelled = new AbortController();

  constructor(options: {
    station: StationContext;
    outcome: JobOutcome<K>;
    send: (status: JobStatuses[K]) => Promise<unknown>;
  }) {
    this.#station = options.station;
    this.outcome = options.outcome;
    this.#send = options.send;
  }

  /** Aborted when the job is cancelled or its station is closed. */
  get signal(): AbortSignal {
    return AbortSignal.any([this.#cancelled.signal, this.#station.closed]);
  }

  /** Cancels the job without further reports: another job replaces it. */
  cancel(): void {
    this.#cancelled.abort();
  }

  /** Reports a status, then waits for the duration of the next step. */
  async report(status: JobStatuses[K]): Promise<void> {
    this.status = status;
    await this.repeat();
    const { speed, options } = this.#station;
    await this.pause(options.jobStepMs ?? 1000 / speed);
  }

  /** Reports the status again because the manager requested it. */
  async repeat(): Promise<void> {
    if (this.status && this.outcome !== 'silence') await this.#send(this.status);
  }

  /** Waits; throws JobOver if the job is over afterwards. */
  async pause(ms: number): Promise<void> {
    await wait(ms, this.signal);
    if (this.signal.aborted) throw new JobOver('the job was cancelled');
  }

  /** Reports `good`, unless the outcome is one of these failures. */
  async pass(good: JobStatuses[K], ...failures: JobStatuses[K][]): Promise<void> {
    const failure = failures.find((one) => one === this.outcome);
    if (failure) await this.fail(failure);
    await this.report(good);
  }

  /** Reports the failure, and ends the job. */
  async fail(failure: JobStatuses[K]): Promise<never> {
    await this.report(failure);
    throw new JobOver(failure);
  }

  /** Runs `work` with the allowed number of retries; a final failure ends the job with `failure`. */
  async attempt<T>(
    work: () => Promise<T>,
    options: { failure: JobStatuses[K]; retries?: number | undefined; retryInterval?: number | undefined },
  ): Promise<T> {
    const { failure, retries = 0, retryInterval = 0 } = options;
    for (let repetition = 0; repetition <= retries; repetition++) {
      if (repetition > 0) await this.pause((retryInterval * 1000) / this.#station.speed);
      try {
        return await work();
      } catch (error) {
        this.#station.log(`${failure}: ${String(error)}`);
      }
    }
    return this.fail(failure);
  }
}
