import type { Log } from './log.ts';
import { OperationalError } from './environment-faults.ts';
import { SettingsError } from './settings/read.ts';

export interface Running {
  close(): Promise<void>;
  /** Rejects when it cannot go on; what is left of it is not closed then. */
  readonly failed?: Promise<never>;
}

/**
 * Starts a process and ends it in order: on SIGTERM or SIGINT `close` has `drainSeconds` to finish what has begun,
 * a second signal ends at once. A start that fails, and what cannot go on, is logged with its cause and exits with 1.
 */
export async function runProcess(
  log: Log,
  drainSeconds: number,
  start: () => Promise<Running>,
): Promise<void> {
  let running: Running | undefined;
  let closing = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (closing) process.exit(1);
    closing = true;
    log.info({ signal }, 'stopping');
    // Nothing has been begun that would have to be finished.
    if (!running) process.exit(0);
    setTimeout(
      () => {
        log.error({ drainSeconds }, 'could not finish in time');
        process.exit(1);
      },
      drainSeconds * 1000 + 5000,
    ).unref();
    running.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  // As process 1 of a container Node.js ignores signals that nobody listens to.
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // An error nobody handled leaves the process in a state nobody knows: log it and let the supervisor start afresh.
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'unhandled error');
    process.exit(1);
  });
  try {
    running = await start();
  } catch (error) {
    if (error instanceof SettingsError) throw error;
    exitWith(log, 'could not start', error);
  }
  running.failed?.catch((error: unknown) => {
    if (!closing) exitWith(log, 'cannot go on', error);
  });
}

function exitWith(log: Log, what: string, error: unknown): never {
  if (error instanceof OperationalError) log.fatal(`${what}: ${error.message}`);
  else log.fatal({ err: error }, what);
  process.exit(1);
}
